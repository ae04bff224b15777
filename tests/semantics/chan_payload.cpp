// What happens to the values themselves.
#include "tests/support/support.hpp"

using namespace weft;
using test::counted;
using test::expect;
using test::in_fiber;
using test::tally;

TEST_CASE("payload: move-only values go through every form") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> c{4};
    c.send(std::make_unique<int>(1));
    e(c.send(background(), std::make_unique<int>(2)).has_value());
    e(c.try_send(std::make_unique<int>(3)));
    select(send(c, std::make_unique<int>(4)));
    e.equal(**c.recv(), 1);
    e.equal(*c.recv(background()).value(), 2);
    e.equal(*c.try_recv().value(), 3);
    std::optional<std::unique_ptr<int>> into;
    select(recv(c, into));
    e(into && **into == 4);
  });
}

TEST_CASE("payload: untouched when the send did not happen") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> c;
    auto p = std::make_unique<int>(7);
    e(!c.try_send(std::move(p)));
    e(p && *p == 7);
    const auto [ctx, cancel] = with_timeout(background(), 5ms);
    e(!c.send(ctx, std::move(p)));
    e(p && *p == 7);
    cancel();
    e(!c.send(ctx, std::move(p)));
    e(p && *p == 7);
  });
}

TEST_CASE("payload: untouched when bound cancellation throws out of the send") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> c;
    auto p = std::make_unique<int>(7);
    auto sender = spawn([&] { c.send(std::move(p)); });
    test::settle();
    sender.cancel();
    e.throws<canceled>([&] { sender.join(); });
    e(p && *p == 7);
  });
}

TEST_CASE("payload: an lvalue is copied, an rvalue is moved") {
  in_fiber([](expect& e) {
    const chan<std::string> c{2};
    std::string text(100, 'x');
    c.send(text);
    e.equal(text.size(), 100u);
    c.send(std::move(text));
    e.equal(c.recv()->size(), 100u);
    e.equal(c.recv()->size(), 100u);
  });
}

TEST_CASE("payload: a copy that throws leaves the channel as it was") {
  struct throws_on_copy {
    throws_on_copy() = default;
    throws_on_copy(const throws_on_copy&) { throw std::runtime_error("copy"); }
    throws_on_copy(throws_on_copy&&) noexcept = default;
    throws_on_copy& operator=(throws_on_copy&&) noexcept = default;
  };
  in_fiber([](expect& e) {
    const chan<throws_on_copy> c{1};
    const throws_on_copy value;
    e.throws<std::runtime_error>([&] { c.send(value); });
    e.equal(c.len(), 0u);
    c.send(throws_on_copy{});
    e(c.recv().has_value());
  });
}

TEST_CASE("payload: every value is destroyed once, also those left over in the buffer") {
  in_fiber([](expect& e) {
    tally values;
    {
      const chan<counted> c{8};
      for (int i = 0; i < 8; ++i) c.send(counted(values, i));
      e.equal(c.recv()->value(), 0);
      e.equal(values.alive(), 7);
    }
    e.equal(values.alive(), 0);
    e.equal(values.made, 8);
  });
}

TEST_CASE("payload: left-over values of a closed channel are destroyed with it") {
  in_fiber([](expect& e) {
    tally values;
    {
      const chan<counted> c{3};
      for (int i = 0; i < 3; ++i) c.send(counted(values));
      c.close();
      e.equal(values.alive(), 3);
    }
    e.equal(values.alive(), 0);
  });
}

TEST_CASE("payload: the channel lives as long as any handle to it") {
  in_fiber([](expect& e) {
    tally values;
    recv_chan<counted> last;
    {
      const chan<counted> c{1};
      c.send(counted(values, 9));
      last = c;
    }
    e.equal(values.alive(), 1);
    e.equal(last.recv()->value(), 9);
    e.equal(values.alive(), 0);
  });
}

TEST_CASE("payload: large and over-aligned values arrive whole") {
  struct alignas(64) large {
    std::uint64_t words[64];
  };
  in_fiber([](expect& e) {
    const chan<large> c{3};
    auto sender = spawn([c] {
      for (std::uint64_t i = 0; i < 50; ++i) {
        large value;
        for (std::uint64_t j = 0; j < 64; ++j) value.words[j] = i * 64 + j;
        c.send(value);
      }
      c.close();
    });
    std::uint64_t i = 0;
    for (const large& value : c) {
      e.equal(reinterpret_cast<std::uintptr_t>(&value) % 64, 0u);
      for (std::uint64_t j = 0; j < 64; ++j) e(value.words[j] == i * 64 + j);
      ++i;
    }
    e.equal(i, 50u);
    sender.join();
  });
}

TEST_CASE("payload: values without content are counted like others") {
  struct empty {};
  in_fiber([](expect& e) {
    const chan<empty> c{2}, direct;
    const chan<std::monostate> more{1000};
    c.send(empty());
    c.send({});
    e(!c.try_send({}));
    e.equal(c.len(), 2u);
    e(c.recv().has_value());
    for (int i = 0; i < 1000; ++i) more.send({});
    e(!more.try_send({}));
    auto receiver = spawn([direct] { return direct.recv().has_value(); });
    direct.send({});
    e(receiver.join());
  });
}

TEST_CASE("payload: what is copied is what the value was when send was called") {
  in_fiber({1}, [](expect& e) {
    const chan<std::string> c;
    std::string text = "before";
    auto sender = spawn([&] { c.send(text); });
    test::settle();  // it waits
    text = "after";
    e(c.recv() == "before");
    sender.join();
  });
}
