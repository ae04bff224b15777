// graceful_shutdown: a signal ends the accepting of requests; those in flight are finished. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//       "os"
//       "os/signal"
//       "sync"
//       "sync/atomic"
//       "syscall"
//       "time"
//   )
//
//   func main() {
//       ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//       defer stop()
//
//       requests := make(chan int)
//       go func() {
//           for id := 1; id <= 3; id++ {
//               requests <- id
//           }
//           syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
//       }()
//
//       var inFlight sync.WaitGroup
//       var accepted int
//       var finished atomic.Int32
//       draining := make(chan struct{})
//       for ctx.Err() == nil {
//           select {
//           case <-requests:
//               accepted++
//               inFlight.Add(1)
//               go func() {
//                   defer inFlight.Done()
//                   <-draining
//                   finished.Add(1)
//               }()
//           case <-ctx.Done():
//           }
//       }
//       stop()
//       fmt.Println("accepted:", accepted)
//       fmt.Println("finished before the signal:", finished.Load())
//       close(draining)
//
//       deadline, cancel := context.WithTimeout(context.Background(), time.Hour)
//       defer cancel()
//       ended := make(chan struct{})
//       go func() {
//           inFlight.Wait()
//           close(ended)
//       }()
//       select {
//       case <-ended:
//           fmt.Println("finished after it:", finished.Load())
//       case <-deadline.Done():
//           fmt.Println("gave up")
//       }
//   }
//
// Output:
//   accepted: 3
//   finished before the signal: 0
//   finished after it: 3

#include <atomic>
#include <csignal>
#include <cstdio>
#include <weft/weft.hpp>

int main() {
  using namespace std::chrono_literals;
  weft::run([] {
    auto [ctx, stop] = weft::signals::notify_context(weft::background(), {SIGINT, SIGTERM});

    weft::chan<int> requests;
    weft::go([=] {
      for (int id = 1; id <= 3; ++id) requests.send(id);
      std::raise(SIGTERM);
    });

    std::atomic<int> finished{0};  // before in_flight: those who count here are waited for there
    weft::wait_group in_flight;
    int accepted = 0;
    weft::chan<void> draining;
    while (!ctx.err()) {
      switch (weft::select(requests, ctx.done())) {
        case 0:
          ++accepted;
          in_flight.go([&finished, draining] {
            draining.recv();  // takes longer than the signal
            ++finished;
          });
          break;
        case 1:
          break;
      }
    }
    stop();  // from here on another signal ends the process
    std::printf("accepted: %d\n", accepted);
    std::printf("finished before the signal: %d\n", finished.load());
    draining.close();

    auto [deadline, cancel] = weft::with_timeout(weft::background(), 1h);
    if (in_flight.wait(deadline))  // Go's fiber, channel and select in one
      std::printf("finished after it: %d\n", finished.load());
    else
      std::puts("gave up");
  });
}
