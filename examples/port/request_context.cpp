// request_context: values, a deadline and cancellation go with a request through its layers. In Go:
//
//   package main
//
//   import (
//       "context"
//       "errors"
//       "fmt"
//       "time"
//   )
//
//   type requestID struct{}
//
//   func report(ctx context.Context, text string) {
//       id, ok := ctx.Value(requestID{}).(string)
//       if !ok {
//           id = "-"
//       }
//       fmt.Printf("[%s] %s\n", id, text)
//   }
//
//   func query(ctx context.Context, rows <-chan int) (int, error) {
//       select {
//       case n := <-rows:
//           return n, nil
//       case <-ctx.Done():
//           return 0, ctx.Err()
//       }
//   }
//
//   func audit(ctx context.Context) {
//       if ctx.Err() == nil {
//           report(ctx, "audited")
//       }
//   }
//
//   func handle(ctx context.Context, timeout time.Duration, rows <-chan int) {
//       ctx, cancel := context.WithTimeout(ctx, timeout)
//       defer cancel()
//       n, err := query(ctx, rows)
//       switch {
//       case errors.Is(err, context.DeadlineExceeded):
//           report(ctx, "504 "+err.Error())
//       case err != nil:
//           report(ctx, "499 "+context.Cause(ctx).Error())
//       default:
//           report(ctx, fmt.Sprintf("200 %d rows", n))
//       }
//       audit(context.WithoutCancel(ctx))
//   }
//
//   func main() {
//       server := context.Background()
//       report(server, "listening")
//
//       rows := make(chan int, 1)
//       rows <- 42
//       handle(context.WithValue(server, requestID{}, "r-1"), time.Hour, rows)
//
//       handle(context.WithValue(server, requestID{}, "r-2"), time.Millisecond, nil)
//
//       client, hangUp := context.WithCancelCause(context.WithValue(server, requestID{}, "r-3"))
//       go hangUp(errors.New("the client hung up"))
//       handle(client, time.Hour, nil)
//   }
//
// Output:
//   [-] listening
//   [r-1] 200 42 rows
//   [r-1] audited
//   [r-2] 504 context deadline exceeded
//   [r-2] audited
//   [r-3] 499 the client hung up
//   [r-3] audited

#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

struct request_id {
  using type = std::string;
};

void report(const weft::context& ctx, const std::string& text) {
  const std::string* id = ctx.value<request_id>();
  std::printf("[%s] %s\n", id != nullptr ? id->c_str() : "-", text.c_str());
}

weft::result<int> query(const weft::context& ctx, weft::recv_chan<int> rows) {
  std::optional<int> n;
  switch (weft::select(weft::recv(rows, n), ctx.done())) {
    case 0:
      return *n;
    default:
      return std::unexpected(ctx.err());
  }
}

void audit(const weft::context& ctx) {
  if (!ctx.err()) report(ctx, "audited");
}

// Go's context.Cause(ctx).Error(): a cause is an exception.
std::string cause_of(const weft::context& ctx) {
  try {
    std::rethrow_exception(ctx.cause());
  } catch (const std::exception& e) {
    return e.what();
  }
}

void handle(const weft::context& parent, weft::timespan timeout, weft::recv_chan<int> rows) {
  auto [ctx, cancel] = weft::with_timeout(parent, timeout);
  const weft::result<int> n = query(ctx, rows);
  if (weft::error_of(n) == weft::errc::deadline_exceeded)
    report(ctx, "504 " + n.error().message());
  else if (!n)
    report(ctx, "499 " + cause_of(ctx));
  else
    report(ctx, "200 " + std::to_string(*n) + " rows");
  audit(weft::without_cancel(ctx));
}

}  // namespace

int main() {
  weft::run([] {
    weft::context server = weft::background();
    report(server, "listening");

    weft::chan<int> rows(1);
    rows.send(42);
    handle(weft::with_value<request_id>(server, "r-1"), 1h, rows);

    handle(weft::with_value<request_id>(server, "r-2"), 1ms, nullptr);

    auto [client, hang_up] = weft::with_cancel_cause(weft::with_value<request_id>(server, "r-3"));
    weft::task<void> hanging_up =
        weft::spawn([&] { hang_up(std::make_exception_ptr(std::runtime_error("the client hung up"))); });
    handle(client, 1h, nullptr);
  });
}
