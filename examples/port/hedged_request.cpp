// hedged_request: asks a second server when the first is slow; the first answer wins, the other is cancelled. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//       "sync"
//       "time"
//   )
//
//   type server func(ctx context.Context) (string, error)
//
//   func awake(ctx context.Context) (string, error) {
//       return "an answer", nil
//   }
//
//   func asleep(ctx context.Context) (string, error) {
//       <-ctx.Done()
//       fmt.Println("asleep:", ctx.Err())
//       return "", ctx.Err()
//   }
//
//   func hedged(ctx context.Context, first, second server, delay time.Duration) (string, error) {
//       type outcome struct {
//           answer string
//           err    error
//       }
//       outcomes := make(chan outcome, 2)
//       var wg sync.WaitGroup
//       defer wg.Wait()
//       ctx, cancel := context.WithCancel(ctx)
//       defer cancel()
//
//       wg.Add(2)
//       go func() {
//           defer wg.Done()
//           answer, err := first(ctx)
//           outcomes <- outcome{answer, err}
//       }()
//       go func() {
//           defer wg.Done()
//           select {
//           case <-time.After(delay):
//               answer, err := second(ctx)
//               outcomes <- outcome{answer, err}
//           case <-ctx.Done():
//               outcomes <- outcome{"", ctx.Err()}
//           }
//       }()
//
//       o := <-outcomes
//       if o.err != nil {
//           o = <-outcomes
//       }
//       return o.answer, o.err
//   }
//
//   func main() {
//       answer, _ := hedged(context.Background(), asleep, awake, time.Millisecond)
//       fmt.Println("hedged:", answer)
//       answer, _ = hedged(context.Background(), awake, asleep, time.Hour)
//       fmt.Println("not needed:", answer)
//
//       ctx, hangUp := context.WithCancel(context.Background())
//       leaving := func(ctx context.Context) (string, error) {
//           hangUp()
//           return asleep(ctx)
//       }
//       _, err := hedged(ctx, leaving, awake, time.Hour)
//       fmt.Println("hung up:", err)
//   }
//
// Output:
//   asleep: context canceled
//   hedged: an answer
//   not needed: an answer
//   asleep: context canceled
//   hung up: context canceled

#include <cstdio>
#include <functional>
#include <string>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

using server = std::function<weft::result<std::string>(const weft::context&)>;

weft::result<std::string> awake(const weft::context&) { return "an answer"; }

weft::result<std::string> asleep(const weft::context& ctx) {
  weft::select(ctx.done());
  std::printf("asleep: %s\n", ctx.err().message().c_str());
  return std::unexpected(ctx.err());
}

// race starts both, each bound to a context below the one that is bound here. It cancels the loser and joins it: Go's
// channel, its wait group and its cancel are in there.
weft::result<std::string> hedged(weft::context ctx, const server& first, const server& second, weft::timespan delay) {
  const weft::bind_scope bound(ctx);
  return weft::race([&] { return first(weft::this_fiber::context()); },
                    [&]() -> weft::result<std::string> {
                      const weft::context own = weft::this_fiber::context();
                      if (auto slept = weft::sleep_for(own, delay); !slept) return std::unexpected(slept.error());
                      return second(own);
                    });
}

}  // namespace

int main() {
  weft::run([] {
    auto answer = hedged(weft::background(), asleep, awake, 1ms);
    std::printf("hedged: %s\n", answer->c_str());
    answer = hedged(weft::background(), awake, asleep, 1h);
    std::printf("not needed: %s\n", answer->c_str());

    auto [ctx, hang_up] = weft::with_cancel(weft::background());
    const auto leaving = [&](const weft::context& own) {
      hang_up();
      return asleep(own);
    };
    answer = hedged(ctx, leaving, awake, 1h);
    std::printf("hung up: %s\n", answer.error().message().c_str());
  });
}
