// Code that never heard of weft does the same work in fibers that are preempted all the time as it does in a plain
// thread.
//
// A job is a function of a seed that lives in one library and gives a number that depends on every step of it. Sixteen
// fibers do it, each with a seed of its own, while sleepers that wake every 100 us want the processors; then the
// numbers are compared with those of a plain thread. Locks of the libraries (stdio's, the loader's, an allocator's, the
// resolver's) are held by preempted fibers meanwhile, so a deadlock would show as a hang.
//
// Under ThreadSanitizer weft sends no signals; the jobs run all the same.
#include <dlfcn.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <locale>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"

#if WEFT_TEST_ZLIB
#include <zlib.h>
#endif
#if WEFT_TEST_SQLITE
#include <sqlite3.h>
#endif

using namespace weft;
using test::expect;

namespace {

// What a job has seen so far, as one number.
class digest {
 public:
  void add(std::uint64_t word) { state_ = (state_ ^ word) * 0x100000001b3u; }
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<unsigned char>(c));
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

// A job that cannot even begin gives no number.
[[noreturn]] void broken(const char* what) { throw std::runtime_error(what); }

using job = std::uint64_t (*)(std::uint64_t seed, long rounds);

// So many fibers, the jobs in turn, on so many processors, beside a plain thread.
void same_in_fibers(std::span<const job> jobs, std::size_t fibers, std::initializer_list<unsigned> processor_counts,
                    long rounds) {
  const auto work = [&](std::size_t i) { return jobs[i % jobs.size()](i + 1, rounds); };
  std::vector<std::uint64_t> wanted(fibers);
  for (std::size_t i = 0; i < fibers; ++i) wanted[i] = work(i);
  test::for_processors(processor_counts, [&](unsigned processors) {
    expect e;
    runtime_options options = test::on(processors);
    options.stack_size = 256 << 10;  // std::regex and the resolver call deep
    run(options, [&] {
      std::vector<std::uint64_t> got(fibers);
      std::atomic<bool> stop{false};
      wait_group workers, sleepers;
      for (unsigned i = 0; i < processors; ++i)
        sleepers.go([&] {
          while (!stop) this_fiber::sleep_for(100us);
        });
      for (std::size_t i = 0; i < fibers; ++i) workers.go([&, i] { got[i] = work(i); });
      workers.wait();
      stop = true;
      sleepers.wait();
      for (std::size_t i = 0; i < fibers; ++i) e.equal(got[i], wanted[i]);
    });
    e.report();
  });
}

void same_in_fibers(job only, long rounds) { same_in_fibers({&only, 1}, 16, {1, 2}, rounds); }

std::uint64_t allocate(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  std::array<std::pair<unsigned char*, std::size_t>, 64> blocks{};
  for (long i = 0; i < rounds; ++i) {
    auto& [block, size] = blocks[pattern.below(blocks.size())];
    for (std::size_t at = 0; at < size; at += 97) seen.add(block[at]);
    if (block != nullptr && pattern.below(3) == 0) {
      const std::size_t larger = size + pattern.below(4096);
      block = static_cast<unsigned char*>(std::realloc(block, larger));
      std::memset(block + size, static_cast<int>(i & 0xff), larger - size);
      size = larger;
      continue;
    }
    std::free(block);
    size = 1 + (pattern.below(20) == 0 ? pattern.below(1 << 20) : pattern.below(2000));
    block = static_cast<unsigned char*>(std::malloc(size));
    std::memset(block, static_cast<int>(pattern.below(256)), size);
  }
  for (auto& [block, size] : blocks) std::free(block);
  return seen.value();
}

// One stream of the process, which all write to under its lock; and one of each, in memory.
std::uint64_t print(std::uint64_t seed, long rounds) {
  static const std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere(std::fopen("/dev/null", "w"), std::fclose);
  test::random pattern(seed);
  digest seen;
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* own = ::open_memstream(&text, &size);
  if (own == nullptr || !nowhere) broken("no stream");
  for (long i = 0; i < rounds; ++i) {
    const double number = static_cast<double>(pattern.below(1'000'000)) / 7;
    seen.add(static_cast<std::uint64_t>(std::fprintf(nowhere.get(), "%ld %s %.17g\n", i, "to nowhere", number)));
    std::fprintf(own, "%ld:%.3f:%x;", i, number, pattern.below(1 << 30));
  }
  std::fclose(own);
  seen.add(std::string_view(text, size));
  std::free(text);
  return seen.value();
}

std::uint64_t stream(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    std::stringstream s;
    s.imbue(std::locale::classic());
    const unsigned a = pattern.below(1 << 30);
    const double b = static_cast<double>(pattern.below(1 << 20)) / 1024;  // exact
    s << std::hex << a << ' ' << std::setprecision(17) << b << ' ' << std::quoted("a \"word\"");
    unsigned a_again = 0;
    double b_again = 0;
    std::string word;
    s >> std::hex >> a_again >> b_again >> std::quoted(word);
    if (a != a_again || b != b_again || word != "a \"word\"") broken("read back otherwise");
    seen.add(s.str());
  }
  return seen.value();
}

