// How many requests an echo server answers in a second, how long each takes, and what of the CPU it costs: weft's
// beside a plain epoll loop, Boost.Asio's, Go's and tokio's.
//
// Each server is a process of its own, on one CPU and with one processor; the client is on the other CPU. They take
// turns in blocks, and who begins changes from block to block.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "bench/echo_client.hpp"
#include "bench/echo_servers.hpp"
#include "bench/support/command_line.hpp"
#include "bench/support/places.hpp"
#include "bench/support/progress.hpp"
#include "bench/support/results.hpp"
#include "bench/support/rivals.hpp"
#include "bench/support/server_process.hpp"
#include "bench/support/statistics.hpp"
#include "bench/support/table.hpp"

namespace {

using namespace bench;
using namespace std::chrono_literals;

struct options {
  std::vector<int> connections{64, 1000};
  std::size_t size = 64;
  bool quick = false;
  bool rivals = true;
  int blocks = 0;  // 0: 5, or 2 when quick
  std::string serve;
  std::string out;
  std::string json;
};

std::optional<options> parse(int argc, char** argv, int& status) {
  command_line line("echo", "Requests per second, round trips and CPU per request of an echo server.");
  options o;
  line.flag("--quick", o.quick, "shorter blocks: about a quarter of a minute");
  line.numbers("--connections", o.connections, 1, 100'000, "at a time (default: 64, 1000)");
  line.number("--size", o.size, std::size_t{1}, std::size_t{4096}, "of a request, in bytes (default: 64)");
  line.blocks(o.blocks, "the servers take turns so many times (default: 5)");
  line.no_rivals(o.rivals, "leave Asio, Go and tokio out, even where they are installed");
  line.word("--serve", o.serve, {"weft", "epoll"}, "only serve: weft or epoll; says the port");
  line.results(o.out, &o.json);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  if (o.blocks == 0) o.blocks = o.quick ? 2 : 5;
  return o;
}

struct rival {
  std::string name;
  std::vector<std::string> command;
};

struct figures {
  std::string server;
  int connections = 0;
  std::vector<double> rates;              // requests per second, by block
  std::vector<double> costs;              // server CPU per request, ns, by block
  std::vector<std::int64_t> round_trips;  // of all blocks

  double rate() const { return median(rates); }
  double cost() const { return median(costs); }
};

void measure_block(figures& f, const rival& r, const options& o, const two_places& where) {
  const server_process server(r.command, where.server);
  echo_client client(server.port(), {f.connections, o.size});
  client.run(100ms);  // until all connections are served and caches are warm
  const auto before = server.cpu_time();
  const echo_samples s = client.run(o.quick ? 500ms : 2000ms);
  const auto used = server.cpu_time() - before;
  const auto requests = static_cast<double>(s.round_trips.size());
  f.rates.push_back(requests * 1e9 / static_cast<double>(s.time.count()));
  f.costs.push_back(static_cast<double>(used.count()) / requests);
  f.round_trips.insert(f.round_trips.end(), s.round_trips.begin(), s.round_trips.end());
}

using versions = std::map<std::string, std::string>;  // of the rivals that are built here, or why they are not there

std::vector<figures> measure(const options& o, versions& built) {
  const std::string self = (executable_directory() / "echo").string();
  std::vector<rival> rivals{{"epoll", {self, "--serve=epoll"}}, {"weft", {self, "--serve=weft"}}};
  progress line(static_cast<int>(o.connections.size()) + 1);
  line.step("building the programs in Go and on tokio");
  if (o.rivals) {
    const std::filesystem::path asio = executable_directory() / "rival_asio_echo";  // where Asio is installed
    if (std::filesystem::exists(asio)) rivals.push_back({"Asio", {asio.string()}});
    const auto add = [&](const std::string& name, const auto& build) {
      std::string problem;
      const std::optional<rival_program> program = build("echo", o.out, problem);
      if (!problem.empty()) throw std::runtime_error(problem);
      built[name] = program ? program->version : "not installed";
      if (program) rivals.push_back({name, {program->executable.string()}});
    };
    add("Go", build_go_program);
    add("tokio", build_tokio_program);
  }
  const two_places where = find_two_places();
  keep_to(where.client);
  ::setenv("WEFT_PROCESSORS", "1", 0);
  ::setenv("GOMAXPROCS", "1", 0);
  std::vector<figures> all;
  for (const int connections : o.connections) {
    line.step(fmt::format("{} connections", connections));
    const std::size_t first = all.size();
    for (const rival& r : rivals)
      all.push_back({.server = r.name, .connections = connections, .rates = {}, .costs = {}, .round_trips = {}});
    for (int block = 0; block < o.blocks; ++block)
      for (std::size_t i = 0; i < rivals.size(); ++i) {
        const std::size_t turn = (i + static_cast<std::size_t>(block)) % rivals.size();
        measure_block(all[first + turn], rivals[turn], o, where);
      }
  }
  for (figures& f : all) std::ranges::sort(f.round_trips);
  return all;
}

void print_table(const std::vector<figures>& all, const options& o, const versions& built) {
  fmt::print("Echo of {} bytes over TCP, one CPU for the server, another for the client.", o.size);
  for (const auto& [name, version] : built) fmt::print(" {}: {}.", name, version);
  fmt::print("\n");
  table t({"server", "beside epoll", "requests/s", "p50", "p99", "CPU a request"});
  int section = 0;
  double plain = 0;
  for (const figures& f : all) {
    if (f.connections != section) t.section(fmt::format("{} connections", format_count(section = f.connections)));
    if (f.server == "epoll") plain = f.rate();
    t.row({f.server, format_ratio(f.rate() / plain), format_count(static_cast<long long>(f.rate())),
           format_duration(static_cast<double>(percentile(f.round_trips, 50))),
           format_duration(static_cast<double>(percentile(f.round_trips, 99))), format_duration(f.cost())});
  }
  t.print(stdout);
}

std::string to_json(const std::vector<figures>& all, const options& o, const versions& built) {
  nlohmann::json entries = nlohmann::json::array();
  for (const figures& f : all)
    entries.push_back({{"server", f.server},
                       {"connections", f.connections},
                       {"requests_per_second", f.rate()},
                       {"requests_per_second_by_block", f.rates},
                       {"p50_ns", percentile(f.round_trips, 50)},
                       {"p99_ns", percentile(f.round_trips, 99)},
                       {"cpu_ns_per_request", f.cost()}});
  return nlohmann::json{{"benchmark", "echo"}, {"quick", o.quick},           {"size", o.size},
                        {"rivals", built},     {"machine", machine_facts()}, {"figures", entries}}
      .dump(2);
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    if (!o->serve.empty()) return serve_echo(o->serve);
    begin_results(o->out, {o->json});
    versions built;
    const std::vector<figures> all = measure(*o, built);
    print_table(all, *o, built);
    write_file(o->json, to_json(all, *o, built) + "\n");
    fmt::print("\nfigures: {}\n", o->json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "echo: {}\n", error.what());
    return 1;
  }
  return 0;
}
