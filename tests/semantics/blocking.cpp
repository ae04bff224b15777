// blocking: the thread blocks, the processor does not.
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

namespace {

class pipe_pair {
 public:
  pipe_pair() {
    if (::pipe(ends_.data()) != 0) throw std::runtime_error("pipe");
  }
  ~pipe_pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  char read() const {
    char c = 0;
    return ::read(ends_[0], &c, 1) == 1 ? c : '\0';
  }
  void write(char c) const { static_cast<void>(!::write(ends_[1], &c, 1)); }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("blocking: others run meanwhile, on the only processor too") {
  in_fiber({1, 2}, [](expect& e) {
    const pipe_pair to, fro;
    auto echo = spawn([&] {
      for (int i = 0; i < 20; ++i) fro.write(blocking([&] { return to.read(); }));
    });
    for (int i = 0; i < 20; ++i) {
      to.write(static_cast<char>('a' + i));
      e.equal(blocking([&] { return fro.read(); }), static_cast<char>('a' + i));
    }
    echo.join();
  });
}

TEST_CASE("blocking: many more calls at once than processors") {
  in_fiber({1, 2}, [](expect& e) {
    constexpr int k_fibers = 30;
    std::vector<pipe_pair> pipes(k_fibers);
    std::vector<task<char>> all;
    for (int i = 0; i < k_fibers; ++i)
      all.push_back(spawn([&, i] { return blocking([&] { return pipes[static_cast<std::size_t>(i)].read(); }); }));
    test::settle();
    for (const pipe_pair& p : pipes) p.write('x');
    for (auto& t : all) e.equal(t.join(), 'x');
  });
}

TEST_CASE("blocking: gives the value, lets exceptions through, nests") {
  in_fiber([](expect& e) {
    e.equal(blocking([] { return 7; }), 7);
    e.throws<std::runtime_error>([] { blocking([] { throw std::runtime_error("out"); }); });
    const pipe_pair to;
    auto writer = spawn([&] { to.write('n'); });
    e.equal(blocking([&] {
              blocking([] {});
              return to.read();
            }),
            'n');
    writer.join();
  });
}

TEST_CASE("blocking: weft calls inside work, those that park too") {
  in_fiber({1, 2}, [](expect& e) {
    const chan<int> there, back;
    auto peer = spawn([=] { back.send(*there.recv() + 1); });
    const int got = blocking([&] {
      there.send(1);
      return *back.recv();
    });
    e.equal(got, 2);
    peer.join();
    const chan<int> room{1};
    e(blocking([&] { return room.try_send(1); }));
  });
}

TEST_CASE("blocking: a short call keeps its processor and its place") {
  in_fiber({1}, [](expect& e) {
    int turns = 0;
    go([&] { ++turns; });
    for (int i = 0; i < 1000; ++i) blocking([] {});
    e(turns <= 1);  // at most the monitor's doing
    this_fiber::yield();
    e.equal(turns, 1);
  });
}

TEST_CASE("blocking: a cancel leaves the call alone; the next point throws") {
  in_fiber({1, 2}, [](expect& e) {
    const pipe_pair to;
    char got = 0;
    auto t = spawn([&] {
      got = blocking([&] { return to.read(); });
      this_fiber::poll();
    });
    test::settle();
    t.cancel();
    to.write('k');
    e.throws<canceled>([&] { t.join(); });
    e(got == 'k' || got == 0);  // 0: cancelled before it began
  });
}

TEST_CASE("blocking: on a foreign thread it is just the call") {
  int got = 0;
  std::thread([&] { got = blocking([] { return 3; }); }).join();
  CHECK(got == 3);
}
