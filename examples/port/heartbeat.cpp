// heartbeat: a worker shows that it lives, also while it has nothing to say; one that stays silent is given up. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//       "time"
//   )
//
//   func worker(ctx context.Context, tasks <-chan int, every time.Duration) (<-chan struct{}, <-chan int) {
//       beats := make(chan struct{})
//       results := make(chan int)
//       go func() {
//           defer close(beats)
//           pulse := time.NewTicker(every)
//           defer pulse.Stop()
//           var out chan<- int
//           var result int
//           for {
//               select {
//               case <-pulse.C:
//                   select {
//                   case beats <- struct{}{}:
//                   default:
//                   }
//               case n := <-tasks:
//                   out, result = results, n*n
//               case out <- result:
//                   out = nil
//               case <-ctx.Done():
//                   return
//               }
//           }
//       }()
//       return beats, results
//   }
//
//   func watch(every, patience time.Duration) {
//       ctx, cancel := context.WithCancel(context.Background())
//       tasks := make(chan int, 1)
//       beats, results := worker(ctx, tasks, every)
//       for n := 0; n < 3; {
//           select {
//           case <-beats:
//               n++
//               fmt.Println("beat", n)
//               if n == 2 {
//                   tasks <- 12
//                   fmt.Println("result", <-results)
//               }
//           case <-time.After(patience):
//               fmt.Println("no beat")
//               n = 3
//           }
//       }
//       cancel()
//       for range beats {
//       }
//       fmt.Println("the worker has ended")
//   }
//
//   func main() {
//       watch(time.Millisecond, time.Hour)
//       watch(time.Hour, time.Millisecond)
//   }
//
// Output:
//   beat 1
//   beat 2
//   result 144
//   beat 3
//   the worker has ended
//   no beat
//   the worker has ended

#include <cstdio>
#include <optional>
#include <utility>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

std::pair<weft::recv_chan<void>, weft::recv_chan<int>> worker(weft::context ctx, weft::recv_chan<int> tasks,
                                                              weft::timespan every) {
  weft::chan<void> beats;
  weft::chan<int> results;
  weft::go([=] {
    weft::defer close_beats([&] { beats.close(); });
    weft::ticker pulse(every);
    weft::send_chan<int> out;  // null: a case that is never ready
    int result = 0;
    for (;;) {
      std::optional<int> n;
      switch (weft::select(pulse, weft::recv(tasks, n), weft::send(out, result), ctx.done())) {
        case 0:
          beats.try_send();
          break;
        case 1:
          out = results, result = *n * *n;
          break;
        case 2:
          out = nullptr;
          break;
        case 3:
          return;
      }
    }
  });
  return {beats, results};
}

void watch(weft::timespan every, weft::timespan patience) {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  weft::chan<int> tasks(1);
  auto [beats, results] = worker(ctx, tasks, every);
  for (int n = 0; n < 3;) {
    switch (weft::select(beats, weft::after(patience))) {
      case 0:
        ++n;
        std::printf("beat %d\n", n);
        if (n == 2) {
          tasks.send(12);
          std::printf("result %d\n", *results.recv());
        }
        break;
      case 1:
        std::puts("no beat");
        n = 3;
        break;
    }
  }
  cancel();
  while (beats.recv()) {
  }
  std::puts("the worker has ended");
}

}  // namespace

int main() {
  weft::run([] {
    watch(1ms, 1h);
    watch(1h, 1ms);
  });
}
