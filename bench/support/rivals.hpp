// The rivals' programs that are built when they are wanted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace bench {

// A Go program of bench/rivals/go, built into `results`. Nothing is fetched: the rivals use the standard library alone.
struct go_program {
  std::filesystem::path executable;
  std::string version;  // "go1.23.5"
};
// Empty with an empty problem: Go is not installed. Empty with a problem: it is, and the build failed.
std::optional<go_program> build_go_program(const std::string& name, const std::filesystem::path& results,
                                           std::string& problem);

}  // namespace bench
