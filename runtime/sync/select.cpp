// Waiting on several channels at once.
//
// Each case that seems ready is looked at alone. Then all channels are locked, in the order of their addresses; if
// nothing is ready the fiber queues in each, unlocks, and parks with one wait word: whoever claims it has chosen the
// case. Rejected: to queue with one channel locked at a time. Two selects that meet each other would each have to be
// claimed by the other, two words at once. Source: Go's selectgo.
#include <algorithm>
#include <array>
#include <mutex>
#include <new>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/sched/bubble.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/section.hpp"
#include "runtime/sync/channel.hpp"
#include "runtime/sync/context_node.hpp"
#include "runtime/sync/value_nodes.hpp"
#include "runtime/sync/wait_scope.hpp"
#include "weft/channel.hpp"
#include "weft/select_case.hpp"

namespace weft::runtime {
namespace {

using detail::select_operation;
using detail::selected;

// What one select needs beside its cases; on the stack for few.
constexpr std::size_t k_on_stack = 8;

class selection {
 public:
  // Room for as many nodes as cases, not constructed, and for twice as many indices.
  selection(select_operation* operations, std::size_t count, void* nodes, std::uint32_t* indices) noexcept
      : operations_(operations),
        count_(static_cast<std::uint32_t>(count)),
        nodes_(static_cast<wait_node*>(nodes)),
        locks_(indices),
        polls_(indices + count) {}

  selected run(bool blocking) {
    const not_abandoned here;
    transfer t;
    int taken = look_at_each(t);
    if (taken < 0) taken = look_at_all(blocking, t);
    if (taken < 0) return {-1, false};
    return woken_ ? after_wait(taken) : finish(taken, t);
  }

 private:
  static constexpr int k_canceled = -2;

  channel_core* channel(std::uint32_t i) const noexcept { return operations_[i].channel; }

  // Most selects: a case is ready, and nobody wants anything of this fiber. Each is looked at with its lock alone, in
  // the drawn order, so that of k that are ready each is found with 1/k. -1 if that does not settle it.
  int look_at_each(transfer& t) noexcept {
    const section in;
    const worker* m = in.here();
    if (m == nullptr || anything_asked(*m)) return -1;
    const int taken = first_in_drawn_order(m, [&](const select_operation& o) {
      if (!may_begin(o)) return false;  // as it seems: look_at_all looks again
      const std::lock_guard hold(o.channel->lock);
      return begin(o, t) && note_over(o, t);
    });
    if (over_) end_bytes(in.here(), t);
    return taken;
  }

  // The case taken, -1 if none is ready and it does not block.
  [[gnu::noinline]] int look_at_all(bool blocking, transfer& t) {
    fiber* self = current_fiber();
    order_locks();
    if (used_ == 0) {
      throw_if_canceled(self);
      if (blocking) block_for_ever(nullptr, wait_reason::select_empty);
      return -1;
    }
    heed_attention();
    const channel_core* own = own_done(self->bound);
    int taken = k_canceled;
    {
      section in;
      lock_all();
      const bool lists_own_done = derives_here(self, own);
      if (!lists_own_done && cancel_pending(self)) {
        unlock_all();
      } else if (taken = first_under_locks(in.here(), t); taken < 0 && blocking) {
        taken = wait(in, self, lists_own_done);
        woken_ = true;
      } else {
        unlock_all();
        if (over_) end_bytes(in.here(), t);
      }
    }
    if (taken == k_canceled) throw_canceled(self);
    return taken;
  }

  int first_under_locks(const worker* here, transfer& t) noexcept {
    const auto take = [&](const select_operation& o) { return may_begin(o) && begin(o, t) && note_over(o, t); };
    return drawn_ ? first_in_same_order(take) : first_in_drawn_order(here, take);
  }

  // With the lock held, for afterwards a peer may drop the channel.
  bool note_over(const select_operation& o, const transfer& t) noexcept {
    over_ = !t.closed && only_bytes(*o.channel);
    return true;
  }

