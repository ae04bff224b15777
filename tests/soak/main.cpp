// weft_soak: all workloads at once, for as long as it is told; see options.cpp for what it says and when it fails.
#define DOCTEST_CONFIG_IMPLEMENT  // support wants it; no test is run
#include <doctest/doctest.h>

#include <cstdio>
#include <exception>
#include <string>

#include "options.hpp"
#include "supervisor.hpp"
#include "tests/support/net.hpp"
#include "workloads.hpp"

#if WEFT_ASAN
// Memory is measured; AddressSanitizer would keep a quarter of a gigabyte of freed blocks.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=2"; }
#endif

using namespace weft;

namespace {

// Round after round, until it is over; at least one.
void drive(soak::workload& w, const soak::options& o, std::uint64_t seed, const std::atomic<bool>& over) {
  test::random seeds(seed);
  try {
    do {
      w.round(w.seen, {seeds.next(), o.processors});
      ++w.rounds;
    } while (!over);
  } catch (const std::exception& x) {
    w.seen.equal(std::string(x.what()), std::string("no exception"));
  }
  w.ended = true;
}

void soak_all(std::deque<soak::workload>& all, const soak::options& o, soak::supervisor& watching) {
  wait_group driven;
  driven.add(static_cast<int>(all.size()));
  std::uint64_t seed = o.seed << 8;
  for (soak::workload& w : all)
    go({.name = std::string(w.name)}, [&, own = ++seed] {
      drive(w, o, own, watching.over());
      driven.done();
    });
  driven.wait();
  watching.at("the end of the last fibers but main");
  while (debug::fibers().size() > 1) this_fiber::sleep_for(1ms);
  watching.at("the end of the run");
}

struct left {
  std::size_t threads = test::count_threads();
  long descriptors = test::open_descriptors();
};

}  // namespace

int main(int argc, char** argv) {
  const soak::options o = soak::parse(argc, argv);
  auto all = soak::workloads(o.only);
  if (all.empty()) {
    std::fprintf(stderr, "weft_soak: no workload is called %s\n", o.only.c_str());
    return 2;
  }
  run([] { const test::tcp_pair p; });  // the poller's descriptors stay
  test::await_no_weft_threads();
  const left before;
  std::printf("soak: %zu workloads for %lld s on %u processors, seed %llu\n", all.size(),
              static_cast<long long>(o.time.count()), o.processors, static_cast<unsigned long long>(o.seed));
  std::fflush(stdout);
  soak::memory_record::verdict memory;
  {
    soak::supervisor watching(o, all);
    run(test::on(o.processors), [&] { soak_all(all, o, watching); });
    memory = watching.memory();
  }
  test::await_no_weft_threads();
  const left after;
  long rounds = 0, idle = 0;
  for (const soak::workload& w : all) {
    rounds += w.rounds;
    idle += w.rounds == 0;
  }
  std::printf("soak: %ld rounds; memory: %s; %ld descriptors and %zu threads left\n", rounds, memory.text.c_str(),
              after.descriptors - before.descriptors, after.threads - before.threads);
  const bool good =
      memory.flat && after.descriptors == before.descriptors && after.threads == before.threads && idle == 0;
  std::printf("soak: %s\n", good ? "passed" : "FAILED");
  return good ? 0 : 1;
}
