#include "bench/support/results.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "bench/support/places.hpp"

namespace bench {

bool read_command_line(CLI::App& app, int argc, char** argv, int& status) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    status = 0;
    return false;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}: {}\nTry --help.\n", app.get_name(), error.what());
    status = 2;
    return false;
  }
  return true;
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
