// Closing: what receivers still get, and what senders hear.
#include <cstring>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::in_fiber;

TEST_CASE("close: what is in the buffer is still received, then every receive says closed") {
  in_fiber([](expect& e) {
    const chan<int> c{2};
    c.send(1);
    c.send(2);
    c.close();
    e.equal(c.recv(), std::optional(1));
    e.equal(c.try_recv().value(), 2);
    e(!c.recv());
    e(error_of(c.recv(background())) == errc::closed);
    e(error_of(c.try_recv()) == errc::closed);
    e(!c.recv());
  });
}

TEST_CASE("close: wakes every waiting receiver") {
  in_fiber([](expect& e) {
    const chan<int> c;
    std::vector<task<bool>> receivers;
    for (int i = 0; i < 50; ++i) receivers.push_back(spawn([c] { return c.recv().has_value(); }));
    test::settle();
    c.close();
    for (auto& receiver : receivers) e(!receiver.join());
  });
}

TEST_CASE("close: sending afterwards throws in every form") {
  in_fiber([](expect& e) {
    const chan<int> c{4};
    const send_chan<int> view = c;
    const int lvalue = 1;
    c.close();
    e.throws<std::logic_error>([&] { c.send(1); });
    e.throws<std::logic_error>([&] { c.send(lvalue); });
    e.throws<std::logic_error>([&] { view.send(1); });
    e.throws<std::logic_error>([&] { (void)c.send(background(), 1); });
    e.throws<std::logic_error>([&] { (void)c.try_send(1); });
    e.throws<std::logic_error>([&] { (void)view.try_send(1); });
    e.throws<std::logic_error>([&] { select(send(c, 1)); });
    e.throws<std::logic_error>([&] { select(send(c, 1), otherwise()); });
    const chan<void> v;
    v.close();
    e.throws<std::logic_error>([&] { v.send(); });
    e.throws<std::logic_error>([&] { (void)v.send(background()); });
    e.throws<std::logic_error>([&] { (void)v.try_send(); });
  });
}

TEST_CASE("close: a sender that is waiting throws, in every form") {
  in_fiber([](expect& e) {
    const chan<int> c, other;
    std::vector<task<bool>> senders;
    const auto throws_misuse = [](auto f) {
      return spawn([f] {
        try {
          f();
        } catch (const std::logic_error&) {
          return true;
        }
        return false;
      });
    };
    senders.push_back(throws_misuse([c] { c.send(1); }));
    senders.push_back(throws_misuse([c] { (void)c.send(background(), 1); }));
    senders.push_back(throws_misuse([c, other] { select(send(c, 1), recv(other)); }));
    test::settle();
    c.close();
    for (auto& sender : senders) e(sender.join());
  });
}

TEST_CASE("close: the payload of a send that throws is untouched") {
  in_fiber([](expect& e) {
    const chan<std::unique_ptr<int>> c;
    c.close();
    auto payload = std::make_unique<int>(7);
    e.throws<std::logic_error>([&] { c.send(std::move(payload)); });
    e(payload && *payload == 7);
  });
}

TEST_CASE("close: of a closed or nil channel throws a logic_error that names it") {
  in_fiber([](expect& e) {
    const auto text_of = [](auto f) -> std::string {
      try {
        f();
      } catch (const std::logic_error& error) {
        return error.what();
      }
      return {};
    };
    const chan<int> closed;
    closed.close();
    const chan<int> nil = nullptr;
    e(text_of([&] { closed.close(); }).find("close") != std::string::npos);
    e(text_of([&] { nil.close(); }).find("nil") != std::string::npos);
    e(text_of([&] { send_chan<int>(nil).close(); }).find("nil") != std::string::npos);
    e(text_of([&] { closed.send(1); }).find("closed") != std::string::npos);
  });
}

TEST_CASE("close: orders what was written before it ahead of what the woken receiver reads") {
  in_fiber([](expect& e) {
    for (int i = 0; i < 200; ++i) {
      const chan<void> done;
      int plain = 0;
      auto reader = spawn([&] {
        done.recv();
        return plain;
      });
      plain = i + 1;
      done.close();
      e.equal(reader.join(), i + 1);
    }
  });
}
