#include "supervisor.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

using namespace std::chrono_literals;

namespace soak {
namespace {

sigset_t ending_signals() {
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGINT);
  sigaddset(&s, SIGTERM);
  return s;
}

long whole_seconds(memory_record::duration d) { return static_cast<long>(d / 1s); }

}  // namespace

supervisor::supervisor(const options& o, std::deque<workload>& all) : options_(o), all_(all), seen_(all.size()) {
  const sigset_t ending = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  thread_ = std::thread([this] { watch(); });
}

supervisor::~supervisor() {
  ended_ = true;
  thread_.join();
}

memory_record::verdict supervisor::memory() {
  ended_ = true;
  thread_.join();
  thread_ = std::thread([] {});
  return memory_.judge();
}

void supervisor::watch() {
  const sigset_t ending = ending_signals();
  duration next_report = options_.every;
  for (auto last = clock::now(); !ended_;) {
    const timespec tick{0, 100'000'000};
    if (const int signal = ::sigtimedwait(&ending, nullptr, &tick); signal > 0) {
      std::printf("soak: ended early by signal %d\n", signal);
      over_ = true;
    }
    const auto look = clock::now();
    now_ += std::min<duration>(look - std::exchange(last, look), 1s);
    if (!over_) memory_.add(now_, test::resident_bytes());
    if (now_ >= options_.time) over_ = true;
    look_for_failures();
    look_for_progress();
    if (now_ < next_report || phase_ != nullptr) continue;
    report();
    next_report += options_.every;
  }
}

void supervisor::look_for_failures() {
  for (workload& w : all_)
    if (const std::string failure = w.seen.first_failure(); !failure.empty())
      fail(std::string(w.name) + ", round " + std::to_string(w.rounds + 1) + ": " + failure);
}

void supervisor::look_for_progress() {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const workload& w = all_[i];
    if (const long rounds = w.rounds; rounds != seen_[i].rounds || w.ended) seen_[i] = {rounds, now_};
    if (now_ - seen_[i].since > options_.patience)
      fail(std::string(w.name) + ": round " + std::to_string(w.rounds + 1) + " has not ended in " +
           std::to_string(options_.patience.count()) + " s");
  }
  if (const char* phase = phase_; phase != phase_seen_) {
    phase_seen_ = phase;
    phase_since_ = now_;
  }
  if (phase_seen_ != nullptr && now_ - phase_since_ > options_.patience)
    fail(std::string(phase_seen_) + " took more than " + std::to_string(options_.patience.count()) + " s");
}

void supervisor::report() const {
  std::printf("[%5ld s] %zu fibers, %ld descriptors, %zu threads, %s resident, at most %s\n", whole_seconds(now_),
              weft::debug::fibers().size(), test::open_descriptors(), test::count_threads(),
              mebibytes(memory_.latest()).c_str(), mebibytes(memory_.most()).c_str());
  std::printf("          rounds:");
  for (const workload& w : all_)
    std::printf(" %.*s %ld%s", static_cast<int>(w.name.size()), w.name.data(), w.rounds.load(),
                &w == &all_.back() ? "\n" : ",");
  std::fflush(stdout);
}

void supervisor::fail(const std::string& what) const {
  ::signal(SIGALRM, [](int) { ::_exit(1); });
  ::alarm(30);  // in case that the dump waits for what it is to show
  std::fflush(stdout);
  std::fprintf(stderr, "soak: FAILED after %ld s, seed %llu: %s\n", whole_seconds(now_),
               static_cast<unsigned long long>(options_.seed), what.c_str());
  weft::debug::dump(std::cerr);
  std::cerr.flush();
  ::_exit(1);
}

}  // namespace soak