  // The first case that `take` takes, in the order of the look before, which found none: it was drawn whole, by chance
  // alone, so it serves once more.
  template <class Take>
  int first_in_same_order(Take take) noexcept {
    for (std::uint32_t i = 0; i < count_; ++i)
      if (const std::uint32_t at = polls_[i]; channel(at) != nullptr && take(operations_[at]))
        return static_cast<int>(at);
    return -1;
  }
  // In the section: the same in an order that is drawn as far as need be.
  template <class Take>
  int first_in_drawn_order(const worker* here, Take take) noexcept {
    std::iota(polls_, polls_ + count_, 0);
    random_source& random = draw(here);
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
      // The bounds of a few draws, multiplied, are far below 2^32: then one number serves them all.
      if (i == 0 || count_ > k_on_stack) bits = random.next();
      const std::uint64_t product = std::uint64_t{bits} * (count_ - i);
      bits = static_cast<std::uint32_t>(product);
      const std::uint32_t at = std::exchange(polls_[i + (product >> 32)], polls_[i]);
      if (channel(at) != nullptr && take(operations_[at])) return static_cast<int>(at);
      polls_[i] = at;
    }
    drawn_ = true;
    return -1;
  }

  // Not inlined: gcc would warn of what std::sort does to arrays longer than one it sees.
  [[gnu::noinline]] void order_locks() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i)
      if (channel(i) != nullptr) locks_[used_++] = i;
    std::sort(locks_, locks_ + used_,
              [this](std::uint32_t a, std::uint32_t b) { return std::less<>{}(channel(a), channel(b)); });
  }
  // In the section: the processor's, or one of this select's own.
  random_source& draw(const worker* here) noexcept {
    processor* const p = processor_of(here);
    if (p != nullptr) return p->random;
    static atomic<std::uint64_t> seeds{0};
    own_ = random_source(arch::cycle_clock() + seeds.fetch_add(0x9e3779b9, relaxed));
    return own_;
  }

  template <class Visit>
  void each_channel(Visit visit) noexcept {
    channel_core* last = nullptr;
    for (std::uint32_t i = 0; i < used_; ++i) {
      channel_core* c = channel(locks_[i]);
      if (c != last) visit(*c);
      last = c;
    }
  }
  void lock_all() noexcept {
    each_channel([](channel_core& c) { c.lock.lock(); });
  }
  void unlock_all() noexcept {
    each_channel([](channel_core& c) { c.lock.unlock(); });
  }

  // Whether a case receives from done() of the fiber's bound context or of one derived from it.
  bool derives_here(const fiber* self, const channel_core* own) const noexcept {
    if (self->bound == nullptr) return false;
    const cancel_node* bound = canceler_of(self->bound);
    for (std::uint32_t i = 0; i < used_; ++i) {
      const select_operation& o = operations_[locks_[i]];
      if (o.sends) continue;
      if (o.channel == own || (o.channel->done_of != nullptr && derives_from(o.channel->done_of, bound))) return true;
    }
    return false;
  }

  static bool may_begin(const select_operation& o) noexcept {
    return o.sends ? may_send(*o.channel) : may_receive(*o.channel);
  }
  static bool begin(const select_operation& o, transfer& t) noexcept {
    return o.sends ? begin_send(*o.channel, o.payload, t) : begin_receive(*o.channel, o.payload, t);
  }
  // With all locks; gives the reason, or k_canceled.
  int wait(section& in, fiber* self, bool unflagged) noexcept {
    wait_scope scope(nullptr);
    std::uint32_t generation = 0;
    if (unflagged) {
      // The listed done() tells of the context. The end of the run may still end the wait, but not within a shield.
      const begun_wait begun = begin_wait(self, shielded(self) ? wait_mode::quiet : wait_mode::at_end);
      if (begun.canceled) {
        unlock_all();
        return k_canceled;
      }
      generation = begun.generation;
    } else if (!scope.begin(self, generation)) {
      unlock_all();
      return k_canceled;
    }
    for (std::uint32_t i = 0; i < used_; ++i) {
      const std::uint32_t at = locks_[i];
      wait_node& n = *::new (nodes_ + i) wait_node;
      n.waiter = self;
      n.generation = generation;
      n.tag = at << 1;
      n.payload = operations_[at].payload;
      enqueue(queue(at), n);
    }
    if (self->role != bubble_role::outside) [[unlikely]]
      note_bubble(self);
    unlock_all();
    const std::uint32_t why = park(in, self, wait_reason::select);
    const bool canceled = why == wait_word::k_canceled;
    for (std::uint32_t i = 0; i < used_; ++i) {
      const std::uint32_t at = locks_[i];
      if (at == why >> 1 && !canceled) continue;  // whoever woke it took this node out first
      const std::lock_guard hold(channel(at)->lock);
      leave(queue(at), nodes_[i]);
    }
    return canceled ? k_canceled : static_cast<int>(why);
  }
  // The wait is the bubble's own if all channels are.
  void note_bubble(fiber* self) noexcept {
    const std::uint16_t tag = bubble_tag_here();
    self->waits_on = tag;
    each_channel([&](const channel_core& c) {
      if (c.bubble != tag) self->waits_on = 0;
    });
  }
  wait_nodes& queue(std::uint32_t i) const noexcept {
    channel_core* const c = channel(i);
    if (c == nullptr) __builtin_unreachable();  // order_locks has left such cases out
    return operations_[i].sends ? c->senders : c->receivers;
  }

  selected after_wait(int why) const {
    const int index = why >> 1;
    const bool closed = (static_cast<std::uint32_t>(why) & k_closed) != 0;
    if (closed && operations_[index].sends) detail::throw_closed("send");
    return {index, !closed};
  }
  selected finish(int index, transfer& t) const {
    const select_operation& o = operations_[index];
    if (t.closed) {
      if (o.sends) detail::throw_closed("send");
      return {index, false};
    }
    if (!over_) o.sends ? end_send(*o.channel, o.payload, t) : end_receive(*o.channel, o.payload, t);
    return {index, true};
  }

  select_operation* operations_;
  std::uint32_t count_;
  wait_node* nodes_;
  std::uint32_t* locks_;  // indices of the cases that have a channel, in the order of its address
  std::uint32_t* polls_;  // indices, of which the order is drawn
  std::uint32_t used_ = 0;
  bool drawn_ = false;  // all of polls_
  bool over_ = false;   // nothing is left to be done
  bool woken_ = false;  // it has waited
  random_source own_{0};
};

}  // namespace
}  // namespace weft::runtime

namespace weft::detail {

selected select_core(select_operation* operations, std::size_t count, bool blocking) {
  using namespace runtime;
  if (count <= k_on_stack) {
    alignas(wait_node) std::array<std::byte, k_on_stack * sizeof(wait_node)> nodes;
    std::array<std::uint32_t, 2 * k_on_stack> indices;
    return selection(operations, count, nodes.data(), indices.data()).run(blocking);
  }
  std::vector<wait_node> nodes(count);
  std::vector<std::uint32_t> indices(2 * count);
  return selection(operations, count, nodes.data(), indices.data()).run(blocking);
}

kept_case::~kept_case() = default;

}  // namespace weft::detail

namespace weft {

int select(std::span<select_case> cases) {
  std::vector<detail::select_operation> operations;
  operations.reserve(cases.size());
  int otherwise = -1;
  for (const select_case& c : cases) {
    if (c.kept().is_default) otherwise = static_cast<int>(operations.size());
    operations.push_back(c.kept().operation());
  }
  detail::selected s = detail::select_core(operations.data(), operations.size(), otherwise < 0);
  if (s.index < 0) s.index = otherwise;
  cases[static_cast<std::size_t>(s.index)].kept().finish(s.received);
  return s.index;
}

}  // namespace weft
