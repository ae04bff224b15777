// select_timeout: waits that end after a time: once, without waiting at all, and with a timer that is reset. In Go:
//
//   package main
//
//   import (
//       "fmt"
//       "time"
//   )
//
//   func listen(numbers <-chan int) {
//       idle := time.NewTimer(time.Hour)
//       defer idle.Stop()
//       for {
//           select {
//           case n := <-numbers:
//               fmt.Println("heard", n)
//               if n == 3 {
//                   idle.Reset(time.Millisecond)
//               }
//           case <-idle.C:
//               fmt.Println("silence")
//               return
//           }
//       }
//   }
//
//   func main() {
//       c := make(chan string, 1)
//       go func() {
//           c <- "an answer"
//       }()
//       select {
//       case answer := <-c:
//           fmt.Println(answer)
//       case <-time.After(time.Hour):
//           fmt.Println("timed out")
//       }
//
//       select {
//       case answer := <-c:
//           fmt.Println(answer)
//       case <-time.After(time.Millisecond):
//           fmt.Println("timed out")
//       }
//
//       select {
//       case answer := <-c:
//           fmt.Println(answer)
//       default:
//           fmt.Println("nothing there")
//       }
//
//       numbers := make(chan int)
//       go func() {
//           for n := 1; n <= 3; n++ {
//               numbers <- n
//           }
//       }()
//       listen(numbers)
//   }
//
// Output:
//   an answer
//   timed out
//   nothing there
//   heard 1
//   heard 2
//   heard 3
//   silence

#include <cstdio>
#include <optional>
#include <string>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

void listen(weft::recv_chan<int> numbers) {
  weft::timer idle(1h);  // its destructor stops it
  for (;;) {
    std::optional<int> n;
    switch (weft::select(weft::recv(numbers, n), idle)) {
      case 0:
        std::printf("heard %d\n", *n);
        if (*n == 3) idle.reset(1ms);
        break;
      case 1:
        std::puts("silence");
        return;
    }
  }
}

}  // namespace

int main() {
  weft::run([] {
    weft::chan<std::string> c(1);
    weft::go([=] { c.send("an answer"); });
    const auto print = [](std::optional<std::string> answer) { std::puts(answer.value_or("").c_str()); };
    weft::select(weft::recv(c, print),  //
                 weft::after(1h, [] { std::puts("timed out"); }));

    weft::select(weft::recv(c, print),  //
                 weft::after(1ms, [] { std::puts("timed out"); }));

    weft::select(weft::recv(c, print),  //
                 weft::otherwise([] { std::puts("nothing there"); }));

    weft::chan<int> numbers;
    weft::go([=] {
      for (int n = 1; n <= 3; ++n) numbers.send(n);
    });
    listen(numbers);
  });
}