std::uint64_t match(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    const std::regex words(R"(([a-z]+)-(\d+)(?:,|$))");
    std::string text;
    for (int n = 0; n < 10; ++n) {
      text.append(1 + pattern.below(8), static_cast<char>('a' + pattern.below(26)));
      text += '-' + std::to_string(pattern.below(1000)) + ',';
    }
    for (std::sregex_iterator at(text.begin(), text.end(), words), end; at != end; ++at)
      seen.add((*at)[2].str() + (*at)[1].str());
  }
  return seen.value();
}

struct thrown {
  std::uint64_t value;
  std::string text;
};

std::uint64_t throw_at(int depth, std::uint64_t value) {
  if (depth == 0) throw thrown{value, std::to_string(value)};
  const std::string guard(40, 'x');  // something to destroy on the way
  return throw_at(depth - 1, value + guard.size());
}

std::uint64_t throw_and_catch(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    try {
      try {
        throw_at(static_cast<int>(pattern.below(12)), pattern.next());
      } catch (const thrown& t) {
        seen.add(t.value);
        throw std::runtime_error(t.text);
      }
    } catch (const std::exception& error) {
      seen.add(error.what());
    }
    if (std::uncaught_exceptions() != 0 || std::current_exception()) broken("an exception is left");
  }
  return seen.value();
}

// Each flag is called by all sixteen; the one that gets in takes long enough to be preempted in there.
std::uint64_t call_once(std::uint64_t seed, long rounds) {
  struct slot {
    std::once_flag flag;
    std::uint64_t value = 0;
  };
  static std::mutex guard;
  static std::map<std::pair<long, std::uint64_t>, slot> slots;  // its nodes stay where they are
  static std::array<std::uint64_t, 17> epochs{};                // how often this seed has done the job
  digest seen;
  std::uint64_t epoch = 0;
  {
    const std::lock_guard hold(guard);
    epoch = ++epochs[seed];
  }
  for (long i = 0; i < rounds; ++i) {
    slot* mine = nullptr;
    {
      const std::lock_guard hold(guard);
      mine = &slots[{i, epoch}];
    }
    std::call_once(mine->flag, [&] {
      test::spin(20'000);
      mine->value += static_cast<std::uint64_t>(i) + 1;
    });
    seen.add(mine->value);
  }
  return seen.value();
}

std::uint64_t load(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  constexpr std::array k_symbols{"cos", "sin", "sqrt", "pow", "no_such_function"};
  for (long i = 0; i < rounds; ++i) {
    void* library = ::dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) broken("no libm");
    const std::size_t which = pattern.below(k_symbols.size());
    void* symbol = ::dlsym(library, k_symbols[which]);
    seen.add(symbol != nullptr ? which : 1000);
    if (symbol == nullptr && ::dlerror() == nullptr) broken("no error");
    if (which == 2) seen.add(static_cast<std::uint64_t>(reinterpret_cast<double (*)(double)>(symbol)(1764.0)));
    ::dlclose(library);
    Dl_info where{};
    seen.add(static_cast<std::uint64_t>(::dladdr(reinterpret_cast<void*>(&load), &where)));
  }
  return seen.value();
}

