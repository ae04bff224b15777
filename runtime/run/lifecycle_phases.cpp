// A lifecycle's way down: its phases, and the hooks that run in them.
#include <algorithm>

#include "runtime/run/lifecycle_state.hpp"
#include "weft/fiber.hpp"

namespace weft {

using namespace runtime;
using duration = clock::duration;

namespace {

constexpr duration k_least_turn = 1ms;  // of a compensating hook, however late it is

hook_outcome outcome_at_end_of(const context& ctx) noexcept {
  return ctx.err() == errc::deadline_exceeded ? hook_outcome::timed_out : hook_outcome::cut_short;
}

}  // namespace

void lifecycle::state::begin_hook(hook& h, const context& ctx) {
  begin(ctx, {h.told.name, h.site, true}, h.ended, [this, &h, ctx] { run_hook(h, ctx); });
}

void lifecycle::state::run_hook(hook& h, const context& ctx) {
  const auto began = clock::now();
  std::exception_ptr error;
  bool by_its_end = false;  // of the context
  try {
    if (const result<void> r = h.member->run(ctx); !r) {
      error = error_from(r.error());
      by_its_end = is_end_of(ctx, r.error());
    }
  } catch (const canceled& c) {
    error = std::current_exception();
    by_its_end = is_end_of(ctx, c.code());
  } catch (...) {
    error = std::current_exception();
  }
  const shield_scope unhurt;
  h.member = nullptr;
  const hook_outcome outcome = error == nullptr ? hook_outcome::completed
                               : by_its_end     ? outcome_at_end_of(ctx)
                                                : hook_outcome::failed;
  decide(h, outcome, std::move(error), clock::now() - began);
}

void lifecycle::state::decide(hook& h, hook_outcome outcome, std::exception_ptr error, duration took) noexcept {
  const std::lock_guard hold(lock);
  if (std::exchange(h.decided, true)) return;
  h.told.outcome = outcome;
  if (outcome == hook_outcome::failed) h.told.error = std::move(error);
  h.told.took = took;
}

// Gives what everything of the new phase is to lie below.
context lifecycle::state::enter(lifecycle_phase next) {
  auto fresh = std::make_shared<const cancelable>(with_cancel(apart));
  const context ctx = fresh->ctx;
  bool over = false;
  {
    const std::lock_guard hold(lock);
    over = std::exchange(cut_early, false) && next == lifecycle_phase::draining;
    cut.swap(fresh);
    phase.store(next, std::memory_order_release);
  }
  if (over) cut->cancel();
  return ctx;
}

void lifecycle::state::drain(duration lame_duck) {
  const context current = enter(lifecycle_phase::draining);
  static_cast<void>(sleep_for(current, lame_duck));
  accepting.cancel(requested.ctx.cause());
  const auto began = clock::now();
  const cancelable limit = with_timeout(current, options.drain);
  for (hook& h : drains) {
    if (current.err())
      decide(h, hook_outcome::skipped, nullptr, {});
    else
      begin_hook(h, limit.ctx);
  }
  if (members.wait(limit.ctx)) {
    working.cancel(requested.ctx.cause());
    return;
  }
  {
    const std::lock_guard hold(lock);
    unfinished = running_locked(false);
  }
  working.cancel(limit.ctx.cause());
  const cancelable unwinding = with_timeout(apart, options.unwind);
  static_cast<void>(members.wait(unwinding.ctx));
  for (hook& h : drains) decide(h, outcome_at_end_of(limit.ctx), nullptr, clock::now() - began);
}

bool lifecycle::state::await_end(const hook& h, const context& until) const {
  const auto r = h.ended.recv(until);
  return !r && r.error() == errc::closed;
}

void lifecycle::state::compensate() {
  const context current = enter(lifecycle_phase::compensating);
  const auto end = clock::now() + options.compensate + options.unwind;
  const double ours = std::chrono::duration<double>(options.compensate) / (options.compensate + options.unwind);
  auto remaining = static_cast<int>(compensations.size());
  for (hook& h : compensations) {
    if (current.err()) {
      decide(h, hook_outcome::skipped, nullptr, {});
      continue;
    }
    const auto began = clock::now();
    const auto turn = std::max((end - began) / remaining--, k_least_turn);
    const auto time = std::chrono::duration_cast<duration>(turn * ours);
    const cancelable limit = with_timeout(current, std::max(time, duration(1)));
    begin_hook(h, limit.ctx);
    if (await_end(h, limit.ctx)) continue;
    const cancelable unwinding = with_timeout(apart, turn - time);
    if (await_end(h, unwinding.ctx)) continue;
    decide(h, outcome_at_end_of(limit.ctx), nullptr, clock::now() - began);
  }
}

}  // namespace weft
