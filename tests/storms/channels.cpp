// Channels and selects: unique numbers go in, the same come out.
#include <list>
#include <vector>

#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {
namespace {

// What was seen of the numbers 0 … n - 1.
class seen_once {
 public:
  explicit seen_once(long n) : seen_(static_cast<std::size_t>(n)) {}
  void operator()(long i) { seen_[static_cast<std::size_t>(i)].fetch_add(1, std::memory_order_relaxed); }
  long count() const {
    long n = 0;
    for (const auto& s : seen_) n += s == 1;
    return n;
  }

 private:
  std::vector<std::atomic<unsigned char>> seen_;
};

// Sends `i` to one of two random channels, now and then after a select that came to nothing.
void storm_send(const std::vector<chan<long>>& channels, test::random& chance, long i) {
  const auto size = static_cast<unsigned>(channels.size());
  for (;;) {
    const chan<long>& a = channels[chance.below(size)];
    const chan<long>& b = channels[chance.below(size)];
    switch (chance.below(4)) {
      case 0:
        if (select(send(a, i), send(b, i), otherwise()) != 2) return;
        this_fiber::yield();
        break;
      case 1:
        if (select(send(a, i), send(b, i), after(1us)) != 2) return;
        break;
      case 2: {
        auto scope = with_timeout(background(), 1us);
        if (select(send(a, i), scope.ctx.done(), send(b, i)) != 1) return;
        break;
      }
      default:
        select(send(a, i), send(b, i));
        return;
    }
  }
}

void storm_receive(const std::vector<chan<long>>& channels, const context& stop, test::random& chance,
                   seen_once& seen) {
  const auto size = static_cast<unsigned>(channels.size());
  const auto take = [&](std::optional<long> v) { seen(*v); };
  std::vector<select_case> cases;
  for (const auto& c : channels) cases.emplace_back(recv(c, take));
  cases.emplace_back(stop.done());
  for (;;) {
    const chan<long>& a = channels[chance.below(size)];
    const chan<long>& b = channels[chance.below(size)];
    if (chance.below(2) == 0) {
      if (select(std::span(cases)) == static_cast<int>(size)) return;
    } else {
      if (select(recv(a, take), stop.done(), recv(b, take), recv(a, take), after(5us)) == 1) return;
    }
  }
}

}  // namespace

void many_to_many(expect& e, int capacity, int senders, int receivers, long each) {
  const chan<long> c{capacity};
  seen_once seen(senders * each);
  wait_group sending, receiving;
  for (long s = 0; s < senders; ++s)
    sending.go([&, s] {
      for (long i = 0; i < each; ++i) c.send(s * each + i);
    });
  for (int r = 0; r < receivers; ++r)
    receiving.go([&] {
      for (const long v : c) seen(v);
    });
  sending.wait();
  c.close();
  receiving.wait();
  e.equal(seen.count(), senders * each);
}

void fibers_and_threads(expect& e, long each) {
  const chan<long> c{2};
  seen_once seen(4 * each);
  wait_group sending, receiving;
  const auto send_all = [&](long s) {
    for (long i = 0; i < each; ++i) c.send(s * each + i);
  };
  const auto receive_all = [&] {
    for (const long v : c) seen(v);
  };
  for (long s = 0; s < 2; ++s) sending.go([&, s] { send_all(s); });
  for (int r = 0; r < 2; ++r) receiving.go(receive_all);
  std::list<test::foreign> senders, receivers;
  for (long s = 2; s < 4; ++s) senders.emplace_back([&, s] { send_all(s); });
  receivers.emplace_back(receive_all);
  for (auto& s : senders) s.join();
  sending.wait();
  c.close();
  receiving.wait();
  receivers.clear();
  e.equal(seen.count(), 4 * each);
}

void selects(expect& e, int capacity, long each, std::uint64_t seed) {
  constexpr long k_senders = 8;
  auto [stop, end] = with_cancel(background());
  const context& over = stop;
  std::vector<chan<long>> channels;
  for (int i = 0; i < 5; ++i) channels.emplace_back(capacity);
  seen_once seen(k_senders * each);
  wait_group sending, receiving;
  for (long s = 0; s < k_senders; ++s)
    sending.go([&, s] {
      test::random chance(seed + static_cast<std::uint64_t>(s));
      for (long i = 0; i < each; ++i) storm_send(channels, chance, s * each + i);
    });
  for (std::uint64_t r = 0; r < 8; ++r)
    receiving.go([&, r] {
      test::random chance(seed + 100 + r);
      storm_receive(channels, over, chance, seen);
    });
  sending.wait();
  for (const auto& c : channels)
    while (c.len() > 0) this_fiber::yield();
  end();
  receiving.wait();
  e.equal(seen.count(), k_senders * each);
}

}  // namespace test::storm
