// One deadline ends a fiber that waits and a fiber that computes. In Go, where the second has to ask for itself:
//
//   ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
//   defer cancel()
//   mail := make(chan string)
//   go func() { select { case <-mail: case <-ctx.Done(): fmt.Println("parked:  ", ctx.Err()) } }()
//   go func() { for ctx.Err() == nil { }; fmt.Println("polling: unwound") }()

#include <cstdio>
#include <string>
#include <weft/weft.hpp>

int main() {
  using namespace std::chrono_literals;
  weft::run([] {
    const auto start = weft::clock::now();
    auto [ctx, cancel] = weft::with_timeout(weft::background(), 50ms);
    weft::chan<std::string> mail;  // nobody writes
    weft::wait_group both;

    both.go([=] {  // a wait that is given a context reports how it ended
      auto letter = mail.recv(ctx);
      std::printf("parked:  %s\n", letter.error().message().c_str());
    });
    both.go(ctx, [] {  // a fiber that is bound to one is unwound
      weft::defer goodbye([] { std::puts("polling: unwound"); });
      for (;;) weft::this_fiber::poll();
    });

    both.wait();
    const std::chrono::duration<double, std::milli> took = weft::clock::now() - start;
    std::printf("both ended after %.1f ms\n", took.count());
  });
}
