// What one fiber wrote is seen by the other that may rely on it. Each case reads plain data: where the order is missing
// ThreadSanitizer says so.
#include <atomic>
#include <stop_token>
#include <thread>
#include <weft/synctest.hpp>

#include "tests/support/preemption.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using namespace std::chrono_literals;
using test::expect;

namespace {

// Runs `round(expect&, i)` again and again, on several processors; `spin` there lets it meet the others anywhere.
template <class F>
void again_and_again(F&& round) {
  test::in_fiber({2, 4}, [&](expect& e) {
    const long rounds = test::scale(30'000);
    for (long i = 0; i < rounds; ++i) round(e, i);
  });
}

test::random& chance() {
  static test::random r(1);
  return r;
}

}  // namespace

TEST_CASE("visibility: what after_func's function did is done when its handle is gone") {
  again_and_again([](expect& e, long i) {
    long written = 0;
    auto [ctx, cancel] = with_cancel(background());
    {
      const stop_func stop = after_func(ctx, [&] { written = i + 1; });
      cancel();
      test::spin(chance().below(4'000));
    }
    e.equal(written, i + 1);
  });
}

TEST_CASE("visibility: a timer's function may return while the handle is dropped") {
  again_and_again([](expect& e, long i) {
    const chan<long> ran{1};
    {
      const timer t = after_func(0ms, [ran, i, large = std::array<long, 20>{}]() mutable {
        large[static_cast<std::size_t>(i) % 20] = i;
        ran.send(large[static_cast<std::size_t>(i) % 20]);
      });
      e.equal(ran.recv(), std::optional(i));
      test::spin(chance().below(2'000));
    }
  });
}

TEST_CASE("visibility: several ask a task for its done channel at once") {
  again_and_again([](expect& e, long i) {
    long written = 0;
    auto t = spawn([&] {
      test::spin(500);
      written = i + 1;
    });
    wait_group all;
    std::array<long, 3> seen{};
    for (long& s : seen)
      all.go([&] {
        t.done().recv();
        s = written;
      });
    all.wait();
    for (const long s : seen) e.equal(s, i + 1);
    t.join();
  });
}

TEST_CASE("visibility: whoever drops the last context below a value destroys it as all others left it") {
  struct shared {
    explicit shared(std::array<long, 3>* where) : where(where) {}
    shared(shared&& other) noexcept : where(std::exchange(other.where, nullptr)) {}
    ~shared() {
      if (where != nullptr) *where = written;
    }
    std::array<long, 3>* where;
    mutable std::array<long, 3> written{};
  };
  struct key {
    using type = shared;
  };
  again_and_again([](expect& e, long i) {
    std::array<long, 3> at_end{};
    {
      wait_group all;
      context top = with_value<key>(background(), shared(&at_end));
      for (std::size_t n = 0; n < 3; ++n)
        all.go([n, i, child = with_cancel(top)]() mutable {
          child.ctx.value<key>()->written[n] = i + 1;
          test::spin(100);
        });
      top = background();
      all.wait();
    }
    for (const long w : at_end) e.equal(w, i + 1);
  });
}

TEST_CASE("visibility: a task's join meets others that let go of its context") {
  again_and_again([](expect& e, long) {
    const chan<context> given{1};
    const chan<bool> asked{1};
    auto t = spawn([=] { given.send(this_fiber::context()); });
    go([=] {
      auto ctx = given.recv();
      const std::stop_token token = ctx->stop_token();
      ctx.reset();
      asked.send(token.stop_possible());
    });
    test::spin(chance().below(4'000));
    t.join();
    e.equal(asked.recv(), std::optional(true));
  });
}

TEST_CASE("visibility: a stop callback and the last handle let go of a context at once") {
  again_and_again([](expect& e, long) {
    std::stop_source source;
    context ctx = with_stop_token(background(), source.get_token());
    wait_group all;
    all.go([&] { source.request_stop(); });
    test::spin(chance().below(4'000));
    const std::error_code code = ctx.err();
    e(!code || ctx.cause() != nullptr);
    ctx = background();
    all.wait();
  });
}

TEST_CASE("visibility: what was written under a spin_lock is seen by who gets it by try_lock") {
  test::in_fiber({2, 4}, [](expect& e) {
    const long rounds = test::scale(100'000);
    spin_lock lock;
    long written = 0;
    wait_group all;
    for (int n = 0; n < 3; ++n)
      all.go([&] {
        for (long i = 0; i < rounds; ++i) {
          while (!lock.try_lock()) this_fiber::yield();
          ++written;
          lock.unlock();
        }
      });
    all.wait();
    e.equal(written, 3 * rounds);
  });
}

TEST_CASE("visibility: a foreign thread that sets timers has left a run before that is taken down") {
  std::atomic<bool> over{false};
  std::atomic<long> made{0};
  std::thread outside([&] {
    while (!over) {
      const timer t(1h);
      ++made;
    }
  });
  const long rounds = test::scale(200);
  for (long i = 0; i < rounds; ++i) run(test::on(2), [] { this_fiber::yield(); });
  over = true;
  outside.join();
  CHECK(made > 0);
}

TEST_CASE("visibility: a bubble's wait returns with all that the others did before they blocked") {
  test::in_fiber({2, 4}, [](expect& e) {
    synctest::bubble([&] {
      constexpr int k_fibers = 6;
      struct {
        long steps = 0;
        chan<void> next;
      } each[k_fibers];
      const long rounds = test::scale(20'000);
      wait_group ended;
      for (auto& mine : each)
        ended.go([&mine] {
          while (mine.next.recv()) ++mine.steps;
        });
      for (long i = 0; i < rounds; ++i) {
        for (const auto& other : each) other.next.send();
        synctest::wait();
        for (const auto& other : each) e.equal(other.steps, i + 1);
      }
      for (const auto& other : each) other.next.close();
      ended.wait();
    });
  });
}
