// For tests of lifecycle: a service that overruns nothing, and what its report says, in a line.
#pragma once
#include <chrono>
#include <exception>
#include <mutex>
#include <string>
#include <weft/weft.hpp>

namespace test {

// Nothing overruns and no signal is heard.
inline weft::lifecycle_options patient() {
  weft::lifecycle_options o;
  o.signals = {};
  o.drain = o.compensate = o.unwind = std::chrono::hours(1);
  return o;
}

// Throws.
inline void wait_for_end(const weft::context& ctx) {
  ctx.done().recv();
  weft::this_fiber::poll();
}

// What happened, in order; from any fiber.
class record {
 public:
  void operator()(std::string what) {
    const std::lock_guard hold(lock_);
    all_ += what + ' ';
  }
  std::string all() {
    const std::lock_guard hold(lock_);
    return all_;
  }

 private:
  weft::mutex lock_;
  std::string all_;
};

// "name:outcome", in the report's order.
inline std::string hooks_of(const weft::lifecycle_report& r) {
  std::string all;
  for (const weft::hook_report& h : r.hooks) all += h.name + ':' + std::string(weft::name_of(h.outcome)) + ' ';
  return all;
}

inline std::string what(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "?";
  }
}

}  // namespace test
