// Locks by many fibers and threads, some of which give up.
#include <deque>
#include <mutex>
#include <shared_mutex>

#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {

void guarded::write(expect& e) {
  if (++writers != 1 || readers != 0) e(false);
  ++plain;
  --writers;
}

long guarded::read(expect& e) {
  ++readers;
  if (writers != 0) e(false);
  const long seen = plain;
  --readers;
  return seen;
}

void semaphore_units(expect& e, long each, std::uint64_t seed_of_all) {
  constexpr std::int64_t k_total = 7;
  semaphore s(k_total);
  std::atomic<std::int64_t> held{0};
  std::atomic<long> had{0};
  const auto storm = [&](std::uint64_t seed, bool foreign) {
    test::random chance(seed);
    for (long i = 0; i < each; ++i) {
      const std::int64_t n = chance.below(50) == 0 ? k_total : chance.below(4);
      switch (chance.below(4)) {
        case 0:
          if (!s.try_acquire(n)) continue;
          break;
        case 1: {
          auto timed = with_timeout(background(), std::chrono::nanoseconds(chance.below(10'000)));
          if (!s.acquire(timed, n)) continue;
          break;
        }
        default:
          s.acquire(n);
      }
      if (held.fetch_add(n) + n > k_total) e(false);
      if (chance.below(4) == 0 && !foreign) this_fiber::yield();
      held -= n;
      ++had;
      s.release(n);
    }
  };
  wait_group all;
  for (std::uint64_t i = 1; i <= 8; ++i) all.go([&, i] { storm(seed_of_all + i, false); });
  test::foreign thread([&] { storm(seed_of_all + 99, true); });
  all.wait();
  thread.join();
  e(had > 0);
  e(s.try_acquire(k_total));
  e(!s.try_acquire());
}

void readers_and_writers(expect& e, long each, std::uint64_t seed) {
  guarded g;
  std::atomic<long> writes{0};
  wait_group all;
  for (std::uint64_t fiber = 1; fiber <= 12; ++fiber)
    all.go([&, fiber] {
      test::random chance(seed + fiber);
      for (long i = 0; i < each; ++i) {
        const bool writing = chance.below(3) == 0;
        switch (chance.below(3)) {
          case 0:
            if (!(writing ? g.m.try_lock() : g.m.try_lock_shared())) continue;
            break;
          case 1: {
            auto timed = with_timeout(background(), std::chrono::nanoseconds(chance.below(10'000)));
            if (!(writing ? g.m.lock(timed) : g.m.lock_shared(timed))) continue;
            break;
          }
          default:
            if (writing)
              g.m.lock();
            else
              g.m.lock_shared();
        }
        const bool pause = chance.below(4) == 0;
        if (writing) {
          g.write(e);
          if (pause) this_fiber::yield();
          ++writes;
          g.m.unlock();
        } else {
          const long before = g.read(e);
          if (pause) this_fiber::yield();
          if (g.read(e) != before) e(false);
          g.m.unlock_shared();
        }
      }
    });
  all.wait();
  e.equal(g.plain, writes.load());
  e(g.m.try_lock());
  g.m.unlock();
}

void bounded_queue(expect& e, long each) {
  mutex m;
  condition_variable not_empty, not_full;
  std::deque<long> queue;
  long taken = 0, sum = 0;
  const auto produce = [&] {
    for (long i = 1; i <= each; ++i) {
      std::unique_lock lock(m);
      not_full.wait(lock, [&] { return queue.size() < 3; });
      queue.push_back(i);
      not_empty.notify_one();
    }
  };
  const auto consume = [&] {
    for (long i = 0; i < each; ++i) {
      std::unique_lock lock(m);
      not_empty.wait(lock, [&] { return !queue.empty(); });
      sum += queue.front();
      queue.pop_front();
      ++taken;
      not_full.notify_one();
    }
  };
  wait_group all;
  for (int i = 0; i < 4; ++i) {
    all.go(produce);
    all.go(consume);
  }
  test::foreign producer(produce), consumer(consume);
  all.wait();
  producer.join();
  consumer.join();
  e.equal(taken, 5 * each);
  e.equal(sum, 5 * (each * (each + 1) / 2));
}

}  // namespace test::storm
