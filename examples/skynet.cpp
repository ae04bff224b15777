// skynet: a tree of fibers, ten children each, with a million leaves; the sum of the leaves comes up through channels.
// skynet LEAVES builds it with that many, a power of ten.
// The skynet benchmark (github.com/atemerev/skynet), in Go:
//
//   func skynet(c chan int, num int, size int, div int) {
//       if size == 1 {
//           c <- num
//           return
//       }
//       rc := make(chan int)
//       var sum int
//       for i := 0; i < div; i++ {
//           subNum := num + i*(size/div)
//           go skynet(rc, subNum, size/div, div)
//       }
//       for i := 0; i < div; i++ {
//           sum += <-rc
//       }
//       c <- sum
//   }
//
//   func main() {
//       c := make(chan int)
//       start := time.Now()
//       go skynet(c, 0, 1000000, 10)
//       result := <-c
//       took := time.Since(start)
//       fmt.Printf("Result: %d in %d ms.\n", result, took.Milliseconds())
//   }

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <weft/weft.hpp>

namespace {

void skynet(weft::send_chan<std::int64_t> c, std::int64_t num, std::int64_t size, std::int64_t div) {
  if (size == 1) {
    c.send(num);
    return;
  }
  weft::chan<std::int64_t> rc;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < div; ++i) {
    const std::int64_t sub_num = num + i * (size / div);
    weft::go([=] { skynet(rc, sub_num, size / div, div); });
  }
  for (std::int64_t i = 0; i < div; ++i) sum += *rc.recv();
  c.send(sum);
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t leaves = 1'000'000;
  if (argc > 1) {
    leaves = std::strtoll(argv[1], nullptr, 10);
    std::int64_t power = 1;
    while (power < leaves && power <= 10'000'000) power *= 10;
    if (argc > 2 || power != leaves) {
      std::fprintf(stderr, "usage: skynet [LEAVES], a power of ten from 1 to 10000000\n");
      return 2;
    }
  }
  weft::run([=] {
    weft::chan<std::int64_t> c;
    const auto start = weft::clock::now();
    weft::go([=] { skynet(c, 0, leaves, 10); });
    const std::int64_t result = *c.recv();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(weft::clock::now() - start);
    std::printf("Result: %lld in %lld ms.\n", static_cast<long long>(result), static_cast<long long>(took.count()));
  });
}
