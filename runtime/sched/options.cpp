#include "runtime/sched/options.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "runtime/base/clock.hpp"
#include "runtime/stack/stack.hpp"

namespace weft::runtime {
namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view value, std::string_view wanted) {
  throw std::invalid_argument("weft: " + std::string(name) + "=" + std::string(value) + ": " + std::string(wanted));
}

// A number and its unit, as in "64K" or "1.5s"; units are tried in order and the first with an empty name stands for
// none.
struct unit {
  std::string_view name;
  double factor;
};

template <std::size_t N>
double parse(std::string_view variable, std::string_view text, const unit (&units)[N], std::string_view wanted) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) refuse(variable, text, wanted);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const unit& u : units)
    if (rest == u.name) return number * u.factor;
  refuse(variable, text, wanted);
}

constexpr unit k_count[] = {{"", 1}};
constexpr unit k_bytes[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
constexpr unit k_time[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

constexpr std::string_view k_processors_wanted = "must be a whole number from 1 to 1024";
constexpr std::string_view k_stack_wanted = "must be a number of bytes above 0, or with K, M or G, at most 1G";
constexpr std::string_view k_threads_wanted = "must be a whole number from 1 to 1000000";
constexpr std::string_view k_slice_wanted = "must be a time above 0 with its unit, as 10ms";
constexpr std::string_view k_drain_wanted = "must be a time with its unit, as 500ms";
constexpr std::string_view k_seed_wanted = "must be a seed: a whole number, 0 for no chaos";
constexpr std::string_view k_flag_wanted = "must be 0 or 1";

const char* variable(const char* name) noexcept {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? nullptr : text;
}

double whole(std::string_view name, std::string_view text, double least, double most, std::string_view wanted) {
  const double n = parse(name, text, k_count, wanted);
  if (n < least || n > most || n != std::floor(n)) refuse(name, text, wanted);
  return n;
}

void read_environment(options& o) {
  if (const char* t = variable("WEFT_PROCESSORS"))
    o.processors = static_cast<unsigned>(whole("WEFT_PROCESSORS", t, 1, k_max_processors, k_processors_wanted));
  if (const char* t = variable("WEFT_STACK_SIZE")) {
    const double bytes = parse("WEFT_STACK_SIZE", t, k_bytes, k_stack_wanted);
    if (bytes < 1 || bytes > static_cast<double>(k_max_stack_size)) refuse("WEFT_STACK_SIZE", t, k_stack_wanted);
    o.stack_size = static_cast<std::size_t>(bytes);
  }
  if (const char* t = variable("WEFT_SLICE")) {
    const double ns = parse("WEFT_SLICE", t, k_time, k_slice_wanted);
    if (ns < 1 || ns > 9e18) refuse("WEFT_SLICE", t, k_slice_wanted);
    o.slice_ns = static_cast<std::int64_t>(ns);
  }
  if (const char* t = variable("WEFT_DRAIN")) {
    const double ns = parse("WEFT_DRAIN", t, k_time, k_drain_wanted);
    if (ns < 0 || ns > 9e18) refuse("WEFT_DRAIN", t, k_drain_wanted);
    o.drain_ns = static_cast<std::int64_t>(ns);
  }
  if (const char* t = variable("WEFT_MAX_THREADS"))
    o.max_threads = static_cast<unsigned>(whole("WEFT_MAX_THREADS", t, 1, 1'000'000, k_threads_wanted));
  if (const char* t = variable("WEFT_PREEMPTION")) o.preemption = whole("WEFT_PREEMPTION", t, 0, 1, k_flag_wanted) == 1;
  if (const char* t = variable("WEFT_CHAOS"))
    o.chaos_seed = static_cast<std::uint64_t>(whole("WEFT_CHAOS", t, 0, 1e15, k_seed_wanted));
}

// CPUs granted by the control group, or 0 when it sets no limit.
unsigned quota() noexcept {
  try {
    std::ifstream group("/proc/self/cgroup");
    for (std::string line; std::getline(group, line);) {
      if (!line.starts_with("0::")) continue;
      std::ifstream file("/sys/fs/cgroup" + line.substr(3) + "/cpu.max");
      std::string limit;
      double period = 0;
      if (!(file >> limit >> period) || limit == "max" || period <= 0) return 0;
      return static_cast<unsigned>(std::max(1.0, std::ceil(std::stod(limit) / period)));
    }
  } catch (const std::exception&) {
    // no limit that can be read
  }
  return 0;
}

}  // namespace

unsigned usable_cpus() noexcept {
  cpu_set_t set;
  unsigned n = ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set))
                                                             : std::thread::hardware_concurrency();
  if (const unsigned granted = quota(); granted != 0) n = std::min(n, granted);
  return std::clamp(n, 1u, k_max_processors);
}

options resolve(const runtime_options& given) {
  options o;
  o.processors = given.processors;
  o.stack_size = given.stack_size;
  o.slice_ns = given.slice.count();
  o.max_threads = given.max_threads;
  o.preemption = given.preemption;
  o.drain_ns = given.drain.count();
  read_environment(o);
  const auto text = [](auto n) { return std::to_string(n); };
  if (o.processors > k_max_processors) refuse("runtime_options::processors", text(o.processors), k_processors_wanted);
  if (o.stack_size == 0 || o.stack_size > k_max_stack_size)
    refuse("runtime_options::stack_size", text(o.stack_size), k_stack_wanted);
  if (o.slice_ns <= 0) refuse("runtime_options::slice", text(o.slice_ns) + "ns", k_slice_wanted);
  if (o.drain_ns < 0) refuse("runtime_options::drain", text(o.drain_ns) + "ns", k_drain_wanted);
  if (o.max_threads == 0) refuse("runtime_options::max_threads", "0", k_threads_wanted);
  if (o.processors == 0) o.processors = usable_cpus();
  o.stack_size = round_stack_size(o.stack_size);
  return o;
}

}  // namespace weft::runtime
