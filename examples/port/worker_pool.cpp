// worker_pool: three workers take jobs from one channel and give results on another. In Go:
//
//   package main
//
//   import (
//       "fmt"
//       "sync"
//   )
//
//   type result struct {
//       job, square int
//   }
//
//   func worker(jobs <-chan int, results chan<- result) {
//       for j := range jobs {
//           results <- result{j, j * j}
//       }
//   }
//
//   func main() {
//       const workers, count = 3, 5
//       jobs := make(chan int)
//       results := make(chan result)
//
//       var wg sync.WaitGroup
//       for range workers {
//           wg.Add(1)
//           go func() {
//               defer wg.Done()
//               worker(jobs, results)
//           }()
//       }
//       go func() {
//           for j := 1; j <= count; j++ {
//               jobs <- j
//           }
//           close(jobs)
//       }()
//       go func() {
//           wg.Wait()
//           close(results)
//       }()
//
//       squares := make(map[int]int)
//       for r := range results {
//           squares[r.job] = r.square
//       }
//       for j := 1; j <= count; j++ {
//           fmt.Printf("%d: %d\n", j, squares[j])
//       }
//   }
//
// Output:
//   1: 1
//   2: 4
//   3: 9
//   4: 16
//   5: 25

#include <cstdio>
#include <map>
#include <weft/weft.hpp>

namespace {

struct result {
  int job, square;
};

void worker(weft::recv_chan<int> jobs, weft::send_chan<result> results) {
  for (int j : jobs) results.send({j, j * j});
}

}  // namespace

int main() {
  weft::run([] {
    constexpr int workers = 3, count = 5;
    weft::chan<int> jobs;
    weft::chan<result> results;

    weft::wait_group wg;
    for (int i = 0; i < workers; ++i) wg.go([=] { worker(jobs, results); });  // Add, go and Done in one
    weft::go([=] {
      for (int j = 1; j <= count; ++j) jobs.send(j);
      jobs.close();
    });
    weft::go([&wg, results] {  // a reference: main waits, below, for the close that comes after
      wg.wait();
      results.close();
    });

    std::map<int, int> squares;
    for (result r : results) squares[r.job] = r.square;
    for (int j = 1; j <= count; ++j) std::printf("%d: %d\n", j, squares[j]);
  });
}
