// The processors that a run has made. Only grows within a run, so whoever goes through them needs no lock, and a
// pointer to one stays valid.
#pragma once
#include <array>
#include <cstddef>
#include <memory>

#include "runtime/sched/options.hpp"
#include "runtime/sched/processor.hpp"

namespace weft::runtime {

class processor_table {
 public:
  processor* const* begin() const noexcept { return all_.data(); }
  processor* const* end() const noexcept { return all_.data() + size(); }
  std::size_t size() const noexcept { return size_.load(acquire); }  // pairs with add: the slots below are written
  processor* operator[](std::size_t i) const noexcept { return all_[i]; }
  processor* front() const noexcept { return all_[0]; }

  // One at a time.
  processor* add(std::unique_ptr<processor> p) noexcept {
    const std::size_t n = size_.load(relaxed);
    all_[n] = p.get();
    size_.store(n + 1, release);
    return p.release();
  }
  // While no thread of the runtime is left.
  void clear() noexcept {
    for (processor* p : *this) delete p;
    size_.store(0, release);
  }

 private:
  std::array<processor*, k_max_processors> all_{};
  atomic<std::size_t> size_{0};
};

}  // namespace weft::runtime
