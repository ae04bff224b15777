#include "options.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "workloads.hpp"

namespace soak {
namespace {

constexpr char k_usage[] =
    R"(usage: weft_soak [--minutes N | --seconds N] [--processors N] [--seed N] [--every N] [--patience N] [--only NAME]

All workloads at once in one run, each counted. Every so many seconds it prints the rounds of each, fibers, descriptors,
threads and memory. SIGINT and SIGTERM end it early, with the same checks.

  --minutes N     how long; or --seconds N (60)
  --processors N  how many fibers run at once (2); one workload changes it between 1 and this
  --seed N        where the random choices begin (1)
  --every N       seconds from report to report (10)
  --patience N    a workload that ends no round in so many seconds has failed (300)
  --only NAME     this workload alone, with nothing beside it

Status 1, after a dump of the fibers: something did not hold; a workload made no progress; fibers, descriptors or threads
were left; or, of a run of a minute or more, resident memory grew: its maximum in the last third after the first quarter,
which is warm-up, is more than 16 MiB and a tenth above that of the first third.

The workloads:)";

[[noreturn]] void help() {
  std::printf("%s", k_usage);
  std::size_t column = 120;
  for (const workload& w : workloads({})) {
    if (column + 1 + w.name.size() > 116) {
      std::printf("\n ");
      column = 1;
    }
    std::printf(" %.*s", static_cast<int>(w.name.size()), w.name.data());
    column += 1 + w.name.size();
  }
  std::printf("\n");
  std::exit(0);
}

[[noreturn]] void wrong(const char* what, const char* value) {
  std::fprintf(stderr, "weft_soak: %s: %s; --help says what there is\n", what, value);
  std::exit(2);
}

std::uint64_t number(const char* name, const char* text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t n = 0;
  const char* const end = text + std::strlen(text);
  if (const auto [stop, error] = std::from_chars(text, end, n);
      error != std::errc() || stop != end || n < least || n > most)
    wrong(name, text);
  return n;
}

}  // namespace

options parse(int argc, char** argv) {
  options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") help();
    if (i + 1 == argc) wrong("no such option, or no value", argv[i]);
    const char* const value = argv[++i];
    const auto seconds = [&] { return std::chrono::seconds(number(argv[i - 1], value, 1, 10'000'000)); };
    if (name == "--minutes")
      o.time = 60 * seconds();
    else if (name == "--seconds")
      o.time = seconds();
    else if (name == "--every")
      o.every = seconds();
    else if (name == "--patience")
      o.patience = seconds();
    else if (name == "--processors")
      o.processors = static_cast<unsigned>(number(argv[i - 1], value, 1, 1024));
    else if (name == "--seed")
      o.seed = number(argv[i - 1], value, 0, UINT64_MAX);
    else if (name == "--only")
      o.only = value;
    else
      wrong("no such option", argv[i - 1]);
  }
  return o;
}

}  // namespace soak
