// The untyped half of support.hpp.
#include "support.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

// Who is there to be asked: jemalloc, or a sanitizer in its place.
extern "C" {
[[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* fresh, std::size_t fresh_size);
[[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();
}

namespace test {

double scale_factor() {
  static const double factor = [] {
    const char* text = std::getenv("WEFT_TEST_SCALE");
    return text ? std::stod(text) : 1.0;
  }();
  return factor;
}

long scale(long iterations) {
  return std::max(1L, static_cast<long>(static_cast<double>(iterations) * scale_factor()));
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

bool give_back_freed() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return false;
  return mallctl != nullptr && mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0) == 0;  // 4096: all of them
}

std::size_t allocated_bytes() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  std::uint64_t epoch = 1;
  std::size_t allocated = 0, size = sizeof allocated;
  if (mallctl == nullptr || mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch) != 0 ||
      mallctl("stats.allocated", &allocated, &size, nullptr, 0) != 0)
    return resident_bytes();
  return allocated;
}

std::size_t count_threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

long open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all)) - 1;  // but for the one that lists them
}

void await_no_weft_threads() {
  const auto listed = [] {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      std::ifstream(task.path() / "comm") >> name;
      if (name == "weft-worker" || name == "weft-monitor" || name == "weft-spawner") return true;
    }
    return false;
  };
  while (listed()) std::this_thread::yield();
}

void told_why::sleep() {
  try {
    weft::this_fiber::sleep_for(std::chrono::hours(1));
  } catch (const weft::canceled& c) {
    code = c.code();
    try {
      std::rethrow_exception(c.cause());
    } catch (const std::exception& cause) {
      why = cause.what();
    }
    throw;
  }
}

void settle() {
  for (int i = 0; i < 100; ++i) weft::this_fiber::yield();
  // Whom chaos has interrupted comes after all that are ready, so they must rest for a while.
  if (WEFT_CHAOS) weft::this_fiber::sleep_for(std::chrono::milliseconds(20));
}

void expect::operator()(bool holds, std::source_location at) {
  count_.fetch_add(1, std::memory_order_relaxed);
  if (!holds) fail(at, "does not hold");
}

void expect::fail(std::source_location at, std::string text) {
  constexpr std::size_t k_most = 20;  // a storm that fails fails everywhere
  const std::lock_guard lock(mutex_);
  if (failures_.size() < k_most) failures_.push_back({at, std::move(text)});
}

void expect::report() {
  const std::lock_guard lock(mutex_);
  for (const failure& f : failures_) ADD_FAIL_CHECK_AT(f.at.file_name(), static_cast<int>(f.at.line()), f.text);
  CHECK(count_ > 0);
}

std::string expect::first_failure() {
  const std::lock_guard lock(mutex_);
  if (failures_.empty()) return {};
  const failure& f = failures_.front();
  return std::string(f.at.file_name()) + ":" + std::to_string(f.at.line()) + ": " + f.text;
}

}  // namespace test
