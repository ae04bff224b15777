#include "runtime/explore/explorer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "runtime/base/fatal.hpp"
#include "runtime/base/futex.hpp"
#include "runtime/base/no_destroy.hpp"
#include "runtime/observe/parked_stack.hpp"
#include "runtime/sched/chaos.hpp"
#include "runtime/sched/worker.hpp"
#include "weft/detail/atomic_of.hpp"

namespace weft::runtime {
namespace {

using boost::context::detail::jump_fcontext;
using boost::context::detail::transfer_t;
using phase = explored_thread::phase;

constexpr std::size_t k_stack_bytes = 256 << 10;
constexpr std::int64_t k_beginning = 1'000'000'000;
constexpr std::int64_t k_spin_ns = 1'000;
constexpr std::uint32_t k_time_passes_one_in = 16;
constexpr std::uint32_t k_seen_one_in = 4;
constexpr std::size_t k_most_kept = 32;    // of one thread's stores
constexpr long k_patience = 2'000;         // steps of one thread, after which PCT lets others go before it
constexpr std::uint32_t k_shortest = 256;  // PCT draws its points within so many steps, or 4, 16 or 64 times as many

no_destroy<explorer> the_one;

}  // namespace

explorer& the_explorer() noexcept { return the_one.value; }

void explorer::begin(const synctest::explore_options& o, std::uint64_t seed) {
  random_ = random_source(seed);
  for (int i = 0; i < 8; ++i) random_.next();  // neighbouring seeds begin alike
  now_ = k_beginning;
  slack_ = o.slack.ns;
  max_ = o.max_steps;
  by_priority_ = o.strategy == synctest::strategy::pct;
  static constexpr std::uint32_t k_stays[] = {0, 4, 6, 7};
  stays_ = k_stays[random_.below(4)];
  const std::uint32_t length = k_shortest << 2 * random_.below(4);
  for (int i = 1; i < o.depth; ++i) changes_.push_back(random_.below(length));
  auto* const first = new explored_thread;
  first->priority = random_.next();
  threads_.push_back(first);
  running_ = first;
  active_ = true;
}

explored_thread* explorer::start(void (*run)(void*), void* argument) {
  void* const low = ::mmap(nullptr, k_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (low == MAP_FAILED) throw std::bad_alloc();
  auto* const t = new explored_thread;
  t->registers =
      boost::context::detail::make_fcontext(static_cast<std::byte*>(low) + k_stack_bytes, k_stack_bytes, &enter);
  t->run = run;
  t->argument = argument;
  t->priority = random_.next();
  t->index = static_cast<unsigned>(threads_.size());
  threads_.push_back(t);
  return t;
}

void explorer::enter(transfer_t from) {
  static_cast<explored_thread*>(from.data)->registers = from.fctx;
  explorer& e = the_explorer();
  explored_thread* const self = e.running_;
  self->run(self->argument);
  e.fence();
  self->state = phase::ended;
  e.wake(self, 1);
  e.go_on_elsewhere();
}

void explorer::join(explored_thread* t) noexcept {
  while (t->state != phase::ended) sleep(t, k_forever);
}

void explorer::switch_to(explored_thread* next) noexcept {
  explored_thread* const self = running_;
  if (next == self) return;
  __cxa_eh_globals_view* const exceptions = this_thread_exceptions();
  self->here = this_worker();
  self->exceptions = *exceptions;
  running_ = next;
  alone_ = 0;
  set_this_worker(next->here);
  *exceptions = next->exceptions;
  const transfer_t from = jump_fcontext(next->registers, self);
  static_cast<explored_thread*>(from.data)->registers = from.fctx;
}

void explorer::record(const char* operation, const void* place) noexcept {
  const worker* const here = this_worker();
  const fiber* const f = here == nullptr ? nullptr : here->current.load(relaxed);
  kept_[static_cast<std::size_t>(count_) % k_kept] = {f == nullptr ? 0 : f->id.load(relaxed), operation, place,
                                                      running_->index};
  if (++count_ <= max_) return;
  explored_failure("no end within max_steps: a livelock, or the limit is too low", true);
}

explored_thread* explorer::earliest_sleeper() noexcept {
  explored_thread* first = nullptr;
  for (explored_thread* t : threads_)
    if (t->state == phase::sleeping && t->until != k_forever && (first == nullptr || t->until < first->until))
      first = t;
  return first;
}

void explorer::pass_time_to(explored_thread* t) noexcept {
  now_ = std::max(now_, t->until);
  t->state = phase::ready;
}

void explorer::pass_some_time() noexcept {
  if (slack_ == 0 || !chance(k_time_passes_one_in)) return;
  explored_thread* const t = earliest_sleeper();
  if (t != nullptr && t->until <= now_ + slack_) pass_time_to(t);
}

explored_thread* explorer::choose_by_priority() noexcept {
  const bool long_alone = ++alone_ > k_patience;  // it may wait for others by yielding, which is not to be seen here
  if (long_alone || std::ranges::find(changes_, count_) != changes_.end()) running_->priority = --lowest_;
  return *std::ranges::max_element(ready_, {}, &explored_thread::priority);
}

explored_thread* explorer::choose(bool spins) noexcept {
  ready_.clear();
  for (explored_thread* t : threads_)
    if (t->state == phase::ready) ready_.push_back(t);
  if (ready_.empty()) return nullptr;
  if (spins) running_->priority = --lowest_;
  if (by_priority_) return choose_by_priority();
  if (spins && ready_.size() > 1)
    std::erase(ready_, running_);
  else if (running_->state == phase::ready && random_.below(8) < stays_)
    return running_;
  return ready_[random_.below(static_cast<std::uint32_t>(ready_.size()))];
}

void explorer::keep(const detail::kept_store& s) noexcept {
  if (running_->kept.size() == k_most_kept) let_out(*running_, 1);
  running_->kept.push_back(s);
  ++kept_count_;
}

const std::byte* explorer::kept(const void* place) const noexcept {
  if (kept_count_ == 0) return nullptr;
  const auto& own = running_->kept;
  for (auto s = own.rbegin(); s != own.rend(); ++s)
    if (s->place == place) return s->value;
  return nullptr;
}

void explorer::forget(const void* place) noexcept {
  if (kept_count_ == 0) return;
  for (explored_thread* t : threads_)
    kept_count_ -= std::erase_if(t->kept, [place](const detail::kept_store& s) { return s.place == place; });
}

void explorer::let_out(explored_thread& t, std::size_t count) noexcept {
  for (; count != 0; --count) {
    const detail::kept_store& s = t.kept.front();
    s.put(s.place, s.value);
    t.kept.pop_front();
    --kept_count_;
  }
}

void explorer::fence_ordered() noexcept {
  std::size_t last = running_->kept.size();
  while (last != 0 && !running_->kept[last - 1].ordered) --last;
  let_out(*running_, last);
}

void explorer::fence_all() noexcept {
  for (explored_thread* t : threads_) let_out(*t, t->kept.size());
}

void explorer::let_some_out() noexcept {
  if (kept_count_ == 0 || !chance(k_seen_one_in)) return;
  explored_thread& t = *threads_[random_.below(static_cast<std::uint32_t>(threads_.size()))];
  if (!t.kept.empty()) let_out(t, 1 + random_.below(static_cast<std::uint32_t>(t.kept.size())));
}

void explorer::point(const char* operation, const void* place) noexcept {
  if (!active_) return;
  record(operation, place);
  let_some_out();
  pass_some_time();
  switch_to(choose(false));
}

void explorer::spin(const void* place) noexcept {
  if (!active_) return;
  record("spins", place);
  fence_all();
  now_ += k_spin_ns;
  if (explored_thread* const t = earliest_sleeper(); t != nullptr && t->until <= now_) t->state = phase::ready;
  switch_to(choose(true));
}

void explorer::go_on_elsewhere() noexcept {
  explored_thread* next = choose(false);
  if (next == nullptr) {
    explored_thread* const t = earliest_sleeper();
    if (t == nullptr) explored_failure("deadlock: nobody can go on", true);
    pass_time_to(t);
    next = t;
  }
  switch_to(next);
}

void explorer::sleep(const void* word, std::int64_t until) noexcept {
  fence();
  running_->sleeps_on = word;
  running_->until = until;
  running_->state = phase::sleeping;
  go_on_elsewhere();
  running_->sleeps_on = nullptr;
}

void explorer::wake(const void* word, int count) noexcept {
  for (explored_thread* t : threads_) {
    if (count == 0) return;
    if (t->state != phase::sleeping || t->sleeps_on != word) continue;
    t->state = phase::ready;
    --count;
  }
}

void explorer::write_steps() noexcept {
  active_ = false;
  const long first = std::max<long>(0, count_ - static_cast<long>(k_kept));
  {
    report() << "  the last of " << std::int64_t{count_} << " steps, by thread and fiber:\n";
  }
  for (long i = first; i < count_; ++i) {
    const step& s = kept_[static_cast<std::size_t>(i) % k_kept];
    report line;
    line << "    " << std::int64_t{i} << ": thread " << std::uint64_t{s.thread};
    if (s.fiber != 0) line << ", fiber " << s.fiber;
    line << ": " << std::string_view(s.operation) << " at ";
    write_place(line, reinterpret_cast<std::uintptr_t>(s.place));
    line << '\n';
  }
}

namespace chaos {
bool migrate() noexcept { return the_explorer().active() && the_explorer().chance(4); }
bool yield() noexcept { return the_explorer().active() && the_explorer().chance(16); }
}  // namespace chaos

}  // namespace weft::runtime

namespace weft::detail {

using runtime::the_explorer;

[[gnu::noinline]] void explore_point(const char* operation) noexcept {
  the_explorer().point(operation, __builtin_return_address(0));
}
[[gnu::noinline]] void explore_spin() noexcept { the_explorer().spin(__builtin_return_address(0)); }
std::int64_t explore_now() noexcept { return the_explorer().look_at_clock(); }
std::uint64_t explore_draw() noexcept { return the_explorer().draw(); }
bool explore_keeps() noexcept { return the_explorer().active(); }
void explore_keep(const kept_store& s) noexcept { the_explorer().keep(s); }
const std::byte* explore_kept(const void* place) noexcept {
  return the_explorer().active() ? the_explorer().kept(place) : nullptr;
}
void explore_forget(const void* place) noexcept {
  if (the_explorer().active()) the_explorer().forget(place);
}
void explore_fence() noexcept {
  if (the_explorer().active()) the_explorer().fence();
}
void explore_fence_ordered() noexcept {
  if (the_explorer().active()) the_explorer().fence_ordered();
}

}  // namespace weft::detail
