// io::file and io::pipe: contents, ends, errors; who waits parks or lends the processor, and can be cancelled.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>
#include <weft/file.hpp>

#include "tests/support/net.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;
using test::need;

namespace {

// A folder of its own, emptied and removed.
class scratch {
 public:
  scratch() {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("mkdtemp");
  }
  ~scratch() {
    for (const std::string& path : made_) ::unlink(path.c_str());
    ::rmdir(folder_.c_str());
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  std::string path(const char* name) { return made_.emplace_back(folder_ + "/" + name); }

 private:
  std::string folder_ = "/tmp/weft-file-XXXXXX";
  std::vector<std::string> made_;
};

std::string numbered_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  test::fill(bytes, 0);
  return bytes;
}

template <class F>
bool throws_canceled(F f) {
  try {
    f();
  } catch (const canceled&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("io::file: what is written is read, from where the position is, and at places of one's own") {
  in_fiber([](expect& e) {
    scratch here;
    const io::file f = need(io::file::create(here.path("f")));
    const std::string bytes = numbered_bytes(100'000);
    e.equal(f.write(bytes).value_or(0), bytes.size());
    e.equal(f.size().value_or(0), std::uint64_t{100'000});
    std::string all(200'000, '\0');
    e.equal(f.read(all).value_or(1), std::size_t{0});  // at the end
    e.equal(f.seek(0).value_or(1), std::uint64_t{0});
    e.equal(f.read(all).value_or(0), bytes.size());
    e(all.compare(0, bytes.size(), bytes) == 0);
    e.equal(f.seek(-10, SEEK_END).value_or(0), std::uint64_t{99'990});
    e.equal(io::read_all(f).value_or(""), bytes.substr(99'990));

    e.equal(f.write_at(5, "in the midst").value_or(0), std::size_t{12});
    std::string some(12, '\0');
    e.equal(f.read_at(5, some).value_or(0), some.size());
    e.equal(some, std::string("in the midst"));
    e.equal(f.read_at(100'000, some).value_or(1), std::size_t{0});
    e.equal(f.seek(0, SEEK_CUR).value_or(0), std::uint64_t{100'000});
    e(f.sync().has_value());
    e(f.truncate(7).has_value());
    e.equal(f.size().value_or(0), std::uint64_t{7});
  });
}

TEST_CASE("io::file: whole files, and a context that is given is heard") {
  in_fiber([](expect& e) {
    scratch here;
    const std::string path = here.path("f"), bytes = numbered_bytes(300'000);
    e(io::write_file(path, bytes).has_value());
    e.equal(io::read_file(path).value_or(""), bytes);
    e(io::write_file(path, "shorter").has_value());
    e.equal(io::read_file(background(), path).value_or(""), std::string("shorter"));
    auto [ctx, cancel] = with_cancel(background());
    const io::file f = need(io::file::open(ctx, path));
    cancel();
    std::string some(3, '\0');
    e(error_of(f.read(ctx, some)) == errc::canceled);
    e(error_of(f.read_at(ctx, 0, some)) == errc::canceled);
    e(error_of(f.sync(ctx)) == errc::canceled);
    e(error_of(io::file::create(ctx, path)) == errc::canceled);
    e(error_of(io::read_file(ctx, path)) == errc::canceled);
    e.equal(io::read_file(path).value_or(""), std::string("shorter"));  // create did not happen
    e.equal(f.read(some).value_or(0), some.size());
    e.equal(some, std::string("sho"));
  });
}

TEST_CASE("io::file: errors") {
  in_fiber([](expect& e) {
    scratch here;
    std::string some(3, '\0');
    e(error_of(io::file::open(here.path("none"))) == std::errc::no_such_file_or_directory);
    e(error_of(io::read_file("/proc/self")) == std::errc::is_a_directory);
    e(error_of(io::file::adopt(-1)) == std::errc::bad_file_descriptor);
    const io::file writes = need(io::file::open(here.path("f"), O_WRONLY | O_CREAT));
    e(error_of(writes.read(some)) == std::errc::bad_file_descriptor);
    e(error_of(writes.seek(-1)) == std::errc::invalid_argument);
    e(error_of(need(io::file::open("/dev/full", O_WRONLY)).write("x")) == std::errc::no_space_on_device);
    e(writes.native_handle() >= 0);
    e(writes.close().has_value());
    const io::file never;
    for (const io::file* closed : {&writes, &never}) {
      e(!*closed);
      e.equal(closed->native_handle(), -1);
      e(error_of(closed->close()) == errc::closed);
      e(error_of(closed->read(some)) == errc::closed);
      e(error_of(closed->write(some)) == errc::closed);
      e(error_of(closed->read_at(0, some)) == errc::closed);
      e(error_of(closed->sync()) == errc::closed);
      e(error_of(closed->seek(0)) == errc::closed);
      e(error_of(closed->size()) == errc::closed);
      e(error_of(closed->truncate(0)) == errc::closed);
    }
    io::file from = need(io::pipe()).reader;
    const int fd = from.native_handle();
    const io::file to = std::move(from);
    e.equal(to.native_handle(), fd);
  });
}

TEST_CASE("io::file: devices and what the kernel makes up") {
  in_fiber([](expect& e) {
    std::string some(1'000, 'x');
    e.equal(need(io::file::open("/dev/null", O_RDWR)).write(some).value_or(0), some.size());
    e.equal(need(io::file::open("/dev/null")).read(some).value_or(1), std::size_t{0});
    e.equal(need(io::file::open("/dev/zero")).read(some).value_or(0), some.size());
    e(some == std::string(1'000, '\0'));
    e(io::read_file("/proc/self/stat").value_or("").starts_with(std::to_string(::getpid())));
  });
}

TEST_CASE("io::pipe: bytes in order, more than it holds, until the end; the waiting park") {
  in_fiber({1, 2, 4}, [](expect& e) {
    io::pipe_ends ends = need(io::pipe());
    const std::string bytes = numbered_bytes(1'000'000);
    wait_group all;
    all.go([&] {
      e.equal(ends.writer.write(bytes).value_or(0), bytes.size());
      e(ends.writer.close().has_value());
    });
    e(io::read_all(ends.reader).value_or("") == bytes);
    all.wait();
    std::string some(3, '\0');
    e.equal(ends.reader.read(some).value_or(1), std::size_t{0});
  });
}

TEST_CASE("io::pipe: writes of several fibers do not mix") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const io::pipe_ends ends = need(io::pipe());
    constexpr std::size_t k_size = 200'000;  // more than it holds
    wait_group all;
    for (const char c : {'a', 'b', 'c'})
      all.go([&, c] { e.equal(ends.writer.write(std::string(k_size, c)).value_or(0), k_size); });
    std::string got(3 * k_size, '\0');
    for (std::size_t n = 0; n < got.size();) n += need(ends.reader.read(mutable_bytes(&got[n], got.size() - n)));
    all.wait();
    for (std::size_t at = 0; at < got.size(); at += k_size)
      e(got.compare(at, k_size, std::string(k_size, got[at])) == 0);
  });
}

TEST_CASE("io::pipe: without a reader a write fails, and no signal comes") {
  in_fiber([](expect& e) {
    io::pipe_ends ends = need(io::pipe());
    e(ends.reader.close().has_value());
    e(error_of(ends.writer.write("x")) == std::errc::broken_pipe);  // SIGPIPE would have ended the process
    sigset_t waits;
    ::sigpending(&waits);
    e.equal(::sigismember(&waits, SIGPIPE), 0);
  });
}

TEST_CASE("io::pipe: a close and a cancel end the waits") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const io::pipe_ends empty = need(io::pipe()), full = need(io::pipe());
    const auto read = [&] {
      std::string some(3, '\0');
      return error_of(empty.reader.read(some));
    };
    auto bound = spawn([&] { return throws_canceled(read); });
    auto [ctx, cancel] = with_cancel(background());
    auto given = spawn([&, c = ctx] {
      std::string some(3, '\0');
      return error_of(empty.reader.read(c, some));
    });
    auto fills = spawn([&, c = ctx] { return full.writer.write(c, numbered_bytes(1'000'000)).value_or(0); });
    auto reads = spawn(read);
    test::settle();
    bound.cancel();
    e(bound.join());
    cancel();
    e(given.join() == errc::canceled);
    e(fills.join() < 1'000'000);
    e(empty.reader.close().has_value());
    e(reads.join() == errc::closed);
  });
}

// Under ThreadSanitizer a signal that meets the call is held back until it has returned.
TEST_CASE("io::file: a FIFO without another end, a descriptor that blocks: cancelled, and the others go on" *
          doctest::skip(WEFT_TSAN != 0)) {
  in_fiber({1, 2}, [](expect& e) {
    scratch here;
    const std::string path = here.path("fifo");
    e.equal(::mkfifo(path.c_str(), 0600), 0);
    auto [ctx, cancel] = with_cancel(background());
    auto opens = spawn([&, c = ctx] { return error_of(io::file::open(c, path)); });
    const test::pipe_pair outside;
    const io::file blocks = need(io::file::adopt(::dup(outside.out())));
    auto reads = spawn([&, c = ctx] {
      std::string some(3, '\0');
      return error_of(blocks.read(c, some));
    });
    auto bound = spawn([&] {
      std::string some(3, '\0');
      return throws_canceled([&] { static_cast<void>(blocks.read(some)); });
    });
    test::settle();  // with one processor: they have lent it
    cancel();
    bound.cancel();
    e(opens.join() == errc::canceled);
    e(reads.join() == errc::canceled);
    e(bound.join());

    auto reader = spawn([&] { return io::read_file(path); });
    e(io::write_file(path, "through the FIFO").has_value());
    e.equal(reader.join().value_or(""), std::string("through the FIFO"));
    outside.write('x');
    std::string some(3, '\0');
    e.equal(blocks.read(some).value_or(0), std::size_t{1});
  });
}
