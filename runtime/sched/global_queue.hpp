// Fibers that wait to run in no processor's ring.
//
// In two rows, those that have begun and those that have not, which take turns. In one, who is woken while somebody
// makes fibers faster than they begin would run after all of them: of 100,000 sleepers each hundredth came 0.1 s late.
#pragma once
#include <cstddef>

#include "runtime/fiber/fiber_list.hpp"

namespace weft::runtime {

class global_queue {
 public:
  bool empty() const noexcept { return begun_.empty() && new_.empty(); }
  std::size_t size() const noexcept { return begun_.size() + new_.size(); }

  void push_back(fiber* f) noexcept { (f->phase.load(relaxed) == fiber_phase::unstarted ? new_ : begun_).push_back(f); }
  void append(global_queue& other) noexcept {
    begun_.append(other.begun_);
    new_.append(other.new_);
  }
  void append_begun(fiber_list& woken) noexcept { begun_.append(woken); }

  // Null when it is empty.
  fiber* pop_front() noexcept {
    new_first_ = !new_first_;
    if (fiber* f = (new_first_ ? new_ : begun_).pop_front()) return f;
    return (new_first_ ? begun_ : new_).pop_front();
  }

 private:
  fiber_list begun_, new_;
  bool new_first_ = false;
};

}  // namespace weft::runtime
