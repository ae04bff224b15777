// A thousand fibers that serve requests, of which ten are busy: as fast as ten clients can ask, and at a given rate.
// And bursts: a thousand fibers at once, every 10 ms.
#include <atomic>
#include <vector>
#include <weft/weft.hpp>

#include "bench/load.hpp"
#include "bench/load_work.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;
using weft::clock;

constexpr int k_servers = 1000, k_clients = 10;
constexpr auto k_served_for = 10us;
constexpr auto k_client_period = 1ms;

constexpr int k_burst = 1000;
constexpr auto k_burst_period = 10ms;
constexpr auto k_burst_work = 1us;

using answer = weft::chan<void>;

class servers {
 public:
  servers() {
    for (const auto& inbox : inboxes_)
      ended_.go([inbox] {
        for (const answer& a : inbox) {
          work_for(k_served_for);
          a.send();
        }
      });
  }
  ~servers() {
    for (const auto& inbox : inboxes_) inbox.close();
    ended_.wait();
  }
  // Another one each time.
  void ask(int client, int request, const answer& a) const {
    inboxes_[static_cast<std::size_t>((client * 101 + request * 7) % k_servers)].send(a);
    a.recv();
  }

 private:
  std::vector<weft::chan<answer>> inboxes_{std::size_t{k_servers}};
  weft::wait_group ended_;
};

// client(number) asks until the time is up and gives its requests' durations; what is common to all of them is added.
template <class Client>
load_samples ask(const std::string& name, Client&& client) {
  std::vector<std::vector<double>> durations(k_clients);
  weft::wait_group clients;
  const stopwatch wall;
  const double cpu = process_cpu_milliseconds();
  for (int c = 0; c < k_clients; ++c) clients.go([&, c] { durations[static_cast<std::size_t>(c)] = client(c); });
  clients.wait();
  const double used = (process_cpu_milliseconds() - cpu) * 1e6;
  const double passed = wall.nanoseconds();
  load_samples all;
  std::vector<double>& every = all[name];
  for (const auto& some : durations) every.insert(every.end(), some.begin(), some.end());
  const auto count = static_cast<double>(every.size());
  all[name + "_cpu"] = {used / count};
  all[name + "_each"] = {passed / count};
  return all;
}

load_samples few(std::chrono::milliseconds time) {
  const servers all;
  const auto begin = clock::now() + 5ms;
  return ask("few", [&](int c) {
    std::vector<double> durations;
    const answer a(1);
    auto due = begin + c * k_client_period / k_clients;
    for (int i = 0; due < begin + time; ++i, due += k_client_period) {
      if (clock::now() < due) weft::this_fiber::sleep_until(due);
      all.ask(c, i, a);
      durations.push_back(static_cast<double>((clock::now() - due).count()));
    }
    return durations;
  });
}

load_samples busy(std::chrono::milliseconds time) {
  const servers all;
  const auto end = clock::now() + time;
  return ask("busy", [&](int c) {
    std::vector<double> durations;
    const answer a(1);
    auto asked = clock::now();
    for (int i = 0; asked < end; ++i) {
      all.ask(c, i, a);
      const auto now = clock::now();
      durations.push_back(static_cast<double>((now - asked).count()));
      asked = now;
    }
    return durations;
  });
}

load_samples bursts(std::chrono::milliseconds time) {
  load_samples all;
  std::vector<double>& until_last = all["burst"];
  const auto begin = clock::now() + 5ms;
  const double cpu = process_cpu_milliseconds();
  for (auto due = begin; due < begin + time; due += k_burst_period) {
    weft::wait_group ended;
    weft::this_fiber::sleep_until(due);
    for (int i = 0; i < k_burst; ++i) ended.go([] { work_for(k_burst_work); });
    ended.wait();
    until_last.push_back(static_cast<double>((clock::now() - due).count()));
  }
  const double used = (process_cpu_milliseconds() - cpu) * 1e6;
  all["burst_cpu"] = {used / k_burst / static_cast<double>(until_last.size())};
  return all;
}

}  // namespace

load_samples load_mixed(const load_workload& load, std::chrono::milliseconds time) {
  if (load.name == "few") return few(time);
  if (load.name == "busy") return busy(time);
  return bursts(time);
}

}  // namespace bench
