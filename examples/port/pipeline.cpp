// pipeline: stages joined by channels, each a fiber; the reader stops early and cancels those before it. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//   )
//
//   func count(ctx context.Context, from int) <-chan int {
//       out := make(chan int)
//       go func() {
//           defer close(out)
//           for n := from; ; n++ {
//               select {
//               case out <- n:
//               case <-ctx.Done():
//                   return
//               }
//           }
//       }()
//       return out
//   }
//
//   func square(ctx context.Context, in <-chan int) <-chan int {
//       out := make(chan int)
//       go func() {
//           defer close(out)
//           for n := range in {
//               select {
//               case out <- n * n:
//               case <-ctx.Done():
//                   return
//               }
//           }
//       }()
//       return out
//   }
//
//   func main() {
//       ctx, cancel := context.WithCancel(context.Background())
//       defer cancel()
//
//       c := square(ctx, square(ctx, count(ctx, 1)))
//       for n := range c {
//           if n > 500 {
//               break
//           }
//           fmt.Println(n)
//       }
//
//       cancel()
//       for range c {
//       }
//       fmt.Println("closed")
//   }
//
// Output:
//   1
//   16
//   81
//   256
//   closed

#include <cstdio>
#include <weft/weft.hpp>

namespace {

weft::recv_chan<int> count(weft::context ctx, int from) {
  weft::chan<int> out;
  weft::go([=] {
    weft::defer close_out([&] { out.close(); });
    for (int n = from;; ++n) {
      switch (weft::select(weft::send(out, n), ctx.done())) {
        case 0:
          break;
        case 1:
          return;
      }
    }
  });
  return out;
}

weft::recv_chan<int> square(weft::context ctx, weft::recv_chan<int> in) {
  weft::chan<int> out;
  weft::go([=] {
    weft::defer close_out([&] { out.close(); });
    for (int n : in) {
      switch (weft::select(weft::send(out, n * n), ctx.done())) {
        case 0:
          break;
        case 1:
          return;
      }
    }
  });
  return out;
}

}  // namespace

int main() {
  weft::run([] {
    auto [ctx, cancel] = weft::with_cancel(weft::background());  // cancel's destructor is the defer

    weft::recv_chan<int> c = square(ctx, square(ctx, count(ctx, 1)));
    for (int n : c) {
      if (n > 500) break;
      std::printf("%d\n", n);
    }

    cancel();
    while (c.recv()) {
    }
    std::puts("closed");
  });
}
