// weft::lifecycle: from its beginning to its end, and the signals that it hears.
#include "weft/lifecycle.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "runtime/observe/snapshot.hpp"
#include "runtime/run/lifecycle_state.hpp"
#include "weft/fiber.hpp"
#include "weft/signals.hpp"

namespace weft {
namespace {

using duration = clock::duration;

constexpr int k_fatal_status = 2;
constexpr duration k_longest = std::chrono::hours(24 * 365) * 50;  // sums of four do not overflow

duration checked(const char* name, duration d, duration least, const char* wanted) {
  if (d < least)
    throw std::invalid_argument("weft: lifecycle_options::" + std::string(name) + "=" + std::to_string(d.count()) +
                                "ns: must be a time " + wanted);
  return std::min(d, k_longest);
}

lifecycle_options checked(lifecycle_options o) {
  o.lame_duck = checked("lame_duck", o.lame_duck, 0ns, "of 0 or more");
  o.drain = checked("drain", o.drain, 1ns, "above 0");
  o.compensate = checked("compensate", o.compensate, 1ns, "above 0");
  o.unwind = checked("unwind", o.unwind, 0ns, "of 0 or more");
  return o;
}

cancel_cause cause_of(int signal) {
  return std::make_exception_ptr(
      std::system_error(make_error_code(errc::canceled), std::string("signal received: ") + ::strsignal(signal)));
}

}  // namespace

lifecycle::state::~state() {
  const shield_scope unhurt;
  listen_no_more();
  requested.cancel();
  accepting.cancel();
  working.cancel();
  cut->cancel();
  const cancelable patience = with_timeout(apart, options.unwind);
  if (!members.wait(patience.ctx) && !is_empty()) {
    runtime::dump_to_stderr("weft: fatal: fibers of a lifecycle that do not end");
    ::_exit(k_fatal_status);
  }
  members.wait();
}

void lifecycle::state::listen() {
  if (options.signals.empty()) return;
  watcher = spawn(apart, [this] {
    this_fiber::set_name("lifecycle signals");
    for (const int signal : arrived) on_signal(signal);
  });
  for (const int signal : options.signals) signals::notify(arrived, {signal});
}

void lifecycle::state::listen_no_more() noexcept {
  if (options.signals.empty()) return;
  signals::stop(arrived);
  watcher = {};
}

void lifecycle::state::stop_starting() const {
  if (phase.load(std::memory_order_acquire) == lifecycle_phase::starting) accepting.cancel(requested.ctx.cause());
}

void lifecycle::state::on_signal(int signal) {
  if (!asked_by_signal) {
    asked_by_signal = true;
    requested.cancel(cause_of(signal));
    return;
  }
  if (phase.load(std::memory_order_acquire) == lifecycle_phase::starting) {
    signals::stop(arrived);
    ::kill(::getpid(), signal);
    return;
  }
  std::shared_ptr<const cancelable> current;
  {
    const std::lock_guard hold(lock);
    cut_early = true;  // heeded by the next phase if none has begun
    current = cut;
  }
  current->cancel(cause_of(signal));
}

lifecycle_report lifecycle::state::report() {
  lifecycle_report r;
  r.cause = requested.ctx.cause();
  const std::lock_guard hold(lock);
  for (const auto* hooks : {&drains, &compensations})
    for (const hook& h : *hooks) r.hooks.push_back(h.told);
  r.failures = failures;
  r.unfinished = unfinished;
  r.left = running_locked(true);
  return r;
}

lifecycle::lifecycle(const lifecycle_options& options, const context& parent)
    : state_(std::make_unique<state>(checked(options), parent)) {
  state_->listen();
}
lifecycle::~lifecycle() = default;

lifecycle_phase lifecycle::phase() const noexcept {
  const lifecycle_phase p = state_->phase.load(std::memory_order_acquire);
  return p == lifecycle_phase::ready && state_->requested.ctx.err() ? lifecycle_phase::draining : p;
}

const context& lifecycle::accepting() const noexcept { return state_->accepting.ctx; }
const context& lifecycle::working() const noexcept { return state_->working.ctx; }

void lifecycle::start(const context& ctx, std::string_view name, std::unique_ptr<detail::member> member,
                      std::source_location site) {
  state_->begin(ctx, {std::string(name), site, false}, nullptr,
                [s = state_.get(), ctx, name = std::string(name), member = std::move(member)] {
                  s->run_member(name, *member, ctx);
                });
}

void lifecycle::add_hook(lifecycle_phase when, std::string_view name, std::unique_ptr<detail::member> member,
                         std::source_location site) {
  if (state_->phase.load(std::memory_order_acquire) != lifecycle_phase::starting)
    throw std::logic_error("weft::lifecycle: a hook is registered before serve(): " + std::string(name));
  const bool draining = when == lifecycle_phase::draining;
  auto& hooks = draining ? state_->drains : state_->compensations;
  hooks.emplace(draining ? hooks.end() : hooks.begin(),
                state::hook{{std::string(name), when, hook_outcome::skipped, nullptr}, std::move(member), site});
}

void lifecycle::shutdown() noexcept { state_->requested.cancel(); }
void lifecycle::shutdown(cancel_cause cause) noexcept { state_->requested.cancel(std::move(cause)); }

lifecycle_report lifecycle::serve() {
  const context& requested = state_->requested.ctx;
  const bool to_be_ready = !requested.err();  // before anybody can see it ready, and ask
  auto expected = lifecycle_phase::starting;
  if (!state_->phase.compare_exchange_strong(expected, lifecycle_phase::ready, std::memory_order_acq_rel))
    throw std::logic_error("weft::lifecycle::serve: called a second time");
  const shield_scope unhurt;
  requested.done().recv();
  state_->drain(to_be_ready ? state_->options.lame_duck : 0s);
  state_->compensate();
  state_->listen_no_more();
  state_->phase.store(lifecycle_phase::terminated, std::memory_order_release);
  return state_->report();
}

}  // namespace weft
