// Fibers in a row, first in, first out: those to be made ready, those that wait to run.
//
// It knows whether a foreign thread's block may be among them, from when each came in and was at hand. So whoever makes
// a hundred thousand ready need not go through them once more to look for one.
#pragma once
#include <cstddef>

#include "runtime/base/fetch_ahead.hpp"
#include "runtime/base/list.hpp"
#include "runtime/fiber/fiber.hpp"

namespace weft::runtime {

class fiber_list {
 public:
  bool empty() const noexcept { return row_.empty(); }
  std::size_t size() const noexcept { return row_.size(); }
  bool may_hold_foreign() const noexcept { return foreign_; }
  void push_back(fiber* f) noexcept {
    foreign_ |= f->is_foreign();
    row_.push_back(f);
  }
  void push_front(fiber* f) noexcept {
    foreign_ |= f->is_foreign();
    row_.push_front(f);
  }
  fiber* pop_front() noexcept {
    fiber* const f = row_.pop_front();
    guess_.at(f);
    return f;
  }
  // `other` is empty afterwards.
  void append(fiber_list& other) noexcept {
    foreign_ |= other.foreign_;
    row_.append(other.row_);
    other.foreign_ = false;
  }

 private:
  queue_of<fiber> row_;
  row_guess guess_;
  bool foreign_ = false;
};

}  // namespace weft::runtime
