// rate_limiter: a bucket of tokens, refilled by a ticker; who finds none waits, or is refused. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//       "time"
//   )
//
//   type limiter struct {
//       tokens chan struct{}
//   }
//
//   func newLimiter(ctx context.Context, burst int, every time.Duration) limiter {
//       l := limiter{make(chan struct{}, burst)}
//       for range burst {
//           l.tokens <- struct{}{}
//       }
//       go func() {
//           refill := time.NewTicker(every)
//           defer refill.Stop()
//           for {
//               select {
//               case <-refill.C:
//                   select {
//                   case l.tokens <- struct{}{}:
//                   default:
//                   }
//               case <-ctx.Done():
//                   return
//               }
//           }
//       }()
//       return l
//   }
//
//   func (l limiter) allow() bool {
//       select {
//       case <-l.tokens:
//           return true
//       default:
//           return false
//       }
//   }
//
//   func (l limiter) wait(ctx context.Context) error {
//       select {
//       case <-l.tokens:
//           return nil
//       case <-ctx.Done():
//           return ctx.Err()
//       }
//   }
//
//   func main() {
//       ctx, cancel := context.WithCancel(context.Background())
//       defer cancel()
//
//       slow := newLimiter(ctx, 2, time.Hour)
//       fmt.Println(slow.allow(), slow.allow(), slow.allow())
//       soon, stop := context.WithTimeout(ctx, time.Millisecond)
//       defer stop()
//       fmt.Println(slow.wait(soon))
//
//       start := time.Now()
//       quick := newLimiter(ctx, 1, time.Millisecond)
//       for request := 1; request <= 5; request++ {
//           if quick.wait(ctx) == nil {
//               fmt.Println("request", request)
//           }
//       }
//       fmt.Println("in 4 ms or more:", time.Since(start) >= 4*time.Millisecond)
//   }
//
// Output:
//   true true false
//   context deadline exceeded
//   request 1
//   request 2
//   request 3
//   request 4
//   request 5
//   in 4 ms or more: true

#include <cstdio>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

class limiter {
 public:
  limiter(weft::context ctx, int burst, weft::timespan every) : tokens_(burst) {
    for (int i = 0; i < burst; ++i) tokens_.send();
    weft::go([ctx, every, tokens = tokens_] {  // the handle, not this: the fiber may outlive the limiter
      weft::ticker refill(every);              // its destructor stops it
      for (;;) {
        switch (weft::select(refill, ctx.done())) {
          case 0:
            tokens.try_send();
            break;
          case 1:
            return;
        }
      }
    });
  }

  bool allow() const { return tokens_.try_recv().has_value(); }

  // The whole select of the Go program.
  weft::result<void> wait(const weft::context& ctx) const { return tokens_.recv(ctx); }

 private:
  weft::chan<void> tokens_;
};

const char* text(bool b) { return b ? "true" : "false"; }

}  // namespace

int main() {
  weft::run([] {
    auto [ctx, cancel] = weft::with_cancel(weft::background());

    limiter slow(ctx, 2, 1h);
    const bool first = slow.allow(), second = slow.allow(), third = slow.allow();
    std::printf("%s %s %s\n", text(first), text(second), text(third));
    auto [soon, stop] = weft::with_timeout(ctx, 1ms);
    std::puts(weft::error_of(slow.wait(soon)).message().c_str());

    const auto start = weft::clock::now();
    limiter quick(ctx, 1, 1ms);
    for (int request = 1; request <= 5; ++request) {
      if (quick.wait(ctx)) std::printf("request %d\n", request);
    }
    std::printf("in 4 ms or more: %s\n", text(weft::clock::now() - start >= 4ms));
  });
}
