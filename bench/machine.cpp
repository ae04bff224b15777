// What the machine itself takes for the steps that every runtime is made of: the floor below the other figures.
#include <fmt/format.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/context/detail/fcontext.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/support/command_line.hpp"
#include "bench/support/pages.hpp"
#include "bench/support/results.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/stopwatch.hpp"
#include "bench/support/table.hpp"

namespace {

using namespace bench;

struct options {
  bool quick = false;
  bool rivals = true;
  std::string out, json;
};

std::optional<options> parse(int argc, char** argv, int& status) {
  options o;
  command_line line("machine", "What the machine itself takes for the steps that every runtime is made of.");
  line.flag("--quick", o.quick, "a tenth of the work");
  line.no_rivals(o.rivals, "there are none");
  line.results(o.out, &o.json);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  return o;
}

void check(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

// The CPUs this process may run on, one or two of them.
std::vector<int> two_cpus() {
  cpu_set_t mine;
  check(::sched_getaffinity(0, sizeof mine, &mine), "sched_getaffinity");
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE && cpus.size() < 2; ++cpu)
    if (CPU_ISSET(cpu, &mine)) cpus.push_back(cpu);
  return cpus;
}

void pin(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  check(::sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

template <class Step>
double each(int n, const Step& step) {
  const stopwatch time;
  for (int i = 0; i < n; ++i) step();
  return time.nanoseconds() / n;
}

double clock_read(int n) {
  return each(n, [] { (void)std::chrono::steady_clock::now(); });
}

double locked_instruction(int n) {
  std::atomic<long> count{0};
  return each(n, [&] { count.fetch_add(1, std::memory_order_relaxed); });
}

double system_call(int n) {
  return each(n, [] { ::syscall(SYS_getppid); });
}

double allocation(int n) {
  return each(n, [] {
    void* const p = ::operator new(256);
    asm volatile("" ::"r"(p) : "memory");
    ::operator delete(p, 256);
  });
}

double context_switch(int n) {
  using namespace boost::context::detail;
  std::vector<char> memory(64 << 10);
  transfer_t other{make_fcontext(memory.data() + memory.size(), memory.size(),
                                 [](transfer_t t) {
                                   for (;;) t = jump_fcontext(t.fctx, nullptr);
                                 }),
                   nullptr};
  return each(n, [&] { other = jump_fcontext(other.fctx, nullptr); }) / 2;
}

// Contexts in a circle, each of which jumps to the next: a scheduler's least work, with its queue for nothing. The
// stacks, all of which are touched in one page, lie as far apart as weft's; what comes next is fetched ahead.
class circle {
 public:
  explicit circle(std::size_t contexts) : size_(k_distance * (contexts - 1)), saved_(contexts) {
    memory_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    ::madvise(memory_, size_, MADV_NOHUGEPAGE);
    for (std::size_t i = 1; i < contexts; ++i) {
      char* const top = static_cast<char*>(memory_) + i * k_distance - i % 32 * 64;  // not all in the same sets
      saved_[i] = boost::context::detail::make_fcontext(top, k_page / 2, [](transfer t) {
        for (auto* all = static_cast<circle*>(t.data);;) all->go_on(t);
      });
    }
  }
  circle(const circle&) = delete;
  circle& operator=(const circle&) = delete;
  ~circle() { ::munmap(memory_, size_); }

  void go_round() {
    transfer last{};
    jump(last);
    saved_.back() = last.fctx;
  }

 private:
  using transfer = boost::context::detail::transfer_t;
  static constexpr std::size_t k_distance = std::size_t{132} << 10;
  static constexpr std::size_t k_page = 4096;
  static constexpr std::size_t k_ahead = 8;

  // In one that was jumped to: keeps where the one before it goes on, and jumps to the next.
  void go_on(transfer& before) {
    saved_[running_ - 1] = before.fctx;
    jump(before);
  }
  void jump(transfer& back) {
    if (++running_ == saved_.size()) running_ = 0;
    const auto* const ahead = static_cast<const char*>(saved_[std::min(running_ + k_ahead, saved_.size() - 1)]);
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 64);
    back = boost::context::detail::jump_fcontext(saved_[running_], this);
  }

  std::size_t size_;
  void* memory_;
  std::vector<boost::context::detail::fcontext_t> saved_;  // the first is the thread's own
  std::size_t running_ = 0;
};

double switch_among(int n, int contexts) {
  circle all(static_cast<std::size_t>(contexts));
  all.go_round();
  return each(std::max(n / contexts, 1), [&] { all.go_round(); }) / contexts;
}

[[gnu::noinline]] void throws() { throw std::runtime_error("caught one frame up"); }

double throw_and_catch(int n) {
  return each(n, [] {
    try {
      throws();
    } catch (const std::runtime_error&) {
    }
  });
}

// Two threads, each on a CPU, take turns; gives a whole turn's time.
double taking_turns(int n, int here, int there, const std::function<void(int mine, std::atomic<int>&)>& take) {
  std::atomic<int> turn{0};
  std::thread other([&] {
    pin(there);
    for (int i = 0; i < n; ++i) take(1, turn);
  });
  cpu_set_t before;
  check(::sched_getaffinity(0, sizeof before, &before), "sched_getaffinity");
  pin(here);
  take(0, turn);
  const double time = each(n - 1, [&] { take(0, turn); });
  other.join();
  check(::sched_setaffinity(0, sizeof before, &before), "sched_setaffinity");
  return time;
}

void spin_for_turn(int mine, std::atomic<int>& turn) {
  while (turn.load(std::memory_order_acquire) != mine) {
  }
  turn.store(1 - mine, std::memory_order_release);
}

void sleep_for_turn(int mine, std::atomic<int>& turn) {
  auto* const word = reinterpret_cast<int*>(&turn);
  while (turn.load(std::memory_order_acquire) != mine)
    ::syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 1 - mine, nullptr, nullptr, 0);
  turn.store(1 - mine, std::memory_order_release);
  ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// Both calls of one who answers over the loopback: 64 bytes written at one end, and read at the other.
double write_and_read(int n) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  check(listener, "socket");
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  check(::bind(listener, address, size), "bind");
  check(::listen(listener, 1), "listen");
  check(::getsockname(listener, address, &size), "getsockname");
  const int to = ::socket(AF_INET, SOCK_STREAM, 0);
  check(::connect(to, address, size), "connect");
  const int from = ::accept(listener, nullptr, nullptr);
  check(from, "accept");
  const int on = 1;
  check(::setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  char text[64] = {};
  const double time = each(n, [&] {
    check(::write(to, text, sizeof text), "write");
    check(::read(from, text, sizeof text), "read");
  });
  for (const int fd : {listener, to, from}) ::close(fd);
  return time;
}

double signal_to_oneself(int n) {
  struct sigaction handle{};
  struct sigaction before{};
  handle.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &handle, &before);
  const double time = each(n, [] { ::pthread_kill(::pthread_self(), SIGUSR1); });
  ::sigaction(SIGUSR1, &before, nullptr);
  return time;
}

struct figure {
  std::string name, title;
  double nanoseconds;
};

std::vector<figure> measure(const options& o) {
  std::vector<figure> all;
  const auto ask = [&](const char* name, const char* title, int n, const auto& once) {
    std::vector<double> times;
    for (int round = 0; round < 5; ++round) times.push_back(once(o.quick ? n / 10 : n));
    all.push_back({name, title, median(times)});
  };
  ask("clock", "the clock, read", 1'000'000, clock_read);
  ask("locked", "a locked instruction, nobody else has the line", 10'000'000, locked_instruction);
  ask("allocation", "256 bytes allocated and freed", 1'000'000, allocation);
  ask("switch", "a switch of contexts by jump_fcontext", 10'000'000, context_switch);
  ask("switch_thousand", "the same among 1,000 contexts, each with a stack of its own", 10'000'000,
      [](int n) { return switch_among(n, 1'000); });
  ask("switch_hundred_thousand", "the same among 100,000", 1'000'000, [](int n) { return switch_among(n, 100'000); });
  ask("throw", "an exception thrown and caught one frame up", 100'000, throw_and_catch);
  ask("page_first", "a page touched for the first time", 100'000, [](int n) { return touch_pages(n).first; });
  ask("page_again", "the same for the second time, of 100,000", 100'000, [](int n) { return touch_pages(n).again; });
  ask("system_call", "a system call (getppid)", 1'000'000, system_call);
  ask("write_read", "64 bytes written to a TCP connection, and read from it", 100'000, write_and_read);
  ask("signal", "a signal to oneself: sent, handled, returned from", 100'000, signal_to_oneself);
  const std::vector<int> cpus = two_cpus();
  ask("hand_over", "a thread wakes another on the same CPU and sleeps (futex), and back", 20'000,
      [&](int n) { return taking_turns(n, cpus[0], cpus[0], sleep_for_turn); });
  if (cpus.size() < 2) return all;
  ask("line", "a cache line from one CPU to another, and back", 200'000,
      [&](int n) { return taking_turns(n, cpus[0], cpus[1], spin_for_turn); });
  ask("wake", "a thread wakes another on another CPU and sleeps (futex), and back", 5'000,
      [&](int n) { return taking_turns(n, cpus[0], cpus[1], sleep_for_turn); });
  return all;
}

void print(const std::vector<figure>& all) {
  table t({"the machine itself", "", "takes"});
  for (const figure& f : all) t.row({f.title, "", format_duration(f.nanoseconds)});
  t.print(stdout);
}

nlohmann::json to_json(const options& o, const std::vector<figure>& all) {
  nlohmann::json figures = nlohmann::json::array();
  for (const figure& f : all) figures.push_back({{"name", f.name}, {"title", f.title}, {"nanoseconds", f.nanoseconds}});
  return {{"benchmark", "machine"}, {"quick", o.quick}, {"machine", machine_facts()}, {"figures", figures}};
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    begin_results(o->out, {o->json});
    const std::vector<figure> all = measure(*o);
    print(all);
    write_file(o->json, to_json(*o, all).dump(2) + '\n');
    fmt::print("\nfigures: {}\n", o->json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "machine: {}\n", error.what());
    return 1;
  }
  return 0;
}
