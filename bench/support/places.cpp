// The rivals' sources are looked for where this was configured, then above the executable, so a moved checkout works
// too.
#include "bench/support/places.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "bench/support/process.hpp"

namespace bench {
namespace fs = std::filesystem;
namespace {

std::optional<fs::path> go_sources() {
  std::vector<fs::path> candidates{fs::path(WEFT_BENCH_SOURCE_DIR)};
  for (fs::path at = executable_directory(); at.has_relative_path(); at = at.parent_path())
    candidates.push_back(at / "bench");
  for (const fs::path& bench : candidates)
    if (fs::exists(bench / "rivals/go/go.mod")) return fs::absolute(bench / "rivals/go");
  return std::nullopt;
}

std::optional<fs::path> find_go() {
  std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    const fs::path candidate = fs::path(path.substr(at, end - at)) / "go";
    if (candidate.is_absolute() && ::access(candidate.c_str(), X_OK) == 0 && fs::is_regular_file(candidate))
      return candidate;
    at = end + 1;
  }
  std::vector<fs::path> installed;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib", ignored))
    if (entry.path().filename().string().starts_with("go-") && fs::exists(entry.path() / "bin/go"))
      installed.push_back(entry.path() / "bin/go");
  if (installed.empty()) return std::nullopt;
  return *std::ranges::max_element(installed);
}

}  // namespace

fs::path executable_directory() { return fs::read_symlink("/proc/self/exe").parent_path(); }

fs::path default_results_directory() {
  const fs::path here = executable_directory();
  for (fs::path at = here; at.has_relative_path(); at = at.parent_path())
    if (fs::exists(at / "CMakeCache.txt")) return at / "bench-results";
  return here / "bench-results";
}

unsigned usable_processors() {
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&cpus));
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "unknown";
}

std::optional<go_program> build_go_program(const std::string& name, const fs::path& results, std::string& problem) {
  const auto go = find_go();
  if (!go) return std::nullopt;
  const auto sources = go_sources();
  if (!sources) {
    problem = "the sources in bench/rivals/go are not there";
    return std::nullopt;
  }
  const fs::path folder = fs::absolute(results) / "go";
  fs::create_directories(folder);
  const std::vector<std::string> offline{"GOFLAGS=-mod=mod",
                                         "GOPROXY=off",
                                         "GOTOOLCHAIN=local",
                                         "GOTELEMETRY=off",
                                         "GOWORK=off",
                                         "GO111MODULE=on",
                                         "GOCACHE=" + (folder / "cache").string(),
                                         "GOPATH=" + (folder / "path").string()};
  const fs::path executable = folder / name;
  const outcome built = run_program({.words = {go->string(), "build", "-o", executable.string(), "./" + name},
                                     .environment = offline,
                                     .directory = sources->string(),
                                     .limit = std::chrono::seconds(300)});
  const outcome version = run_program(
      {.words = {go->string(), "env", "GOVERSION"}, .environment = offline, .directory = sources->string()});
  if (!built.ok || !version.ok) {
    problem = fmt::format("go build ./{}: {}", name, built.ok ? version.problem : built.problem);
    return std::nullopt;
  }
  return go_program{executable, version.output.substr(0, version.output.find('\n'))};
}

}  // namespace bench
