// wait_group.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("wait_group: wait returns when all are done, and at once when there are none") {
  in_fiber([](expect& e) {
    wait_group all;
    all.wait();
    std::atomic<int> ran{0};
    all.add(100);
    for (int i = 0; i < 100; ++i)
      go([&] {
        ++ran;
        all.done();
      });
    all.wait();
    e.equal(ran.load(), 100);
  });
}

TEST_CASE("wait_group: every waiter is woken") {
  in_fiber([](expect& e) {
    wait_group all;
    all.add(1);
    std::atomic<bool> over{false};
    std::vector<task<bool>> waiting;
    for (int i = 0; i < 20; ++i)
      waiting.push_back(spawn([&] {
        all.wait();
        return over.load();
      }));
    test::settle();
    over = true;
    all.done();
    for (auto& t : waiting) e(t.join());
  });
}

TEST_CASE("wait_group: go adds, runs and counts down") {
  in_fiber([](expect& e) {
    wait_group all;
    std::atomic<int> ran{0};
    for (int i = 0; i < 50; ++i) all.go([&] { ++ran; });
    auto [ctx, cancel] = with_cancel(background());
    for (int i = 0; i < 50; ++i)
      all.go(ctx, [&] {
        ++ran;
        this_fiber::sleep_for(1h);  // ended by cancel, and counted down all the same
      });
    while (ran < 100) this_fiber::yield();
    cancel();
    all.wait();
    e.equal(ran.load(), 100);
  });
}

TEST_CASE("wait_group: wait with a context") {
  in_fiber([](expect& e) {
    wait_group all;
    e(all.wait(background()).has_value());
    all.add(2);
    auto [ctx, cancel] = with_timeout(background(), 2ms);
    e(error_of(all.wait(ctx)) == errc::deadline_exceeded);
    all.add(-1);
    all.done();
    e(all.wait(background()).has_value());
  });
}

TEST_CASE("wait_group: below zero throws and says so") {
  in_fiber([](expect& e) {
    std::string text;
    wait_group all;
    try {
      all.add(-1);
    } catch (const std::logic_error& error) {
      text = error.what();
    }
    e(text.find("negative") != std::string::npos);
    wait_group other;
    e.throws<std::logic_error>([&] { other.done(); });
  });
}

TEST_CASE("wait_group: can be used again, round after round") {
  in_fiber([](expect& e) {
    wait_group all;
    std::atomic<int> ran{0};
    for (int round = 1; round <= 200; ++round) {
      for (int i = 0; i < 5; ++i) all.go([&] { ++ran; });
      all.wait();
      e.equal(ran.load(), round * 5);
    }
  });
}

TEST_CASE("wait_group: what was done before done is seen after wait") {
  in_fiber([](expect& e) {
    for (int i = 0; i < 200; ++i) {
      int plain = 0;
      wait_group one;
      one.add(1);
      go([&] {
        plain = i + 1;
        one.done();
      });
      one.wait();
      e.equal(plain, i + 1);
    }
  });
}
