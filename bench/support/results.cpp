#include "bench/support/results.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "bench/support/places.hpp"

namespace bench {

void begin_results(const std::filesystem::path& folder, std::initializer_list<std::filesystem::path> files) {
  std::filesystem::create_directories(folder);
  for (const auto& file : files) write_file(file, "");
}

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
