// select: which operations are ready on which channels, and what a select leaves behind.
#include "tests/support/support.hpp"
#include "tests/support/waiting.hpp"

using namespace weft;
using test::await_waiting;
using test::expect;
using test::in_fiber;

namespace {

chan<int> filled(int capacity, int values) {
  const chan<int> c{capacity};
  for (int i = 0; i < values; ++i) c.send(i);
  return c;
}
chan<int> closed(const chan<int>& c) {
  c.close();
  return c;
}

bool can_receive(const chan<int>& c) { return select(recv(c), otherwise()) == 0; }
bool can_send(const chan<int>& c) { return select(send(c, 1), otherwise()) == 0; }

}  // namespace

TEST_CASE("select: which operations are ready, on nil, empty, full and closed channels") {
  in_fiber([](expect& e) {
    const chan<int> nil = nullptr;
    e(!can_receive(nil));
    e(!can_send(nil));
    e(!can_receive(chan<int>()));
    e(!can_send(chan<int>()));
    e(!can_receive(filled(2, 0)));
    e(can_send(filled(2, 0)));
    e(can_receive(filled(2, 1)));
    e(can_send(filled(2, 1)));
    e(can_receive(filled(2, 2)));
    e(!can_send(filled(2, 2)));
    e(can_receive(closed(chan<int>())));
    e(can_receive(closed(filled(2, 1))));
    e.throws<std::logic_error>([] { can_send(closed(chan<int>())); });
    e.throws<std::logic_error>([] { can_send(closed(filled(2, 1))); });
  });
}

TEST_CASE("select: the same operations block, or not, without otherwise") {
  in_fiber([](expect& e) {
    const chan<int> nil = nullptr;
    const auto receives = [](const chan<int>& c) { return spawn([c] { select(recv(c)); }); };
    const auto sends = [](const chan<int>& c) { return spawn([c] { select(send(c, 1)); }); };
    std::vector<task<void>> blocked, through;
    for (const chan<int>& c : {nil, chan<int>(), filled(2, 0)}) blocked.push_back(receives(c));
    for (const chan<int>& c : {nil, chan<int>(), filled(2, 2)}) blocked.push_back(sends(c));
    for (const chan<int>& c : {filled(2, 1), filled(2, 2), closed(chan<int>())}) through.push_back(receives(c));
    for (const chan<int>& c : {filled(2, 0), filled(2, 1)}) through.push_back(sends(c));
    for (auto& t : through) t.join();
    test::settle();
    for (auto& t : blocked) e.equal(select(t.done(), otherwise()), 1);
    for (auto& t : blocked) {
      t.cancel();
      e.throws<canceled>([&] { t.join(); });
    }
  });
}

TEST_CASE("select: operands are evaluated once each, also those of the cases that are not taken") {
  in_fiber([](expect& e) {
    const chan<int> ready{1}, nobody;
    std::vector<int> evaluated(4);
    const auto channel = [&](std::size_t i, const chan<int>& c) {
      ++evaluated[i];
      return c;
    };
    const auto value = [&](std::size_t i) { return ++evaluated[i]; };
    e.equal(select(recv(channel(0, nobody)), send(channel(1, ready), value(2)), send(nobody, value(3))), 1);
    e(evaluated == std::vector{1, 1, 1, 1});
  });
}

TEST_CASE("select: only the case that is taken stores what it received") {
  in_fiber([](expect& e) {
    const chan<int> ready{2}, nobody;
    std::optional<int> taken = -1, other = -2;
    ready.send(5);
    e.equal(select(recv(nobody, other), recv(ready, taken)), 1);
    e.equal(taken, std::optional(5));
    e.equal(other, std::optional(-2));
    auto waiting = spawn([&] { return select(recv(nobody, other), recv(ready, taken)); });
    await_waiting("select", 1);
    ready.send(6);
    e.equal(waiting.join(), 1);
    e.equal(taken, std::optional(6));
    e.equal(other, std::optional(-2));
  });
}

TEST_CASE("select: on a buffered channel one may receive what it sent itself") {
  in_fiber([](expect& e) {
    const chan<int> c{10};
    long sent = 0, received = 0;
    for (int i = 0; i < 1000; ++i) select(send(c, i, [&] { ++sent; }), recv(c, [&] { ++received; }));
    e.equal(sent - received, static_cast<long>(c.len()));
    e.equal(sent + received, 1000);
    e(received > 0);
  });
}

// Listed there twice, in front of others, between them or behind them: none of them must be lost.
TEST_CASE("select: one that was served elsewhere has left every queue, wherever it stood in it") {
  in_fiber([](expect& e) {
    for (int before = 0; before < 3; ++before)
      for (int behind = 0; behind < 3; ++behind) {
        const chan<int> shared, elsewhere;
        std::vector<task<std::optional<int>>> others;
        const auto queue_up = [&](int n) {
          for (int i = 0; i < n; ++i) {
            others.push_back(spawn([shared] { return shared.recv(); }));
            await_waiting("channel receive", static_cast<long>(others.size()));
          }
        };
        queue_up(before);
        auto selecting = spawn([=] { return select(recv(shared), recv(shared), recv(elsewhere)); });
        await_waiting("select", 1);
        queue_up(behind);
        elsewhere.send(7);
        e.equal(selecting.join(), 2);
        for (int i = 0; i < before + behind; ++i) shared.send(i);
        for (std::size_t i = 0; i < others.size(); ++i) e.equal(others[i].join(), std::optional(static_cast<int>(i)));
        e(!shared.try_send(9));
      }
  });
}

TEST_CASE("select: one whose wait was cancelled takes nothing afterwards, from senders or receivers") {
  in_fiber([](expect& e) {
    const chan<int> in, out;
    auto selecting = spawn([=] { select(recv(in), send(out, 1)); });
    await_waiting("select", 1);
    selecting.cancel();
    e.throws<canceled>([&] { selecting.join(); });
    e(!in.try_send(1));
    e(error_of(out.try_recv()) == errc::would_block);
  });
}
