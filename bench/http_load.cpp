#include "bench/http_load.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "bench/support/process.hpp"

namespace bench {
namespace {

// "1.25ms", in ns.
double duration_of(const std::string& text) {
  std::size_t digits = 0;
  const double value = std::stod(text, &digits);
  const std::string unit = text.substr(digits);
  if (unit == "us") return value * 1e3;
  if (unit == "ms") return value * 1e6;
  if (unit == "s") return value * 1e9;
  throw std::runtime_error("wrk says " + text);
}

// The lines that count:
//     50%    1.09ms
//     99%    3.88ms
//   225781 requests in 4.03s, 34.67MB read
//   Socket errors: connect 0, read 0, write 0, timeout 0
//   Non-2xx or 3xx responses: 1
// Requests/sec:  56061.08
load_result read_report(const std::string& report) {
  load_result r;
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (first == "50%") r.p50 = duration_of(second);
    if (first == "99%") r.p99 = duration_of(second);
    if (second == "requests") r.answers = std::stol(first);
    if (first == "Requests/sec:") r.rate = std::stod(second);
    if (first == "Non-2xx") r.bad_statuses = std::stol(line.substr(line.rfind(' ')));
    long connect = 0, read = 0, write = 0, timeout = 0;
    if (std::sscanf(line.c_str(), " Socket errors: connect %ld, read %ld, write %ld, timeout %ld", &connect, &read,
                    &write, &timeout) == 4)
      r.errors = connect + read + write + timeout;
  }
  if (r.answers == 0 || r.rate == 0) throw std::runtime_error("wrk says\n" + report);
  return r;
}

}  // namespace

bool has_wrk() {
  return run_program({.words = {"/bin/sh", "-c", "command -v wrk"}, .environment = {}, .directory = {}}).ok;
}

load_result run_wrk(int port, int connections, int seconds, const std::function<void()>& halfway) {
  const command wrk{.words = {"/bin/sh", "-c",
                              fmt::format("exec wrk -t1 -c{} -d{}s --latency http://127.0.0.1:{}/hello/you",
                                          connections, seconds, port)},
                    .environment = {},
                    .directory = {}};
  auto running = std::async(std::launch::async, [&] { return run_program(wrk); });
  if (halfway) {
    std::this_thread::sleep_for(std::chrono::milliseconds(500) * seconds);
    halfway();
  }
  const outcome o = running.get();
  if (!o.ok) throw std::runtime_error("wrk: " + o.problem);
  return read_report(o.output);
}

}  // namespace bench
