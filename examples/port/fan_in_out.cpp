// fan_in_out: several fibers read one channel, fan-out; their outputs are merged into one, fan-in. In Go:
//
//   package main
//
//   import (
//       "fmt"
//       "sync"
//   )
//
//   type walk struct {
//       start, steps int
//   }
//
//   func starts(below int) <-chan int {
//       out := make(chan int)
//       go func() {
//           defer close(out)
//           for n := 1; n < below; n++ {
//               out <- n
//           }
//       }()
//       return out
//   }
//
//   func collatz(in <-chan int) <-chan walk {
//       out := make(chan walk)
//       go func() {
//           defer close(out)
//           for start := range in {
//               steps := 0
//               for n := start; n != 1; steps++ {
//                   if n%2 == 0 {
//                       n /= 2
//                   } else {
//                       n = 3*n + 1
//                   }
//               }
//               out <- walk{start, steps}
//           }
//       }()
//       return out
//   }
//
//   func merge(cs ...<-chan walk) <-chan walk {
//       var wg sync.WaitGroup
//       out := make(chan walk)
//       for _, c := range cs {
//           wg.Add(1)
//           go func() {
//               defer wg.Done()
//               for w := range c {
//                   out <- w
//               }
//           }()
//       }
//       go func() {
//           wg.Wait()
//           close(out)
//       }()
//       return out
//   }
//
//   func main() {
//       in := starts(1000)
//       total, longest := 0, walk{}
//       for w := range merge(collatz(in), collatz(in), collatz(in)) {
//           total++
//           if w.steps > longest.steps {
//               longest = w
//           }
//       }
//       fmt.Println(total, "walks")
//       fmt.Println("the longest:", longest.steps, "steps from", longest.start)
//   }
//
// Output:
//   999 walks
//   the longest: 178 steps from 871

#include <cstdio>
#include <memory>
#include <vector>
#include <weft/weft.hpp>

namespace {

struct walk {
  int start = 0, steps = 0;
};

weft::recv_chan<int> starts(int below) {
  weft::chan<int> out;
  weft::go([=] {
    weft::defer close_out([&] { out.close(); });
    for (int n = 1; n < below; ++n) out.send(n);
  });
  return out;
}

weft::recv_chan<walk> collatz(weft::recv_chan<int> in) {
  weft::chan<walk> out;
  weft::go([=] {
    weft::defer close_out([&] { out.close(); });
    for (int start : in) {
      int steps = 0;
      for (int n = start; n != 1; ++steps) {
        if (n % 2 == 0)
          n /= 2;
        else
          n = 3 * n + 1;
      }
      out.send({start, steps});
    }
  });
  return out;
}

weft::recv_chan<walk> merge(std::vector<weft::recv_chan<walk>> cs) {
  auto wg = std::make_shared<weft::wait_group>();  // outlives this call; in Go it escapes by itself
  weft::chan<walk> out;
  for (weft::recv_chan<walk> c : cs) {
    wg->go([=] {
      for (walk w : c) out.send(w);
    });
  }
  weft::go([=] {
    wg->wait();
    out.close();
  });
  return out;
}

}  // namespace

int main() {
  weft::run([] {
    weft::recv_chan<int> in = starts(1000);
    int total = 0;
    walk longest;
    for (walk w : merge({collatz(in), collatz(in), collatz(in)})) {
      ++total;
      if (w.steps > longest.steps) longest = w;
    }
    std::printf("%d walks\n", total);
    std::printf("the longest: %d steps from %d\n", longest.steps, longest.start);
  });
}
