// once: the first of many callers does it, the others wait until it is done. In Go:
//
//   package main
//
//   import (
//       "fmt"
//       "sync"
//       "sync/atomic"
//   )
//
//   var greeting = sync.OnceValue(func() string {
//       fmt.Println("finding words")
//       return "hello"
//   })
//
//   type connection struct {
//       opening sync.Once
//       opened  int
//       sent    atomic.Int32
//   }
//
//   func (c *connection) open() {
//       c.opened++
//   }
//
//   func (c *connection) send() {
//       c.opening.Do(c.open)
//       c.sent.Add(1)
//   }
//
//   func main() {
//       var c connection
//       var wg sync.WaitGroup
//       for range 10 {
//           wg.Add(1)
//           go func() {
//               defer wg.Done()
//               c.send()
//           }()
//       }
//       wg.Wait()
//       fmt.Println("opened:", c.opened)
//       fmt.Println("sent:", c.sent.Load())
//
//       fmt.Println(greeting())
//       fmt.Println(greeting())
//   }
//
// Output:
//   opened: 1
//   sent: 10
//   finding words
//   hello
//   hello

#include <atomic>
#include <cstdio>
#include <string>
#include <weft/weft.hpp>

namespace {

weft::once_value greeting([] {
  std::puts("finding words");
  return std::string("hello");
});

class connection {
 public:
  void open() { ++opened; }

  void send() {
    opening_.call([this] { open(); });
    ++sent;
  }

  int opened = 0;
  std::atomic<int> sent{0};

 private:
  weft::once opening_;
};

}  // namespace

int main() {
  weft::run([] {
    connection c;
    weft::wait_group wg;
    for (int i = 0; i < 10; ++i) wg.go([&] { c.send(); });
    wg.wait();
    std::printf("opened: %d\n", c.opened);
    std::printf("sent: %d\n", c.sent.load());

    std::puts(greeting().c_str());
    std::puts(greeting().c_str());
  });
}