struct per_thread {
  std::string text = "fresh";
  std::uint64_t number = 0;
};

// Within one turn of a fiber: it does not park between writing and reading.
std::uint64_t thread_locals(std::uint64_t seed, long rounds) {
  thread_local per_thread here;
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    here.number = pattern.next();
    here.text = std::to_string(here.number);
    const std::uint64_t number = here.number;
    test::spin(2'000);
    if (here.number != number || here.text != std::to_string(number)) broken("another's value");
    seen.add(here.text);
  }
  return seen.value();
}

std::uint64_t resolve(std::uint64_t seed, long rounds) {
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    addrinfo wanted{};
    wanted.ai_family = AF_INET;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(1000 + seed);
    if (::getaddrinfo("localhost", port.c_str(), &wanted, &found) != 0) broken("localhost is unknown");
    std::array<char, 64> host{}, service{};
    ::getnameinfo(found->ai_addr, found->ai_addrlen, host.data(), host.size(), service.data(), service.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV);
    ::freeaddrinfo(found);
    seen.add(host.data());
    seen.add(service.data());
  }
  return seen.value();
}

std::uint64_t sort(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    std::vector<std::uint64_t> numbers(5'000);
    for (std::uint64_t& n : numbers) n = pattern.next();
    std::ranges::sort(numbers);
    if (!std::ranges::is_sorted(numbers)) broken("not sorted");
    std::ranges::sort(numbers, {}, [](std::uint64_t n) { return std::pair(n % 1000, n); });
    for (std::size_t at = 0; at < numbers.size(); at += 50) seen.add(numbers[at]);
    std::qsort(numbers.data(), numbers.size(), sizeof numbers[0], [](const void* a, const void* b) {
      const auto x = *static_cast<const std::uint64_t*>(a), y = *static_cast<const std::uint64_t*>(b);
      return x < y ? -1 : x > y ? 1 : 0;
    });
    seen.add(numbers[numbers.size() / 2]);
  }
  return seen.value();
}

std::uint64_t compute(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  long double extended = 1.0L + static_cast<long double>(seed) / 3;
  double sum = 0;
  for (long i = 0; i < rounds * 1000; ++i) {
    const double x = static_cast<double>(pattern.below(1 << 20)) / 4096;
    sum += std::sin(x) * std::exp(-x / 100) + std::pow(x, 0.3);
    extended = std::sqrt(extended * 1.0000001L + static_cast<long double>(x));
  }
  seen.add(std::to_string(sum));
  std::uint64_t low = 0;
  std::memcpy(&low, &extended, sizeof low);
  seen.add(low);
  return seen.value();
}

std::uint64_t containers(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  std::unordered_map<std::string, std::shared_ptr<std::string>> names;
  for (long i = 0; i < rounds * 20; ++i) {
    auto& entry = names[std::to_string(pattern.below(500))];
    if (!entry || pattern.below(4) == 0) entry = std::make_shared<std::string>(std::to_string(i));
    if (pattern.below(10) == 0) names.erase(std::to_string(pattern.below(500)));
  }
  std::uint64_t total = 0;
  for (const auto& [name, value] : names) total += std::stoull(name) * std::stoull(*value);
  seen.add(total);
  seen.add(names.size());
  return seen.value();
}

#if WEFT_TEST_ZLIB
std::uint64_t pack_and_unpack(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    std::vector<Bytef> plain(20'000);
    for (Bytef& byte : plain) byte = static_cast<Bytef>('a' + pattern.below(4));
    uLongf size = ::compressBound(plain.size());
    std::vector<Bytef> packed(size);
    if (::compress2(packed.data(), &size, plain.data(), plain.size(), 1 + static_cast<int>(i % 9)) != Z_OK)
      broken("compress");
    seen.add(::adler32(0, packed.data(), static_cast<uInt>(size)));
    std::vector<Bytef> again(plain.size());
    uLongf length = again.size();
    if (::uncompress(again.data(), &length, packed.data(), size) != Z_OK || again != plain) broken("uncompress");
    seen.add(::crc32(0, again.data(), static_cast<uInt>(length)));
  }
  return seen.value();
}
#endif

