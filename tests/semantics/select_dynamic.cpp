// select over a span of cases, as reflect.Select.
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("dynamic select: cases can be kept and used again") {
  in_fiber([](expect& e) {
    const chan<int> a{1}, b{10};
    int received = 0, sent = 0;
    std::vector<select_case> cases;
    cases.emplace_back(recv(a, [&](std::optional<int> v) { received += *v; }));
    cases.emplace_back(send(b, 7, [&] { ++sent; }));
    for (int i = 0; i < 10; ++i) e.equal(select(std::span(cases)), 1);
    e.equal(sent, 10);
    a.send(5);
    e.equal(select(std::span(cases)), 0);  // b is full
    e.equal(received, 5);
    for (int i = 0; i < 10; ++i) e.equal(b.recv(), std::optional(7));

    const chan<std::string> words{2};
    std::vector<select_case> word;
    word.emplace_back(send(words, std::string(40, 'w')));
    for (int i = 0; i < 2; ++i) e.equal(select(std::span(word)), 0);
    for (int i = 0; i < 2; ++i) e(words.recv() == std::string(40, 'w'));
  });
}

TEST_CASE("dynamic select: bare receivers, otherwise and time-outs") {
  in_fiber([](expect& e) {
    const chan<int> a{1};
    std::vector<select_case> cases;
    cases.emplace_back(a);
    cases.emplace_back(otherwise());
    e.equal(select(std::span(cases)), 1);
    a.send(1);
    e.equal(select(std::span(cases)), 0);
    cases.pop_back();
    cases.emplace_back(after(1ms));
    e.equal(select(std::span(cases)), 1);
  });
}

TEST_CASE("dynamic select: a case owns its handle, payload and body") {
  in_fiber([](expect& e) {
    test::tally values;
    std::vector<select_case> cases;
    recv_chan<std::shared_ptr<int>> out;
    {
      const chan<std::shared_ptr<int>> c{1};
      out = c;
      auto payload = std::make_shared<int>(4);
      auto witness = std::make_shared<test::counted>(values);
      cases.emplace_back(send(c, payload, [witness] {}));
    }
    e.equal(values.alive(), 1);
    e.equal(select(std::span(cases)), 0);
    e.equal(**out.recv(), 4);
    cases.clear();
    e.equal(values.alive(), 0);
  });
}

TEST_CASE("dynamic select: cases move") {
  in_fiber([](expect& e) {
    const chan<int> a{1}, b{1};
    select_case one = recv(a);
    select_case two = recv(b);
    select_case moved = std::move(one);
    one = std::move(two);
    select_case both[] = {std::move(moved), std::move(one)};
    a.send(1);
    e.equal(select(std::span<select_case>(both)), 0);
    b.send(1);
    e.equal(select(std::span<select_case>(both)), 1);
  });
}

TEST_CASE("dynamic select: a thousand cases, each in its turn") {
  in_fiber([](expect& e) {
    constexpr int k_cases = 1000;
    std::vector<chan<int>> channels(k_cases);
    std::vector<select_case> cases;
    std::vector<int> taken(k_cases);
    for (std::size_t i = 0; i < k_cases; ++i)
      cases.emplace_back(recv(channels[i], [&taken, i](std::optional<int> v) { taken[i] += *v; }));
    auto sender = spawn([&] {
      for (int i = 0; i < k_cases; ++i) channels[static_cast<std::size_t>(i * 7 % k_cases)].send(1);
    });
    for (int i = 0; i < k_cases; ++i) e.equal(select(std::span(cases)), i * 7 % k_cases);
    sender.join();
    for (const int count : taken) e.equal(count, 1);
  });
}

TEST_CASE("dynamic select: nil cases are never ready, an empty span blocks until cancelled") {
  in_fiber([](expect& e) {
    const chan<int> nil = nullptr;
    std::vector<select_case> cases;
    cases.emplace_back(recv(nil));
    cases.emplace_back(send(nil, 1));
    cases.emplace_back(otherwise());
    e.equal(select(std::span(cases)), 2);
    auto waiting = spawn([] { select(std::span<select_case>()); });
    test::settle();
    waiting.cancel();
    e.throws<canceled>([&] { waiting.join(); });
  });
}

TEST_CASE("dynamic select: a send case on a channel closed meanwhile throws") {
  in_fiber([](expect& e) {
    const chan<int> c;
    auto waiting = spawn([c] {
      std::vector<select_case> cases;
      cases.emplace_back(send(c, 1));
      select(std::span(cases));
    });
    test::settle();
    c.close();
    e.throws<std::logic_error>([&] { waiting.join(); });
  });
}
