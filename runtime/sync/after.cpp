#include "runtime/sync/after.hpp"

#include <mutex>
#include <utility>

#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/spawn.hpp"
#include "weft/error.hpp"
#include "weft/fiber.hpp"

namespace weft::runtime {
namespace {

// Runs f and says so, also when f ends by `canceled`; ends with the run's reference.
void run_registered(after_registration* a) {
  struct conclusion {
    after_registration* a;
    ~conclusion() {
      const shield_scope s;
      a->run = nullptr;
      a->state.store(after_registration::finished, release);
      detail::channel_close(a->over.core());
      detail::release(a);
    }
  } const at_end{a};
  a->runner.store(current_fiber(), relaxed);
  a->run();
}

// False: no runtime takes it.
bool start_after(after_registration* a) noexcept {
  const foreign_visit inside(this_worker());
  if (!inside.admitted()) return false;
  start_internal_fiber("after_func", [](void* p) { run_registered(static_cast<after_registration*>(p)); }, a);
  return true;
}

void run_here(after_registration* a) noexcept {
  try {
    run_registered(a);
  } catch (const canceled&) {
    // an ordinary end
  }
}

}  // namespace

void run_afters(list_of<after_registration>& list) noexcept {
  while (after_registration* a = list.pop_front()) {
    if (!start_after(a)) run_here(a);  // outside the visit: what f does may be a run of its own
  }
}

}  // namespace weft::runtime

namespace weft::detail {

using namespace runtime;

after_registration* register_after(const context& ctx, std::move_only_function<void()> f) {
  auto* a = new after_registration;
  a->run = std::move(f);
  a->over = chan<void>();
  cancel_node* n = canceler_of(ctx.node());
  if (n == nullptr) {  // never cancelled: there is only the handle
    a->references.store(1, relaxed);
    return a;
  }
  // As long as it is registered it keeps the context: an ancestor may still cancel it.
  retain(n);
  a->node = n;
  bool run_now;
  {
    const section in;
    const std::lock_guard hold(n->lock);
    run_now = n->state.load(relaxed) != cancel_state::live;
    if (!run_now) n->afters.push_back(a);
  }
  if (run_now) {
    a->state.store(after_registration::running, relaxed);
    list_of<after_registration> one;
    one.push_back(a);
    run_afters(one);
  }
  return a;
}

bool stop_after(after_registration* a) noexcept {
  cancel_node* const n = a->node;
  if (n == nullptr) {  // never cancelled
    std::uint32_t pending = after_registration::pending;
    if (!a->state.compare_exchange_strong(pending, after_registration::stopped, acq_rel, relaxed)) return false;
    a->run = nullptr;
    return true;
  }
  {
    const section in;
    const std::lock_guard hold(n->lock);
    if (a->state.load(relaxed) != after_registration::pending) return false;
    a->state.store(after_registration::stopped, runtime::release);
    n->afters.remove(a);
  }
  a->run = nullptr;
  release(a);  // the context's; the handle's remains
  return true;
}

void wait_after(after_registration* a) noexcept {
  const shield_scope s;
  // f that drops its own handle does not wait for itself.
  if (a->runner.load(relaxed) == current_fiber()) return;
  if (a->state.load(acquire) == after_registration::running) static_cast<void>(a->over.recv());
}

void release(after_registration* a) noexcept {
  if (a->references.fetch_sub(1, acq_rel) != 1) return;
  if (a->node != nullptr) release(a->node);
  delete a;
}

}  // namespace weft::detail

namespace weft {

stop_func& stop_func::operator=(stop_func&& o) noexcept {
  const stop_func before(std::move(*this));  // its destructor stops or waits
  registration_ = std::exchange(o.registration_, nullptr);
  return *this;
}

stop_func::~stop_func() {
  if (registration_ == nullptr) return;
  const shield_scope s;
  if (!detail::stop_after(registration_)) detail::wait_after(registration_);
  detail::release(registration_);
}

bool stop_func::operator()() const noexcept { return registration_ != nullptr && detail::stop_after(registration_); }

void stop_func::release() noexcept {
  if (registration_ != nullptr) detail::release(std::exchange(registration_, nullptr));
}

}  // namespace weft
