// What the programs take as options, said once: the words that they share, and how a wrong one is answered. CLI11 stays
// in the .cpp, for each file that includes it takes seconds longer to compile.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class command_line {
 public:
  command_line(const std::string& program, const std::string& purpose);
  ~command_line();
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  // What is not given on the line stays as it is; `to` is written by parse. Lists are separated by commas.
  void flag(const std::string& name, bool& to, const std::string& help);
  void text(const std::string& name, std::string& to, const std::string& type, const std::string& help);
  void word(const std::string& name, std::string& to, const std::vector<std::string>& of, const std::string& help);
  void words(const std::string& name, std::vector<std::string>& to, const std::vector<std::string>& of,
             const std::string& help);
  template <class T>  // int, std::size_t
  void number(const std::string& name, T& to, T least, T most, const std::string& help);
  void numbers(const std::string& name, std::vector<int>& to, int least, int most, const std::string& help);

  void rows(std::vector<std::string>& to, const std::vector<std::string>& names);
  void processors(std::vector<unsigned>& to, const std::string& otherwise = "those a row asks for");
  void blocks(int& to, const std::string& help);
  void no_rivals(bool& rivals, const std::string& help);
  // --out, --json and, with `svg`, --svg: where they are not given, files named after the program in the folder of
  // results.
  void results(std::string& out, std::string* json = nullptr, std::string* svg = nullptr);

  // False: the program is to end with this status; help, or what was wrong with the words, has been said.
  bool parse(int argc, char** argv, int& status);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

// Whether an option that names some of all asks for this one: an empty list asks for all.
bool wanted(const auto& list, const auto& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

}  // namespace bench
