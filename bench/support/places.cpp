#include "bench/support/places.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <fstream>

namespace bench {
namespace fs = std::filesystem;

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

}  // namespace bench
