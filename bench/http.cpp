// How many requests an HTTP server answers in a second, how long each takes, and what of the CPU it costs: weft's
// beside Go's net/http. And whether it loses any when it is stopped at full load.
//
// Each server is a process of its own, on one CPU and with one processor; wrk is on the other CPU. They take turns in
// blocks, and who begins changes from block to block.
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "bench/http_load.hpp"
#include "bench/http_serve.hpp"
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

struct options {
  int connections = 64;
  int seconds = 0;  // of a block; 0: 4, or 1 when quick
  int blocks = 0;   // 0: 5, or 2 when quick
  int stops = 0;    // 0: 10, or 3 when quick
  bool quick = false;
  bool rivals = true;
  bool serve = false;
  std::string out;
  std::string json;
};

std::optional<options> parse(int argc, char** argv, int& status) {
  command_line line("http", "Requests per second, latency and CPU per request of an HTTP server, by wrk.");
  options o;
  line.flag("--quick", o.quick, "shorter blocks: about a quarter of a minute");
  line.number("--connections", o.connections, 1, 10'000, "at a time (default: 64)");
  line.number("--seconds", o.seconds, 1, 1000, "of a block (default: 4)");
  line.blocks(o.blocks, "the servers take turns so many times (default: 5)");
  line.number("--stops", o.stops, 1, 1000, "weft's is stopped at full load so many times (default: 10)");
  line.no_rivals(o.rivals, "leave Go out, even where it is installed");
  line.flag("--serve", o.serve, "only serve; says the port");
  line.results(o.out, &o.json);
  if (!line.parse(argc, argv, status)) return std::nullopt;
  if (o.seconds == 0) o.seconds = o.quick ? 1 : 4;
  if (o.blocks == 0) o.blocks = o.quick ? 2 : 5;
  if (o.stops == 0) o.stops = o.quick ? 3 : 10;
  return o;
}

struct figures {
  std::string server;
  std::vector<std::string> command;
  std::vector<double> rates, p50, p99, costs;  // by block; ns but for the rates
};

struct stopped {
  long handled = 0;   // requests that got to a handler, of all stops
  long answered = 0;  // answers that wrk has read
  std::vector<double> took;
};

struct report {
  std::vector<figures> servers;
  stopped stops;
  std::string go_version = "left out";
};

load_result load(const server_process& s, const options& o) { return run_wrk(s.port(), o.connections, o.seconds); }

void measure_block(figures& f, const options& o, const two_places& where) {
  const server_process server(f.command, where.server);
  const auto before = server.cpu_time();
  const load_result r = load(server, o);
  const auto used = server.cpu_time() - before;
  if (r.bad_statuses != 0 || r.errors != 0) throw std::runtime_error(f.server + " failed some of the requests");
  f.rates.push_back(r.rate);
  f.p50.push_back(r.p50);
  f.p99.push_back(r.p99);
  f.costs.push_back(static_cast<double>(used.count()) / static_cast<double>(r.answers));
}

// In the middle of the load. The server says how many requests it has handled.
void measure_stop(stopped& s, const figures& weft, const options& o, const two_places& where) {
  server_process server(weft.command, where.server);
  server_process::end e{};
  const load_result r = run_wrk(server.port(), o.connections, 1, [&] { e = server.stop(); });
  if (!WIFEXITED(e.status) || WEXITSTATUS(e.status) != 0) throw std::runtime_error("a stopped server failed");
  s.handled += std::stol(e.said);
  s.answered += r.answers;
  s.took.push_back(static_cast<double>(e.took.count()));
}

report measure(const options& o) {
  report all;
  all.servers.push_back({.server = "weft",
                         .command = {(executable_directory() / "http").string(), "--serve"},
                         .rates = {},
                         .p50 = {},
                         .p99 = {},
                         .costs = {}});
  progress line(3);
  line.step("building the Go program");
  if (o.rivals) {
    std::string problem;
    const auto go = build_go_program("http", o.out, problem);
    if (!problem.empty()) throw std::runtime_error(problem);
    all.go_version = go ? go->version : "not installed";
    if (go)
      all.servers.push_back(
          {.server = "Go", .command = {go->executable.string()}, .rates = {}, .p50 = {}, .p99 = {}, .costs = {}});
  }
  const two_places where = find_two_places();
  keep_to(where.client);
  ::setenv("WEFT_PROCESSORS", "1", 0);
  ::setenv("GOMAXPROCS", "1", 0);
  line.step("requests");
  for (int block = 0; block < o.blocks; ++block)
    for (std::size_t i = 0; i < all.servers.size(); ++i)
      measure_block(all.servers[(i + static_cast<std::size_t>(block)) % all.servers.size()], o, where);
  line.step("stops at full load");
  for (int i = 0; i < o.stops; ++i) measure_stop(all.stops, all.servers.front(), o, where);
  return all;
}

void print_table(const report& all, const options& o) {
  fmt::print("GET of a short text, {} connections, one CPU for the server, another for wrk. Go: {}.\n", o.connections,
             all.go_version);
  table t({"server", "beside weft", "requests/s", "p50", "p99", "CPU a request"});
  const double weft = median(all.servers.front().rates);
  for (const figures& f : all.servers)
    t.row({f.server, format_ratio(median(f.rates) / weft), format_count(static_cast<long long>(median(f.rates))),
           format_duration(median(f.p50)), format_duration(median(f.p99)), format_duration(median(f.costs))});
  t.print(stdout);
  fmt::print("\nStopped {} times at full load: {} requests handled, {} answers read; gone within {}.\n",
             all.stops.took.size(), format_count(all.stops.handled), format_count(all.stops.answered),
             format_duration(*std::ranges::max_element(all.stops.took)));
}

std::string to_json(const report& all, const options& o) {
  nlohmann::json entries = nlohmann::json::array();
  for (const figures& f : all.servers)
    entries.push_back({{"server", f.server},
                       {"requests_per_second", median(f.rates)},
                       {"requests_per_second_by_block", f.rates},
                       {"p50_ns", median(f.p50)},
                       {"p99_ns", median(f.p99)},
                       {"cpu_ns_per_request", median(f.costs)}});
  const nlohmann::json stops{
      {"handled", all.stops.handled}, {"answered", all.stops.answered}, {"took_ns", all.stops.took}};
  return nlohmann::json{{"benchmark", "http"},  {"quick", o.quick},           {"connections", o.connections},
                        {"go", all.go_version}, {"machine", machine_facts()}, {"figures", entries},
                        {"stops", stops}}
      .dump(2);
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const auto o = parse(argc, argv, status);
  if (!o) return status;
  try {
    if (o->serve) return serve_http();
    if (!has_wrk()) {
      fmt::print("http: wrk is not installed (Debian: wrk)\n");
      return 0;
    }
    begin_results(o->out, {o->json});
    const report all = measure(*o);
    print_table(all, *o);
    write_file(o->json, to_json(all, *o) + "\n");
    fmt::print("\nfigures: {}\n", o->json);
    return all.stops.handled == all.stops.answered ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "http: {}\n", error.what());
    return 1;
  }
}
