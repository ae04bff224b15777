// fiber_local.
#include <memory>
#include <stdexcept>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

test::tally values;
struct tallied {
  test::counted c{values};
  int number = 0;
};

}  // namespace

TEST_CASE("fiber_local: every fiber has its own, made at the first use") {
  in_fiber({1, 2, 4}, [](expect& e) {
    const fiber_local<int> number;
    const fiber_local<std::string> text;
    *number = -1;
    std::vector<task<void>> all;
    for (int i = 0; i < 20; ++i)
      all.push_back(spawn([&, i] {
        e.equal(*number, 0);
        e(text->empty());
        for (int j = 0; j < 10; ++j) {
          *number += i;
          *text += 'x';
          this_fiber::yield();
        }
        e.equal(*number, 10 * i);
        e.equal(text->size(), 10u);
      }));
    for (auto& t : all) t.join();
    e.equal(*number, -1);
  });
}

TEST_CASE("fiber_local: a reference stays good over waits and other uses") {
  in_fiber([](expect& e) {
    fiber_local<int> one, two, three;
    int& first = *one;
    first = 1;
    *two = 2;
    *three = 3;
    this_fiber::sleep_for(1ms);
    e(&*one == &first);
    e.equal(*one + *two * 10 + *three * 100, 321);
  });
}

TEST_CASE("fiber_local: the value goes at the fiber's end, on the fiber, after what its function captured") {
  in_fiber([](expect& e) {
    std::vector<std::string> order;
    fiber_id user{}, destroyer{};
    struct note_end {
      std::vector<std::string>* order = nullptr;
      fiber_id* where = nullptr;
      ~note_end() {
        if (order == nullptr) return;
        order->push_back("value");
        *where = this_fiber::id();
        this_fiber::yield();  // shielded
      }
    };
    const fiber_local<note_end> value;
    wait_group one;
    one.add(1);
    struct capture {
      std::vector<std::string>* order;
      explicit capture(std::vector<std::string>* o) : order(o) {}
      capture(capture&& o) noexcept : order(std::exchange(o.order, nullptr)) {}
      ~capture() {
        if (order != nullptr) order->push_back("capture");
      }
    };
    const chan<void> over;
    struct last {
      chan<void> over = nullptr;
      ~last() {
        if (over) over.close();
      }
    };
    const fiber_local<last> end;
    auto [ctx, cancel] = with_cancel(background());
    go(ctx, [&, c = capture(&order)] {
      end->over = over;  // used first, so destroyed last
      user = this_fiber::id();
      value->order = &order;
      value->where = &destroyer;
      one.done();
      this_fiber::sleep_for(1h);
    });
    one.wait();
    cancel();
    e(!over.recv());
    e(order == std::vector<std::string>{"capture", "value"});
    e(user == destroyer);
  });
}

TEST_CASE("fiber_local: values of all fibers are gone after the run, and of a thread after the thread") {
  const long before = values.alive();
  in_fiber([](expect& e) {
    const fiber_local<tallied> value;
    std::vector<task<int>> all;
    for (int i = 0; i < 50; ++i)
      all.push_back(spawn([&, i] {
        value->number = i;
        this_fiber::yield();
        return value->number;
      }));
    for (int i = 0; i < 50; ++i) e.equal(all[static_cast<std::size_t>(i)].join(), i);
    value->number = 1;
    std::thread([&] {
      value->number = 7;
      e.equal(value->number, 7);
    }).join();
    e.equal(value->number, 1);
  });
  CHECK(values.alive() == before);
}

TEST_CASE("fiber_local: a destructor may use fiber_locals, on fibers and threads") {
  static const fiber_local<std::unique_ptr<tallied>> inner;
  struct user {
    bool armed = false;
    ~user() {
      if (armed) *inner = std::make_unique<tallied>();
    }
  };
  static const fiber_local<user> outer;
  const long before = values.alive(), made = values.made;
  in_fiber({1}, [](expect& e) {
    outer->armed = true;
    std::thread([&] { outer->armed = true; }).join();
    spawn([&] { outer->armed = true; }).join();
    e(outer->armed);
  });
  CHECK(values.made == made + 3);
  CHECK(values.alive() == before);
}

TEST_CASE("fiber_local: one that is gone leaves its values alone, and a new one starts afresh") {
  const long before = values.alive();
  in_fiber([](expect& e) {
    auto t = spawn([&] {
      for (int i = 0; i < 10; ++i) {
        const auto short_lived = std::make_unique<fiber_local<tallied>>();
        e.equal((*short_lived)->number, 0);
        (*short_lived)->number = 1;
      }
    });
    t.join();
  });
  CHECK(values.alive() == before);
}

TEST_CASE("fiber_local: an exception of the constructor passes, and the next use tries again") {
  in_fiber([](expect& e) {
    struct reluctant {
      reluctant() {
        static std::atomic<int> tries{0};
        if (++tries % 2 == 1) throw std::runtime_error("not yet");
      }
      int number = 4;
    };
    const fiber_local<reluctant> value;
    e.throws<std::runtime_error>([&] { (void)*value; });
    e.equal(value->number, 4);
  });
}
