// prime_sieve [N]: the first N primes, 100 unless told. Go's concurrent prime sieve:
//
//   func generate(ch chan<- int) {
//       for i := 2; ; i++ {
//           ch <- i
//       }
//   }
//
//   func filter(in <-chan int, out chan<- int, prime int) {
//       for {
//           i := <-in
//           if i%prime != 0 {
//               out <- i
//           }
//       }
//   }
//
//   func main() {
//       ch := make(chan int)
//       go generate(ch)
//       for i := 0; i < 100; i++ {
//           prime := <-ch
//           fmt.Println(prime)
//           ch1 := make(chan int)
//           go filter(ch, ch1, prime)
//           ch = ch1
//       }
//   }
//
// Go's program leaves its goroutines where they wait and exits. Here they are bound to a context: when main returns,
// it is cancelled, and each ends where it waits.

#include <charconv>
#include <cstdio>
#include <cstring>
#include <weft/weft.hpp>

namespace {

void generate(weft::send_chan<int> ch) {
  for (int i = 2;; ++i) ch.send(i);
}

void filter(weft::recv_chan<int> in, weft::send_chan<int> out, int prime) {
  for (int i : in) {
    if (i % prime != 0) out.send(i);
  }
}

void sieve(int count) {
  auto [ctx, cancel] = weft::with_cancel(weft::background());
  weft::chan<int> ch;
  weft::go(ctx, [=] { generate(ch); });
  for (int i = 0; i < count; ++i) {
    const int prime = *ch.recv();
    std::printf("%d\n", prime);
    weft::chan<int> ch1;
    weft::go(ctx, [=] { filter(ch, ch1, prime); });
    ch = ch1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  int count = 100;
  if (argc > 1) {
    const char* const end = argv[1] + std::strlen(argv[1]);
    const auto [stop, error] = std::from_chars(argv[1], end, count);
    if (argc > 2 || error != std::errc{} || stop != end || count < 0) {
      std::fputs("prime_sieve [N]: N, how many primes, is one number from 0 up\n", stderr);
      return 2;
    }
  }
  weft::run([&] { sieve(count); });
}
