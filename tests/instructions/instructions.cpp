// weft_instructions OPERATION COUNT: does that, on one processor, that many times. tests/instructions/run.sh counts
// what one takes. Without arguments: names the operations.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <weft/weft.hpp>

namespace {

using namespace weft;

// One of the two that give way to each other in turn.
void switch_fibers(long count) {
  wait_group both;
  for (int i = 0; i < 2; ++i)
    both.go([=] {
      for (long n = 0; n < count / 2; ++n) this_fiber::yield();
    });
  both.wait();
}

void spawn_and_wait(long count) {
  constexpr long k_batch = 100;
  for (long n = 0; n < count; n += k_batch) {
    wait_group all;
    for (long i = 0; i < k_batch; ++i) all.go([] {});
    all.wait();
  }
}

void spawn_and_join(long count) {
  for (long n = 0; n < count; ++n) spawn([] {}).join();
}

// There and back.
void ping_pong(long count) {
  const chan<int> there, back;
  wait_group ended;
  ended.go([=] {
    for (const int n : there) back.send(n);
  });
  for (long n = 0; n < count; ++n) {
    there.send(1);
    back.recv();
  }
  there.close();
  ended.wait();
}

void buffered_item(long count) {
  const chan<int> items{128};
  wait_group ended;
  ended.go([=] {
    for (long n = 0; n < count; ++n) items.send(1);
  });
  for (long n = 0; n < count; ++n) items.recv();
  ended.wait();
}

void select_of_four(long count) {
  const chan<int> c[4];
  wait_group ended;
  for (const chan<int>& out : c)
    ended.go([=] {
      for (long n = 0; n < count / 4; ++n) out.send(1);
    });
  for (long n = 0; n < count / 4 * 4; ++n) static_cast<void>(select(recv(c[0]), recv(c[1]), recv(c[2]), recv(c[3])));
  ended.wait();
}

void lock_and_unlock(long count) {
  mutex m;
  for (long n = 0; n < count; ++n) {
    m.lock();
    m.unlock();
  }
}

void make_and_cancel_context(long count) {
  for (long n = 0; n < count; ++n) {
    auto [ctx, cancel] = with_cancel(background());
    cancel();
  }
}

void make_and_cancel_timeout(long count) {
  for (long n = 0; n < count; ++n) {
    auto [ctx, cancel] = with_timeout(background(), std::chrono::hours(1));
    cancel();
  }
}

// Fibers that wait with a context, told by one cancel; with their making and their end.
void cancel_waiting(long count) {
  constexpr long k_batch = 100;
  const chan<int> never;
  for (long n = 0; n < count; n += k_batch) {
    auto [ctx, cancel] = with_cancel(background());
    wait_group all;
    for (long i = 0; i < k_batch; ++i) all.go([&never, &ctx = ctx] { static_cast<void>(never.recv(ctx)); });
    this_fiber::yield();
    cancel();
    all.wait();
  }
}

void make_and_stop_timer(long count) {
  for (long n = 0; n < count; ++n) timer(std::chrono::hours(1)).stop();
}

void ask_context(long count) {
  auto [ctx, cancel] = with_cancel(background());
  for (long n = 0; n < count; ++n)
    if (ctx.err()) return;
}

void poll(long count) {
  for (long n = 0; n < count; ++n) this_fiber::poll();
}

struct operation {
  const char* name;
  void (*run)(long count);
};
constexpr operation k_operations[] = {
    {"switch", switch_fibers},
    {"spawn", spawn_and_wait},
    {"spawn_join", spawn_and_join},
    {"ping_pong", ping_pong},
    {"buffered_item", buffered_item},
    {"select", select_of_four},
    {"mutex", lock_and_unlock},
    {"with_cancel", make_and_cancel_context},
    {"with_timeout", make_and_cancel_timeout},
    {"cancel_waiting", cancel_waiting},
    {"timer", make_and_stop_timer},
    {"err", ask_context},
    {"poll", poll},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    for (const operation& o : k_operations) std::puts(o.name);
    return 0;
  }
  long count = 0;
  if (argc == 3 && std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), count).ec == std::errc() && count > 0)
    for (const operation& o : k_operations)
      if (std::strcmp(o.name, argv[1]) == 0) {
        weft::run({.processors = 1, .preemption = false}, [&] { o.run(count); });
        return 0;
      }
  std::fprintf(stderr, "usage: %s [OPERATION COUNT]\n", argv[0]);
  return 2;
}
