// The fibers of a lifecycle: who they are, and what their failure means.
#include <algorithm>

#include "runtime/run/lifecycle_state.hpp"
#include "weft/fiber.hpp"

namespace weft {

using namespace runtime;

// What a fiber of ours runs. It is in the list from construction to destruction, also when its turn never comes.
class lifecycle::state::seat {
 public:
  seat(state& owner, entries::iterator at, const chan<void>& ended, std::move_only_function<void()> body) noexcept
      : owner_(&owner), at_(at), ended_(ended), body_(std::move(body)) {}
  seat(seat&& o) noexcept
      : owner_(std::exchange(o.owner_, nullptr)), at_(o.at_), ended_(std::move(o.ended_)), body_(std::move(o.body_)) {}
  ~seat() {
    if (owner_ == nullptr) return;
    const shield_scope unhurt;
    body_ = nullptr;
    entries gone;
    {
      const std::lock_guard hold(owner_->lock);
      gone.splice(gone.end(), owner_->fibers, at_);
    }
    if (ended_ != nullptr) ended_.close();
    owner_->members.done();
  }
  void operator()() {
    {
      const std::lock_guard hold(owner_->lock);
      at_->id = this_fiber::id();
    }
    body_();
  }

 private:
  state* owner_;
  entries::iterator at_;
  chan<void> ended_;  // of a hook
  std::move_only_function<void()> body_;
};

void lifecycle::state::begin(const context& ctx, entry e, const chan<void>& ended,
                             std::move_only_function<void()> body) {
  entries fresh;
  fresh.push_back(std::move(e));
  const auto at = fresh.begin();
  {
    const std::lock_guard hold(lock);
    fibers.splice(fibers.end(), fresh);
  }
  members.add(1);
  seat s(*this, at, ended, std::move(body));  // from here on the entry goes with it
  detail::launch({.bound = &ctx, .name = at->name}, at->site, std::move(s));
}

void lifecycle::state::run_member(const std::string& name, detail::member& member, const context& ctx) {
  std::exception_ptr error;
  try {
    if (const result<void> r = member.run(ctx); !r && !is_end_of(ctx, r.error())) error = error_from(r.error());
  } catch (const canceled&) {
    return;
  } catch (...) {
    error = std::current_exception();
  }
  if (error == nullptr) return;
  {
    const std::lock_guard hold(lock);
    failures.push_back({name, error});
  }
  requested.cancel(std::move(error));
}

std::vector<debug::fiber_info> lifecycle::state::running_locked(bool hooks_too) const {
  std::vector<debug::fiber_info> found;
  if (fibers.empty()) return found;
  const auto all = debug::fibers();  // in the order of their ids
  for (const entry& e : fibers) {
    if (e.is_hook && !hooks_too) continue;
    const auto seen = std::ranges::lower_bound(all, e.id, {}, &debug::fiber_info::id);
    debug::fiber_info f{};
    if (seen != all.end() && seen->id == e.id) {
      f = *seen;
    } else {
      f.state = "unstarted";
      f.spawned_at = std::string(e.site.file_name()) + ':' + std::to_string(e.site.line());
    }
    f.name = e.name;
    found.push_back(std::move(f));
  }
  return found;
}

}  // namespace weft
