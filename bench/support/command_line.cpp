#include "bench/support/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/support/places.hpp"

namespace bench {

struct command_line::state {
  CLI::App app;
  std::string program;
  std::string* out = nullptr;
  std::string* json = nullptr;
  std::string* svg = nullptr;

  template <class T>
  CLI::Option* list(const std::string& name, std::vector<T>& to, const std::string& help) {
    return app.add_option(name, to, help)->delimiter(',')->type_name("LIST");
  }
};

command_line::command_line(const std::string& program, const std::string& purpose)
    : state_(new state{CLI::App(purpose, program), program}) {}
command_line::~command_line() = default;

void command_line::flag(const std::string& name, bool& to, const std::string& help) {
  state_->app.add_flag(name, to, help);
}
void command_line::text(const std::string& name, std::string& to, const std::string& type, const std::string& help) {
  state_->app.add_option(name, to, help)->type_name(type);
}
void command_line::word(const std::string& name, std::string& to, const std::vector<std::string>& of,
                        const std::string& help) {
  state_->app.add_option(name, to, help)->type_name("WHICH")->check(CLI::IsMember(of).description(""));
}
void command_line::words(const std::string& name, std::vector<std::string>& to, const std::vector<std::string>& of,
                         const std::string& help) {
  state_->list(name, to, help)->check(CLI::IsMember(of).description(""));
}

template <class T>
void command_line::number(const std::string& name, T& to, T least, T most, const std::string& help) {
  state_->app.add_option(name, to, help)->type_name("N")->check(CLI::Range(least, most).description(""));
}
template void command_line::number(const std::string&, int&, int, int, const std::string&);
template void command_line::number(const std::string&, std::size_t&, std::size_t, std::size_t, const std::string&);

void command_line::numbers(const std::string& name, std::vector<int>& to, int least, int most,
                           const std::string& help) {
  state_->list(name, to, help)->check(CLI::Range(least, most).description(""));
}

void command_line::rows(std::vector<std::string>& to, const std::vector<std::string>& names) {
  words("--rows", to, names, fmt::format("of {} (default: all)", fmt::join(names, ", ")));
}
void command_line::processors(std::vector<unsigned>& to, const std::string& otherwise) {
  state_->list("--processors", to, fmt::format("numbers, or 'all' (default: {})", otherwise))
      ->transform([](std::string word) { return word == "all" ? std::to_string(usable_processors()) : word; })
      ->check(CLI::Range(1U, 1024U).description(""));
}
void command_line::blocks(int& to, const std::string& help) { number("--blocks", to, 1, 1000, help); }
void command_line::no_rivals(bool& rivals, const std::string& help) { flag("!--no-rivals", rivals, help); }

void command_line::results(std::string& out, std::string* json, std::string* svg) {
  const std::string& program = state_->program;
  state_->out = &out;
  state_->json = json;
  state_->svg = svg;
  text("--out", out, "DIR", "folder for results (default: bench-results in the build folder)");
  if (json != nullptr) text("--json", *json, "FILE", fmt::format("figures as JSON (default: DIR/{}.json)", program));
  if (svg != nullptr) text("--svg", *svg, "FILE", fmt::format("picture (default: DIR/{}.svg)", program));
}

bool command_line::parse(int argc, char** argv, int& status) {
  state& s = *state_;
  try {
    s.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", s.app.help());
    status = 0;
    return false;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}: {}\nTry --help.\n", s.program, error.what());
    status = 2;
    return false;
  }
  if (s.out != nullptr && s.out->empty()) *s.out = default_results_directory().string();
  if (s.json != nullptr && s.json->empty()) *s.json = fmt::format("{}/{}.json", *s.out, s.program);
  if (s.svg != nullptr && s.svg->empty()) *s.svg = fmt::format("{}/{}.svg", *s.out, s.program);
  return true;
}

}  // namespace bench
