// semaphore: as many jobs at once as there are units. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//       "sync/atomic"
//       "time"
//
//       "golang.org/x/sync/semaphore"
//   )
//
//   func main() {
//       const limit, jobs = 3, 20
//       ctx := context.Background()
//       sem := semaphore.NewWeighted(limit)
//       var running, done atomic.Int32
//       var tooMany atomic.Bool
//       for range jobs {
//           if sem.Acquire(ctx, 1) != nil {
//               return
//           }
//           go func() {
//               defer sem.Release(1)
//               if running.Add(1) > limit {
//                   tooMany.Store(true)
//               }
//               done.Add(1)
//               running.Add(-1)
//           }()
//       }
//       if sem.Acquire(ctx, limit) != nil {
//           return
//       }
//       fmt.Println("jobs done:", done.Load())
//       fmt.Println("too many at once:", tooMany.Load())
//
//       fmt.Println("one more without waiting:", sem.TryAcquire(1))
//       soon, cancel := context.WithTimeout(ctx, time.Millisecond)
//       defer cancel()
//       fmt.Println("one more:", sem.Acquire(soon, 1))
//       sem.Release(limit)
//       fmt.Println("all again:", sem.TryAcquire(limit))
//   }
//
// Output:
//   jobs done: 20
//   too many at once: false
//   one more without waiting: false
//   one more: context deadline exceeded
//   all again: true

#include <atomic>
#include <cstdio>
#include <weft/weft.hpp>

namespace {

const char* text(bool b) { return b ? "true" : "false"; }

}  // namespace

int main() {
  using namespace std::chrono_literals;
  weft::run([] {
    constexpr int limit = 3, jobs = 20;
    weft::context ctx = weft::background();
    weft::semaphore sem(limit);
    std::atomic<int> running{0}, done{0};
    std::atomic<bool> too_many{false};
    for (int i = 0; i < jobs; ++i) {
      if (!sem.acquire(ctx)) return;
      weft::go([&] {  // references: whoever has acquired all units has waited for every job
        weft::defer release([&] { sem.release(); });
        if (++running > limit) too_many = true;
        ++done;
        --running;
      });
    }
    if (!sem.acquire(ctx, limit)) return;
    std::printf("jobs done: %d\n", done.load());
    std::printf("too many at once: %s\n", text(too_many));

    std::printf("one more without waiting: %s\n", text(sem.try_acquire()));
    auto [soon, cancel] = weft::with_timeout(ctx, 1ms);
    std::printf("one more: %s\n", weft::error_of(sem.acquire(soon)).message().c_str());
    sem.release(limit);
    std::printf("all again: %s\n", text(sem.try_acquire(limit)));
  });
}
