#include "weft/interruptible.hpp"

#include "arch/interruptible.hpp"
#include "runtime/sched/interrupts.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sync/own_context.hpp"
#include "runtime/sync/wait_scope.hpp"
#if WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace weft::detail {

using namespace runtime;

namespace {

// Closes the record also when f throws.
class interrupts_open {
 public:
  interrupts_open(fiber* self, interrupt_record& r) noexcept
      : self_(self), record_(r), due_(open_interrupts(self, r, interrupt_kind::abandon, &self->cancel)) {}
  ~interrupts_open() { close_interrupts(self_, record_); }
  interrupts_open(const interrupts_open&) = delete;
  interrupts_open& operator=(const interrupts_open&) = delete;

  bool due() const noexcept { return due_; }

 private:
  fiber* self_;
  interrupt_record& record_;
  bool due_;
};

// The frames that were left had parts of the stack marked as not to be touched.
void forget_frames([[maybe_unused]] const interrupt_record& r) noexcept {
#if WEFT_ASAN
  constexpr std::uintptr_t k_red_zone = 128;
  __asan_unpoison_memory_region(reinterpret_cast<void*>(r.left - k_red_zone), r.frame - r.left + k_red_zone);
#endif
}

}  // namespace

std::error_code run_interruptible(void (*f)(void*), void* argument) {
  fiber* const self = running_fiber();
  if (self == nullptr || self->no_preempts.load(relaxed) != 0 || shielded(self)) {
    f(argument);
    return {};
  }
  static_cast<void>(bound_node(self));  // made within f it would look like another one: then nothing is abandoned
  {
    interrupt_record r;
    r.code = reinterpret_cast<std::uintptr_t>(f);
    const interrupts_open scope(self, r);
    if (!scope.due()) {
      if (weft_interruptible(f, argument, &r.frame) == 0) return {};
      forget_frames(r);
    }
  }
  return bound_error(self);
}

}  // namespace weft::detail