#if WEFT_TEST_SQLITE
class database {
 public:
  database() {
    if (::sqlite3_open(":memory:", &handle_) != SQLITE_OK) broken("sqlite3_open");
  }
  ~database() { ::sqlite3_close(handle_); }
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  // Every cell of the answer goes into the digest.
  void query(const std::string& text, digest& into) {
    const auto row = [](void* seen, int columns, char** values, char**) {
      for (int i = 0; i < columns; ++i) static_cast<digest*>(seen)->add(values[i] != nullptr ? values[i] : "null");
      return 0;
    };
    if (::sqlite3_exec(handle_, text.c_str(), row, &into, nullptr) != SQLITE_OK) broken(::sqlite3_errmsg(handle_));
  }

 private:
  sqlite3* handle_ = nullptr;
};

std::uint64_t store(std::uint64_t seed, long rounds) {
  test::random pattern(seed);
  digest seen;
  for (long i = 0; i < rounds; ++i) {
    database db;
    db.query("create table t (id integer primary key, word text, number integer); create index w on t (word);", seen);
    db.query("begin", seen);
    for (int n = 0; n < 100; ++n) {
      const unsigned number = pattern.below(1000);
      db.query("insert into t (word, number) values ('w" + std::to_string(number % 17) + "', " +
                   std::to_string(number) + ")",
               seen);
    }
    db.query("commit", seen);
    db.query("update t set number = number + 1 where word like 'w1%'; delete from t where number % 13 = 0;", seen);
    db.query("select word, count(*), sum(number), avg(number) from t group by word order by word", seen);
    db.query("select a.word, max(b.number) from t a join t b using (word) group by a.word order by 2, 1", seen);
  }
  return seen.value();
}
#endif

}  // namespace

TEST_CASE("third party: malloc, realloc and free") { same_in_fibers(allocate, test::scale(20'000)); }
TEST_CASE("third party: printf, into one stream and into one each") { same_in_fibers(print, test::scale(20'000)); }
TEST_CASE("third party: iostreams") { same_in_fibers(stream, test::scale(10'000)); }
TEST_CASE("third party: std::regex") { same_in_fibers(match, test::scale(200)); }
TEST_CASE("third party: throw and catch") { same_in_fibers(throw_and_catch, test::scale(3'000)); }
TEST_CASE("third party: std::call_once") { same_in_fibers(call_once, test::scale(3'000)); }
TEST_CASE("third party: dlopen, dlsym, dladdr") { same_in_fibers(load, test::scale(20'000)); }
TEST_CASE("third party: thread-locals within a turn") { same_in_fibers(thread_locals, test::scale(20'000)); }
TEST_CASE("third party: getaddrinfo") { same_in_fibers(resolve, test::scale(1'000)); }
TEST_CASE("third party: sorting") { same_in_fibers(sort, test::scale(30)); }
TEST_CASE("third party: libm, double and extended") { same_in_fibers(compute, test::scale(500)); }
TEST_CASE("third party: containers of shared pointers") { same_in_fibers(containers, test::scale(10'000)); }
#if WEFT_TEST_ZLIB
TEST_CASE("third party: zlib") { same_in_fibers(pack_and_unpack, test::scale(30)); }
#endif
#if WEFT_TEST_SQLITE
TEST_CASE("third party: sqlite") { same_in_fibers(store, test::scale(40)); }
#endif

TEST_CASE("third party: all of it at once") {
  std::vector<job> jobs{allocate,      print,   stream, match,   throw_and_catch, load,
                        thread_locals, resolve, sort,   compute, containers};
#if WEFT_TEST_ZLIB
  jobs.push_back(pack_and_unpack);
#endif
#if WEFT_TEST_SQLITE
  jobs.push_back(store);
#endif
  same_in_fibers(jobs, 3 * jobs.size(), {1, 2, 4}, test::scale(20));
}
