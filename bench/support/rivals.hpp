// The rivals' programs that are built when they are wanted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace bench {

struct rival_program {
  std::filesystem::path executable;
  std::string version;  // "go1.23.5", "1.24.2"
};
// Each builds the program NAME of bench/rivals/go or of bench/rivals/tokio into `results`. Nothing is fetched: those in
// Go use the standard library alone, those on tokio the crates that Debian packages.
// Empty with an empty problem: the rival is not installed. Empty with a problem: it is, and the build failed.
std::optional<rival_program> build_go_program(const std::string& name, const std::filesystem::path& results,
                                              std::string& problem);
std::optional<rival_program> build_tokio_program(const std::string& name, const std::filesystem::path& results,
                                                 std::string& problem);

}  // namespace bench
