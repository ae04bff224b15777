// select: every form a clause can have.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("select: a bare receiver is a clause, and the index says which was taken") {
  in_fiber([](expect& e) {
    const chan<int> a{1}, b{1};
    const recv_chan<int> view = b;
    a.send(1);
    e.equal(select(a, view), 0);
    b.send(2);
    e.equal(select(a, view), 1);
    e.equal(a.len() + b.len(), 0u);
  });
}

TEST_CASE("select: a body gets what was received, or nothing") {
  in_fiber([](expect& e) {
    const chan<int> a{1}, b;
    int got = 0, bodies = 0;
    a.send(5);
    e.equal(select(recv(a, [&](std::optional<int> v) { got = *v; }), recv(b, [&] { ++bodies; })), 0);
    e.equal(got, 5);
    a.send(6);
    e.equal(select(recv(b), recv(a, [&] { ++bodies; })), 1);
    e.equal(bodies, 1);
    e.equal(a.len(), 0u);
  });
}

TEST_CASE("select: into a variable") {
  in_fiber([](expect& e) {
    const chan<int> a{1};
    const chan<void> v{1};
    std::optional<int> into;
    bool flag = false;
    a.send(3);
    e.equal(select(recv(a, into), recv(v, flag)), 0);
    e.equal(into, std::optional(3));
    v.send();
    e.equal(select(recv(a, into), recv(v, flag)), 1);
    e(flag);
    a.close();
    e.equal(select(recv(a, into)), 0);
    e(!into);
  });
}

TEST_CASE("select: a closed channel is ready and gives nothing") {
  in_fiber([](expect& e) {
    const chan<int> a;
    const chan<void> v;
    a.close();
    v.close();
    bool had_value = true;
    select(recv(a, [&](std::optional<int> got) { had_value = got.has_value(); }));
    e(!had_value);
    bool flag = true;
    select(recv(v, [&](bool got) { flag = got; }));
    e(!flag);
  });
}

TEST_CASE("select: send clauses send, with and without a body") {
  in_fiber([](expect& e) {
    const chan<int> a{3};
    const chan<void> v{2};
    const int lvalue = 1;
    int bodies = 0;
    e.equal(select(send(a, lvalue)), 0);
    e.equal(select(send(a, 2, [&] { ++bodies; })), 0);
    e.equal(select(send(a, lvalue, [&] { ++bodies; })), 0);
    e.equal(select(send(v)), 0);
    e.equal(select(send(v, [&] { ++bodies; })), 0);
    e.equal(bodies, 3);
    e.equal(a.recv(), std::optional(1));
    e.equal(a.recv(), std::optional(2));
    e.equal(a.len(), 1u);
    e.equal(v.len(), 2u);
  });
}

TEST_CASE("select: send through a send_chan, to a waiting receiver") {
  in_fiber([](expect& e) {
    const chan<int> c, other;
    auto receiver = spawn([c] { return c.recv(); });
    e.equal(select(recv(other), send(send_chan<int>(c), 4)), 1);
    e.equal(receiver.join(), std::optional(4));
  });
}

TEST_CASE("select: otherwise is taken exactly when nothing else is ready") {
  in_fiber([](expect& e) {
    const chan<int> a{1};
    int bodies = 0;
    e.equal(select(recv(a), otherwise()), 1);
    e.equal(select(otherwise([&] { ++bodies; }), recv(a)), 0);
    e.equal(bodies, 1);
    a.send(1);
    e.equal(select(recv(a), otherwise([&] { ++bodies; })), 0);
    e.equal(bodies, 1);
    e.equal(select(otherwise()), 0);
  });
}

TEST_CASE("select: after ends the wait, not before its time") {
  in_fiber([](expect& e) {
    const chan<int> a;
    const auto begin = clock::now();
    e.equal(select(recv(a), after(10ms)), 1);
    e(clock::now() - begin >= 10ms);
    bool body = false;
    e.equal(select(after(1ms, [&] { body = true; }), recv(a)), 0);
    e(body);
  });
}

TEST_CASE("select: waits for whichever comes, from whatever side") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    auto other = spawn([a, b] {
      b.send(1);
      return a.recv();
    });
    std::optional<int> got;
    e.equal(select(recv(a), recv(b, got)), 1);
    e.equal(got, std::optional(1));
    e.equal(select(send(a, 2), recv(b)), 0);
    e.equal(other.join(), std::optional(2));
  });
}

TEST_CASE("select: a close wakes a waiting select") {
  in_fiber([](expect& e) {
    const chan<int> a, b;
    auto waiting = spawn([a, b] { return select(recv(a), recv(b)); });
    test::settle();
    b.close();
    e.equal(waiting.join(), 1);
  });
}

TEST_CASE("select: nil channels are never ready") {
  in_fiber([](expect& e) {
    const chan<int> nil = nullptr;
    const chan<int> a{100};
    e.equal(select(recv(nil), send(nil, 1), otherwise()), 2);
    e.equal(select(recv(nil), send(nil, 1), after(1ms)), 2);
    for (int i = 0; i < 100; ++i) e.equal(select(recv(nil), send(a, i), send(nil, 1)), 1);
  });
}

TEST_CASE("select: without a case it blocks until it is cancelled") {
  in_fiber([](expect& e) {
    auto waiting = spawn([] { select(); });
    test::settle();
    e.equal(select(waiting.done(), otherwise()), 1);
    waiting.cancel();
    e.throws<canceled>([&] { waiting.join(); });
  });
}

TEST_CASE("select: timers, tickers and a task's end are receivers") {
  in_fiber([](expect& e) {
    const chan<int> never;
    const timer t(1ms);
    e.equal(select(never, t), 1);
    const ticker k(1ms);
    e.equal(select(never, k), 1);
    auto finished = spawn([] {});
    e.equal(select(never, finished.done()), 1);
    finished.join();
    auto [ctx, cancel] = with_cancel(background());
    cancel();
    e.equal(select(never, ctx.done()), 1);
  });
}

TEST_CASE("choose: gives what the taken body returned") {
  in_fiber([](expect& e) {
    const chan<int> a{1}, b{1};
    const auto one = [&] {
      return choose(recv(a, [](std::optional<int> v) { return *v * 2; }), otherwise([] { return -1; }));
    };
    e.equal(one(), -1);
    a.send(21);
    e.equal(one(), 42);
    e.equal(choose(send(b, 1, [] { return std::string("sent"); }), recv(a, [] { return std::string("got"); })),
            std::string("sent"));
  });
}
