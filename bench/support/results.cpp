#include "bench/support/results.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "bench/support/places.hpp"

namespace bench {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

nlohmann::json machine_facts() {
  return {{"processor", processor_name()},
          {"processors", usable_processors()},
          {"kernel", kernel_release()},
          {"compiler", __VERSION__}};
}

}  // namespace bench
