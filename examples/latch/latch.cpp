// latch: runners wait at the start for the gun; the finish waits for the runners; one thread watches that runs no
// fiber.
//
// Output:
//   nobody has started: context deadline exceeded
//   off they go
//   all 3 have arrived
//   the watch has seen it

#include "latch.hpp"

#include <atomic>
#include <cstdio>
#include <thread>

int main() {
  using namespace std::chrono_literals;
  using example::latch;
  weft::run([] {
    latch start(1), finish(3), seen(1);
    std::atomic<int> arrived{0};
    weft::wait_group runners;
    for (int i = 0; i < 3; ++i) {
      runners.go([&] {
        start.wait();
        ++arrived;
        finish.count_down();
      });
    }
    std::thread watch([&] {
      finish.wait();
      seen.count_down();
    });

    auto [soon, cancel] = weft::with_timeout(weft::background(), 1ms);
    if (auto r = finish.wait(soon); !r) std::printf("nobody has started: %s\n", r.error().message().c_str());

    std::puts("off they go");
    start.count_down();
    finish.wait();
    std::printf("all %d have arrived\n", arrived.load());
    seen.wait();
    std::puts("the watch has seen it");
    runners.wait();
    weft::blocking([&] { watch.join(); });
  });
}
