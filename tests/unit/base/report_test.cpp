// The words for standard error when things go wrong.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/fatal.hpp"
#include "tests/support/support.hpp"
#include "tests/unit/stack/child.hpp"

using namespace weft::runtime;

namespace {

constexpr std::size_t k_room = 2000;

// What `body` writes to standard error.
template <class F>
std::string errors_of(F body) {
  const int file = ::memfd_create("errors", 0), before = ::dup(2);
  REQUIRE(file >= 0);
  ::dup2(file, 2);
  body();
  ::dup2(before, 2);
  ::close(before);
  std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
  CHECK(::pread(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  ::close(file);
  return text;
}

template <class T>
std::string written(T value) {
  report r;
  r << value;
  std::string text(r.text());
  r.discard();
  return text;
}

std::string written_hex(std::uintptr_t value) {
  report r;
  r.hex(value);
  std::string text(r.text());
  r.discard();
  return text;
}

}  // namespace

TEST_CASE("report: numbers are written in full, to the ends of their ranges") {
  CHECK(written(0) == "0");
  CHECK(written(-1) == "-1");
  CHECK(written(7u) == "7");
  CHECK(written(1000) == "1000");
  CHECK(written(std::int64_t{INT64_MAX}) == "9223372036854775807");
  CHECK(written(std::int64_t{INT64_MIN}) == "-9223372036854775808");
  CHECK(written(std::uint64_t{UINT64_MAX}) == "18446744073709551615");
  CHECK(written('x') == "x");
  CHECK(written(std::string_view()).empty());
}

TEST_CASE("report: hexadecimal numbers have their prefix and no leading zeros") {
  CHECK(written_hex(0) == "0x0");
  CHECK(written_hex(0xabc) == "0xabc");
  CHECK(written_hex(0x1000) == "0x1000");
  CHECK(written_hex(UINTPTR_MAX) == "0xffffffffffffffff");
}

TEST_CASE("report: what does not fit is cut, also inside one piece") {
  report r;
  const std::string piece(k_room - 10, 'a');
  r << piece << std::string_view("0123456789ABC") << 12345 << 'x';
  CHECK(r.text() == piece + "0123456789");
  r.discard();
  CHECK(r.text().empty());
  r << "again";
  CHECK(r.text() == "again");
  r.discard();
}

TEST_CASE("report: it is written to standard error at its end, once, and by flush before that") {
  CHECK(errors_of([] { report() << "a " << 1 << '\n'; }) == "a 1\n");
  CHECK(errors_of([] {
          report r;
          r << "one";
          r.flush();
          CHECK(r.text().empty());
          r << "two";
        }) == "onetwo");
  CHECK(errors_of([] {
          report r;
          r << "never";
          r.discard();
        }).empty());
  const std::string full(k_room, 'f');
  CHECK(errors_of([&] { report() << full; }) == full);
}

TEST_CASE("report: errno is kept, also when standard error is closed") {
  const int before = ::dup(2);
  ::close(2);
  errno = 4711;
  {
    report() << "to nobody";
  }
  const int after = errno;
  ::dup2(before, 2);
  ::close(before);
  CHECK(after == 4711);
}

TEST_CASE("fatal: says what it is given, formatted, and aborts") {
  const test::child_end end = test::in_child([]() -> int { fatal("cannot map %d bytes of %s", 4096, "stack"); });
  CHECK(end.killed_by(SIGABRT));
  // An emulator adds a line of its own about the signal.
  CHECK(end.errors.starts_with("weft: cannot map 4096 bytes of stack\n"));
}
