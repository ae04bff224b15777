// Resident memory of this process.
#pragma once

#include <unistd.h>

#include <cstdio>

namespace bench {

inline double resident_bytes() {
  long pages = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(statm, "%*s %ld", &pages) != 1) pages = 0;
    std::fclose(statm);
  }
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace bench
