// Under which context a wait stands: the fiber's bound one, an explicit one in its place, or none.
#pragma once
#include <cstdint>

#include "runtime/event/interrupt.hpp"
#include "runtime/fiber/fiber.hpp"
#include "runtime/sched/park.hpp"
#include "weft/context.hpp"

namespace weft::runtime {

struct cancel_node;

class wait_scope {
 public:
  // ctx null: the bound context, whose cancellation is thrown by the caller of the primitive.
  explicit wait_scope(const context* ctx) noexcept;
  static wait_scope quiet() noexcept;  // nothing ends it but a waker
  wait_scope(const wait_scope&) = delete;
  wait_scope& operator=(const wait_scope&) = delete;

  // At the beginning of a cancellation point, outside locks: whether it must end in cancellation at once.
  bool canceled(const fiber* self) const noexcept;

  // Begins the wait, as sched/park.hpp says, with the structure's lock held; false: canceled, with nothing queued.
  bool begin(fiber* self, std::uint32_t& generation) noexcept;
  // After the wait.
  void end() noexcept;

 private:
  enum class kind : std::uint8_t { bound, given, none };
  wait_scope(kind k, cancel_node* n) noexcept : kind_(k), node_(n) {}

  kind kind_;
  cancel_node* node_;
  cancel_link link_;
  [[no_unique_address]] not_abandoned kept_;
};

// At a cancellation point of the current fiber, for its bound context or the end of the runtime.
[[noreturn]] void throw_canceled(const fiber*);
std::error_code bound_error(const fiber*) noexcept;  // what it would say
inline void throw_if_canceled(const fiber* f) {
  if (cancel_pending(f)) [[unlikely]]
    throw_canceled(f);
}

}  // namespace weft::runtime
