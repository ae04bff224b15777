// once, once_value.
#include <stdexcept>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("once: runs one function, however many call") {
  in_fiber({1, 2, 4}, [](expect& e) {
    once o;
    int runs = 0;  // written once, seen by all
    std::vector<task<void>> all;
    for (int i = 0; i < 50; ++i)
      all.push_back(spawn([&] {
        o.call([&] {
          this_fiber::yield();
          ++runs;
        });
        e.equal(runs, 1);
      }));
    for (auto& t : all) t.join();
    o.call([&] { ++runs; });
    e.equal(runs, 1);
  });
}

TEST_CASE("once: an exception leaves it uncalled, and one that waited runs instead") {
  in_fiber([](expect& e) {
    once o;
    const chan<void> inside, go_on;
    bool second_ran = false;
    auto first = spawn([&] {
      o.call([&] {
        inside.send();
        (void)go_on.recv();
        throw std::runtime_error("not this time");
      });
    });
    (void)inside.recv();
    auto second = spawn([&] { o.call([&] { second_ran = true; }); });
    test::settle();
    e(!second_ran);
    go_on.send();
    e.throws<std::runtime_error>([&] { first.join(); });
    second.join();
    e(second_ran);
    o.call([&] { e(false); });
  });
}

TEST_CASE("once: one whose caller is cancelled inside stays uncalled") {
  in_fiber([](expect& e) {
    once o;
    auto t = spawn([&] { o.call([] { this_fiber::sleep_for(1h); }); });
    test::settle();
    t.cancel();
    e.throws<canceled>([&] { t.join(); });
    int runs = 0;
    o.call([&] { ++runs; });
    e.equal(runs, 1);
  });
}

TEST_CASE("once: waiting for the one that runs is no cancellation point") {
  in_fiber([](expect& e) {
    once o;
    const chan<void> inside, go_on;
    auto first = spawn([&] {
      o.call([&] {
        inside.send();
        (void)go_on.recv();
      });
    });
    (void)inside.recv();
    bool returned = false;
    auto second = spawn([&] {
      o.call([] {});
      returned = true;
    });
    test::settle();
    second.cancel();
    e(select(second.done(), after(2ms)) == 1);
    go_on.send();
    first.join();
    second.join();
    e(returned);
  });
}

TEST_CASE("once_value: makes its value at the first call and keeps it") {
  in_fiber([](expect& e) {
    test::tally captured;
    int made = 0;
    once_value value([&made, c = std::make_shared<test::counted>(captured)] {
      if (++made == 1) throw std::runtime_error("not this time");
      return std::string("kept");
    });
    e.throws<std::runtime_error>([&] { value(); });
    std::vector<task<const std::string*>> all;
    for (int i = 0; i < 10; ++i) all.push_back(spawn([&] { return &value(); }));
    for (auto& t : all) e(t.join() == &value());
    e.equal(value(), std::string("kept"));
    e.equal(made, 2);
    e.equal(captured.alive(), 0L);
  });
}
