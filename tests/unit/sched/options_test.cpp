// The options of a run: what the program gives, what the environment changes, and what is refused.
#include "runtime/sched/options.hpp"

#include <sched.h>

#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/support.hpp"

using namespace weft::runtime;
using weft::runtime_options;

namespace {

// Sets a variable for a scope; the tests begin with none of ours.
class variable {
 public:
  variable(const char* name, const std::string& text) : name_(name) {
    REQUIRE(std::getenv(name) == nullptr);
    REQUIRE(::setenv(name, text.c_str(), 1) == 0);
  }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  const char* name_;
};

options with(const char* name, const std::string& text) {
  const variable v(name, text);
  return resolve({});
}

// What the refusal says, or that there was none.
template <class F>
std::string refusal(F resolves) {
  try {
    resolves();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

void check_refused(const char* name, std::initializer_list<const char*> values, const std::string& wanted) {
  for (const char* text : values)
    CHECK(refusal([&] { with(name, text); }) == "weft: " + std::string(name) + "=" + text + ": " + wanted);
}

const std::string k_processors = "must be a whole number from 1 to 1024";
const std::string k_stack = "must be a number of bytes above 0, or with K, M or G, at most 1G";
const std::string k_threads = "must be a whole number from 1 to 1000000";
const std::string k_slice = "must be a time above 0 with its unit, as 10ms";
const std::string k_drain = "must be a time with its unit, as 500ms";
const std::string k_flag = "must be 0 or 1";

}  // namespace

TEST_CASE("options: without any, the defaults the header promises") {
  const options o = resolve({});
  CHECK(o.processors == usable_cpus());
  CHECK(o.stack_size == 64u << 10);
  CHECK(o.slice_ns == 10'000'000);
  CHECK(o.max_threads == 10'000);
  CHECK(o.preemption);
  CHECK(o.drain_ns == 1'000'000'000);
}

TEST_CASE("options: what the program gives is taken") {
  runtime_options given;
  given.processors = 3;
  given.stack_size = 100'000;
  given.slice = std::chrono::microseconds(5);
  given.max_threads = 7;
  given.preemption = false;
  given.drain = std::chrono::nanoseconds(0);
  const options o = resolve(given);
  CHECK(o.processors == 3);
  CHECK(o.stack_size == 128u << 10);  // rounded up to a size that there is
  CHECK(o.slice_ns == 5000);
  CHECK(o.max_threads == 7);
  CHECK_FALSE(o.preemption);
  CHECK(o.drain_ns == 0);
}

TEST_CASE("options: each variable is read, in each of its units") {
  CHECK(with("WEFT_PROCESSORS", "1").processors == 1);
  CHECK(with("WEFT_PROCESSORS", "1024").processors == 1024);
  CHECK(with("WEFT_STACK_SIZE", "1").stack_size == 16u << 10);
  CHECK(with("WEFT_STACK_SIZE", "40000").stack_size == 64u << 10);
  CHECK(with("WEFT_STACK_SIZE", "256K").stack_size == 256u << 10);
  CHECK(with("WEFT_STACK_SIZE", "1.5M").stack_size == 2u << 20);
  CHECK(with("WEFT_STACK_SIZE", "1G").stack_size == 1u << 30);
  CHECK(with("WEFT_SLICE", "1ns").slice_ns == 1);
  CHECK(with("WEFT_SLICE", "250us").slice_ns == 250'000);
  CHECK(with("WEFT_SLICE", "2.5ms").slice_ns == 2'500'000);
  CHECK(with("WEFT_SLICE", "3s").slice_ns == 3'000'000'000);
  CHECK(with("WEFT_DRAIN", "0ms").drain_ns == 0);
  CHECK(with("WEFT_DRAIN", "500ms").drain_ns == 500'000'000);
  CHECK(with("WEFT_MAX_THREADS", "1").max_threads == 1);
  CHECK(with("WEFT_MAX_THREADS", "1000000").max_threads == 1'000'000);
  CHECK_FALSE(with("WEFT_PREEMPTION", "0").preemption);
  CHECK(with("WEFT_PREEMPTION", "1").preemption);
}

TEST_CASE("options: the environment wins over the program, an empty variable does not") {
  runtime_options given;
  given.processors = 5;
  {
    const variable v("WEFT_PROCESSORS", "2");
    CHECK(resolve(given).processors == 2);
  }
  {
    const variable v("WEFT_PROCESSORS", "");
    CHECK(resolve(given).processors == 5);
  }
  given.preemption = false;
  const variable v("WEFT_PREEMPTION", "1");
  CHECK(resolve(given).preemption);
}

TEST_CASE("options: a bad variable is refused by a text that names it, its value and what it must be") {
  check_refused("WEFT_PROCESSORS",
                {"banana", "0", "-1", "1025", "1.5", "2x", " 2", "2 ", "0x2", "nan", "inf", "99999999999999999999"},
                k_processors);
  check_refused("WEFT_STACK_SIZE", {"big", "0", "0.5", "-4K", "2G", "64k", "64KB", "1 M", "nan", "1e999", "K"},
                k_stack);
  check_refused("WEFT_SLICE", {"10", "0ms", "0.1ns", "-1ms", "10 ms", "5m", "ms", "nans", "infs", "1e30s"}, k_slice);
  check_refused("WEFT_DRAIN", {"1", "-1ns", "soon", "1e30s", "1h"}, k_drain);
  check_refused("WEFT_MAX_THREADS", {"0", "1000001", "many", "2.5", "-3"}, k_threads);
  check_refused("WEFT_PREEMPTION", {"2", "-1", "on", "0.5", "true"}, k_flag);
}

TEST_CASE("options: a bad option of the program is refused by a text that names it") {
  const auto refused = [](auto set) {
    runtime_options given;
    set(given);
    return refusal([&] { resolve(given); });
  };
  CHECK(refused([](runtime_options& o) { o.processors = 1025; }) ==
        "weft: runtime_options::processors=1025: " + k_processors);
  CHECK(refused([](runtime_options& o) { o.stack_size = 0; }) == "weft: runtime_options::stack_size=0: " + k_stack);
  CHECK(refused([](runtime_options& o) { o.stack_size = (std::size_t{1} << 30) + 1; }) ==
        "weft: runtime_options::stack_size=1073741825: " + k_stack);
  CHECK(refused([](runtime_options& o) { o.slice = std::chrono::nanoseconds(0); }) ==
        "weft: runtime_options::slice=0ns: " + k_slice);
  CHECK(refused([](runtime_options& o) { o.slice = std::chrono::nanoseconds(-5); }) ==
        "weft: runtime_options::slice=-5ns: " + k_slice);
  CHECK(refused([](runtime_options& o) { o.drain = std::chrono::nanoseconds(-1); }) ==
        "weft: runtime_options::drain=-1ns: " + k_drain);
  CHECK(refused([](runtime_options& o) { o.max_threads = 0; }) == "weft: runtime_options::max_threads=0: " + k_threads);
}

TEST_CASE("options: a good variable does not excuse a bad option elsewhere, but replaces a bad one of its own") {
  runtime_options given;
  given.stack_size = 0;
  {
    const variable v("WEFT_PROCESSORS", "2");
    CHECK(refusal([&] { resolve(given); }) == "weft: runtime_options::stack_size=0: " + k_stack);
  }
  const variable v("WEFT_STACK_SIZE", "32K");
  CHECK(resolve(given).stack_size == 32u << 10);
}

TEST_CASE("usable_cpus: at least one, and no more than this thread's affinity lets it use") {
  unsigned here = 0, pinned = 0;
  bool set = false;
  int allowed = 0;
  std::thread([&] {
    cpu_set_t mine, one;
    CPU_ZERO(&one);
    if (::sched_getaffinity(0, sizeof mine, &mine) != 0) return;
    allowed = CPU_COUNT(&mine);
    here = usable_cpus();
    int cpu = 0;
    while (!CPU_ISSET(cpu, &mine)) ++cpu;
    CPU_SET(cpu, &one);
    set = ::sched_setaffinity(0, sizeof one, &one) == 0;
    pinned = usable_cpus();
  }).join();
  CHECK(here >= 1);
  CHECK(here <= static_cast<unsigned>(allowed));
  REQUIRE(set);
  CHECK(pinned == 1);
}
