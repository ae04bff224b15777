// Sender, timer and cancel go for the same waiter. The sender sends 0, 1, 2 … and takes the next number only when the
// last was sent; the receiver must see exactly that row.
#include <list>

#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {
namespace {

using number = std::uint64_t;

struct lane {
  chan<number> numbers;
  chan<cancel_func> cancels{4};  // what the canceller shall cancel, by whoever waits
  context stop;                  // the end of the test
  unsigned longest = 4000;       // deadline of a wait, ns
  number sent = 0, received = 0;
  long cancelled = 0, timed_out = 0;
};

// A context that won't live long.
cancelable doomed(const lane& l, test::random& chance) {
  return with_timeout(l.stop, std::chrono::nanoseconds(chance.below(l.longest)));
}

void send_numbers(lane& l, std::uint64_t seed) {
  test::random chance(seed);
  while (!l.stop.err()) {
    if (chance.below(4) != 0) {
      if (l.numbers.send(l.stop, l.sent)) ++l.sent;
      continue;
    }
    auto scope = doomed(l, chance);
    if (l.numbers.send(scope, l.sent)) ++l.sent;
  }
}

template <class Receive>
void receive_numbers(expect& e, lane& l, long waits, std::uint64_t seed, Receive receive) {
  test::random chance(seed);
  for (long i = 0; i < waits; ++i) {
    auto scope = doomed(l, chance);
    const context ctx = scope;
    l.cancels.send(std::move(scope.cancel));
    const result<number> got = receive(l, ctx);
    if (got) {
      if (*got != l.received) e.equal(*got, l.received);
      ++l.received;
    } else if (got.error() == errc::canceled) {
      ++l.cancelled;
    } else {
      e.equal(got.error().message(), make_error_code(errc::deadline_exceeded).message());
      ++l.timed_out;
    }
  }
}

void cancel_all(lane& l, std::uint64_t seed) {
  test::random chance(seed);
  for (cancel_func cancel : l.cancels) {
    for (unsigned spin = chance.below(64); spin > 0; --spin) this_fiber::poll();
    if (chance.below(8) == 0) this_fiber::yield();
    cancel();
  }
}

result<number> receive(const lane& l, const context& ctx) { return l.numbers.recv(ctx); }

result<number> select_receive(const lane& l, const context& ctx) {
  static const chan<number> never;
  std::optional<number> got;
  switch (select(recv(l.numbers, got), recv(never), ctx.done())) {
    case 0:
      return *got;
    default:
      return std::unexpected(ctx.err());
  }
}

result<number> bound_receive(const lane& l, const context& ctx) {
  const bind_scope bound(ctx);
  try {
    return *l.numbers.recv();
  } catch (const canceled& c) {
    return std::unexpected(c.code());
  }
}

}  // namespace

race_result race_waits(expect& e, wait_by how, long lanes, long waits, std::uint64_t seed_of_all) {
  const auto receive_one = how == wait_by::receive ? receive : how == wait_by::select ? select_receive : bound_receive;
  auto [stop, end] = with_cancel(background());
  std::list<lane> all;
  wait_group receivers, others;
  for (long i = 0; i < lanes; ++i) {
    lane& l = all.emplace_back();
    l.stop = stop;
    const auto seed = seed_of_all + static_cast<std::uint64_t>(3 * i);
    others.go([&l, seed] { send_numbers(l, seed); });
    others.go([&l, seed] { cancel_all(l, seed + 1); });
    receivers.go([&, seed] {
      receive_numbers(e, l, waits / lanes + 1, seed + 2, receive_one);
      l.cancels.close();
    });
  }
  receivers.wait();
  end();
  others.wait();
  race_result sum;
  for (const lane& l : all) {
    e.equal(l.received, l.sent);
    e.equal(static_cast<long>(l.received) + l.cancelled + l.timed_out, waits / lanes + 1);
    sum.received += l.received, sum.cancelled += l.cancelled, sum.timed_out += l.timed_out;
  }
  return sum;
}

void race_foreign_cancels(expect& e, long waits, std::uint64_t seed) {
  auto [stop, end] = with_cancel(background());
  lane l;
  l.stop = stop;
  l.longest = 100'000;
  wait_group sender;
  sender.go([&] { send_numbers(l, seed); });
  const auto cancelling = [&l] {
    for (cancel_func cancel : l.cancels) cancel();
  };
  test::foreign one(cancelling), two(cancelling);
  receive_numbers(e, l, waits, seed + 1, receive);
  l.cancels.close();
  end();
  sender.wait();
  e.equal(l.received, l.sent);
  e.equal(static_cast<long>(l.received) + l.cancelled + l.timed_out, waits);
}

void mutex_deadlines(expect& e, long rounds, std::uint64_t seed) {
  mutex m;
  long inside = 0, total = 0;
  std::atomic<long> got{0};
  wait_group all;
  for (std::uint64_t i = 0; i < 8; ++i)
    all.go([&, i] {
      test::random chance(seed + i);
      for (long j = 0; j < rounds; ++j) {
        auto scope = with_timeout(background(), std::chrono::nanoseconds(chance.below(3000)));
        if (!m.lock(scope)) continue;
        if (++inside != 1) e(false);
        ++total;
        if (j % 16 == 0) this_fiber::yield();
        --inside;
        ++got;
        m.unlock();
      }
    });
  all.wait();
  e.equal(total, got.load());
  e(m.try_lock());
  m.unlock();
}

}  // namespace test::storm
