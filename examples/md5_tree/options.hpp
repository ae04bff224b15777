#pragma once
// The command line of md5_tree.

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace md5_tree {

inline constexpr int k_exit_failed = 1;
inline constexpr int k_exit_usage = 2;
inline constexpr int k_exit_timed_out = 124;    // as timeout(1)
inline constexpr int k_exit_interrupted = 130;  // as the shell says for a program that SIGINT ended

inline constexpr int k_most_workers = 100'000;

struct options {
  std::string root;
  int workers = 20;
  std::optional<std::chrono::nanoseconds> timeout;
  std::string timeout_text;
  bool keep_going = false;
};

// Either options, or the text and the exit status to leave with.
struct parsed {
  std::optional<md5_tree::options> options;
  std::string text;
  int status = 0;
};

inline constexpr const char* k_help = R"(md5_tree [OPTION]... DIR
The MD5 digest of every regular file below DIR, as md5sum writes it, sorted by path. Symbolic links are not followed.

  --workers N      digest N files at once (20)
  --timeout TIME   give up after TIME: 5ms, 1.5s, 2m; units ns us ms s m h
  --keep-going     report what cannot be read and go on; without it, the first such path ends the program
  --help           show this

Exit status: 0 all were digested; 1 something could not be read or written; 2 bad command line;
124 timed out; 130 interrupted by Ctrl-C. Except under --keep-going, nothing is printed unless all were digested.
)";

inline std::optional<int> parse_workers(std::string_view text) {
  int workers = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), workers);
  if (error != std::errc{} || end != text.end() || workers < 1 || workers > k_most_workers) return std::nullopt;
  return workers;
}

inline std::optional<std::chrono::nanoseconds> parse_time(std::string_view text) {
  static constexpr std::pair<std::string_view, double> k_units[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                                                                    {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
  double value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  for (const auto& [name, nanoseconds] : k_units) {
    if (std::string_view(end, text.end()) != name) continue;
    const double total = value * nanoseconds;
    if (!std::isfinite(total) || total < 1 || total > 9e18) return std::nullopt;
    return std::chrono::nanoseconds(static_cast<std::chrono::nanoseconds::rep>(total));
  }
  return std::nullopt;
}

inline parsed usage_error(const std::string& what) {
  return {std::nullopt, "md5_tree: " + what + "\nTry md5_tree --help.\n", k_exit_usage};
}

// Sets the option that takes a value; an empty answer says that it did, any other says what is wrong.
inline std::string set_option(options& o, std::string_view name, const std::string& value) {
  if (name == "--workers") {
    const auto workers = parse_workers(value);
    const std::string most = std::to_string(k_most_workers);
    if (!workers) return "--workers '" + value + "': a number from 1 to " + most + " is needed";
    o.workers = *workers;
  } else {
    o.timeout = parse_time(value);
    if (!o.timeout) return "--timeout '" + value + "': a time above zero is needed, with its unit, as in 5ms or 1.5s";
    o.timeout_text = value;
  }
  return {};
}

inline parsed parse(const std::vector<std::string>& arguments) {
  options o;
  std::vector<std::string> roots;
  bool options_ended = false;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    if (options_ended || !argument->starts_with('-')) {
      roots.push_back(*argument);
      continue;
    }
    const auto equals = argument->find('=');
    const std::string name = argument->substr(0, equals);
    if (name == "--workers" || name == "--timeout") {
      if (equals == std::string::npos && argument + 1 == arguments.end()) return usage_error(name + " needs a value");
      const std::string value = equals == std::string::npos ? *++argument : argument->substr(equals + 1);
      if (std::string wrong = set_option(o, name, value); !wrong.empty()) return usage_error(wrong);
    } else if (*argument == "--keep-going") {
      o.keep_going = true;
    } else if (*argument == "--help") {
      return {std::nullopt, k_help, 0};
    } else if (*argument == "--") {
      options_ended = true;
    } else {
      return usage_error("unknown option '" + *argument + "'");
    }
  }
  if (roots.empty()) return usage_error("DIR is missing");
  if (roots.size() > 1) return usage_error("one DIR is enough, and '" + roots[1] + "' is a second");
  if (roots[0].empty()) return usage_error("DIR is an empty name");
  o.root = roots[0];
  return {o, {}, 0};
}

}  // namespace md5_tree
