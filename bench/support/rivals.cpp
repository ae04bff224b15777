// The rivals' sources are looked for where this was configured, then above the executable, so a moved checkout works
// too.
#include "bench/support/rivals.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "bench/support/places.hpp"
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
