// The goals are the project's; they were set on a 2-core x86-64 virtual machine, so on another one compare ratios.
#include "bench/support/metrics.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace bench {
namespace {

constexpr std::array k_metrics{
    metric{"yield_2", "yield_2", "yield between 2 fibers", "ns", 12, 0},
    metric{"yield_1000", "yield_1000", "yield among 1,000", "ns", 13, 10},
    metric{"spawn_join", "spawn_join", "spawn and join, batches of 1,000", "ns", 45, 50},
    metric{"ping_pong", "ping_pong", "ping-pong over 2 unbuffered channels", "ns", 60, 70},
    metric{"buffered_1_1", "buffered_1_1", "buffered channel (128), 1 to 1", "ns", 12, 16},
    metric{"buffered_4_4", "buffered_4_4", "buffered channel (128), 4 to 4", "ns", 12, 25},
    metric{"select_unbuffered", "select_unbuffered", "select over 4 unbuffered channels", "ns", 100, 0},
    metric{"select_buffered", "select_buffered", "select over 4 buffered channels", "ns", 30, 0},
    metric{"mutex", "mutex", "mutex, 8 fibers", "ns", 4, 10},
    metric{"skynet", "skynet", "skynet, 1 million", "ms", 300, 180},
    metric{"fib", "fib", "fork-join fib(25)", "ms", 4.8, 2.7},
    metric{"parked_bytes", "parked", "memory per parked fiber, 1 million", "bytes", 4400, 4400},
    metric{"parked_spawn", "parked", "spawn and park, 1 million, each", "ns", 2400, 1500},
    metric{"context_cancel", "context_cancel", "with_cancel and cancel", "ns", 40, 0},
    metric{"context_timeout", "context_timeout", "with_timeout and cancel", "ns", 150, 0},
    metric{"context_value", "context_value", "context value at depth 10", "ns", 15, 0},
    metric{"context_tree", "context_tree", "cancel a tree of 111,111 contexts", "ms", 3, 0},
    metric{"timer_stop", "timer_stop", "timer create and stop", "ns", 60, 60},
    metric{"sleepers_cpu", "sleepers", "100,000 sleepers over 1 s: CPU", "ms", 0, 150},
    metric{"sleepers_p50", "sleepers", "100,000 sleepers: lateness p50", "us", 0, 100},
    metric{"sleepers_p99", "sleepers", "100,000 sleepers: lateness p99", "us", 0, 1000},
    metric{"cancel_1_p50", "cancel_1", "cancel 1 parked fiber: it runs, p50", "us", 0.2, 0},
    metric{"cancel_1_p99", "cancel_1", "cancel 1 parked fiber: it runs, p99", "us", 1.5, 0},
    metric{"cancel_1000", "cancel_1000", "cancel 1,000 parked: the last has run", "us", 0, 70},
    metric{"cancel_100000", "cancel_100000", "cancel 100,000 parked: the last has run", "ms", 0, 12},
    metric{"cancel_bound", "cancel_bound", "cancel 100,000 bound, thrown and unwound", "ms", 0, 110},
};

constexpr std::array k_other_metrics{
    metric{"deadline_1_p50", "", "a deadline behind a loop on every processor: its fiber runs, p50", "us", 40, 40},
    metric{"deadline_1_p99", "", "a deadline behind a loop on every processor: its fiber runs, p99", "us", 120, 120},
    metric{"deadline_4_p50", "", "a deadline behind 4 loops a processor: its fiber runs, p50", "us", 40, 40},
    metric{"deadline_4_p99", "", "a deadline behind 4 loops a processor: its fiber runs, p99", "us", 120, 120},
    metric{"interruptible_p50", "", "cancel a loop in interruptible: it has been left, p50", "us", 25, 25},
    metric{"interruptible_p99", "", "cancel a loop in interruptible: it has been left, p99", "us", 80, 80},
    metric{"echo_64", "", "TCP echo of 64 bytes, 64 connections", "requests/s", 185'000, 0, true},
    metric{"echo_1000", "", "TCP echo of 64 bytes, 1,000 connections", "requests/s", 163'000, 0, true},
};

}  // namespace

std::span<const metric> metrics() { return k_metrics; }
std::span<const metric> other_metrics() { return k_other_metrics; }

const metric& metric_named(std::string_view name) {
  const auto* found = std::ranges::find(k_metrics, name, &metric::name);
  if (found == k_metrics.end()) throw std::out_of_range("no such metric: " + std::string(name));
  return *found;
}

}  // namespace bench
