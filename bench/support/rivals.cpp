// The rivals' sources are looked for where this was configured, then above the executable, so a moved checkout works
// too.
#include "bench/support/rivals.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

#include "bench/support/places.hpp"
#include "bench/support/process.hpp"

namespace bench {
namespace fs = std::filesystem;
namespace {

constexpr const char* k_cargo = "/usr/bin/cargo";
constexpr const char* k_rustc = "/usr/bin/rustc";
constexpr const char* k_crates = "/usr/share/cargo/registry";

std::optional<fs::path> sources_of(const std::string& rival, const char* file) {
  std::vector<fs::path> candidates{fs::path(WEFT_BENCH_SOURCE_DIR)};
  for (fs::path at = executable_directory(); at.has_relative_path(); at = at.parent_path())
    candidates.push_back(at / "bench");
  for (const fs::path& bench : candidates)
    if (const fs::path folder = bench / "rivals" / rival; fs::exists(folder / file)) return fs::absolute(folder);
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

// The version of a crate that Debian has packaged, where it is installed.
std::optional<std::string> crate_version(const std::string& crate) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(k_crates, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(crate + '-') && std::isdigit(static_cast<unsigned char>(name[crate.size() + 1])) != 0)
      return name.substr(crate.size() + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<rival_program> build_go_program(const std::string& name, const fs::path& results, std::string& problem) {
  const auto go = find_go();
  if (!go) return std::nullopt;
  const auto sources = sources_of("go", "go.mod");
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
  return rival_program{executable, version.output.substr(0, version.output.find('\n'))};
}

std::optional<rival_program> build_tokio_program(const std::string& name, const fs::path& results,
                                                 std::string& problem) {
  const auto version = crate_version("tokio");
  if (!version || !crate_version("tokio-util") || !crate_version("async-channel") || !fs::exists(k_cargo) ||
      !fs::exists(k_rustc))
    return std::nullopt;
  const auto sources = sources_of("tokio", "Cargo.toml");
  if (!sources) {
    problem = "the sources in bench/rivals/tokio are not there";
    return std::nullopt;
  }
  const fs::path folder = fs::absolute(results) / "tokio";
  const fs::path copy = folder / "sources";  // cargo writes beside them
  fs::create_directories(copy);
  fs::copy(*sources, copy, fs::copy_options::recursive | fs::copy_options::update_existing);
  const outcome built = run_program(
      {.words = {k_cargo, "build", "--release", "--offline", "--quiet", "--bin", name, "--config",
                 R"(source.crates-io.replace-with="debian")", "--config",
                 fmt::format(R"(source.debian.directory="{}")", k_crates)},
       .environment = {fmt::format("RUSTC={}", k_rustc), "RUSTFLAGS=", "CARGO_HOME=" + (folder / "home").string(),
                       "CARGO_TARGET_DIR=" + (folder / "target").string()},
       .directory = copy.string(),
       .limit = std::chrono::seconds(900)});
  if (!built.ok) {
    problem = fmt::format("cargo build --bin {}: {}", name, built.problem);
    return std::nullopt;
  }
  return rival_program{folder / "target/release" / name, *version};
}

}  // namespace bench
