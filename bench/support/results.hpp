// What each program does with its words and its figures.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace bench {

// False: the program is to end with this status; help, or what was wrong with the words, has been said.
bool read_command_line(CLI::App& app, int argc, char** argv, int& status);

// Throws std::runtime_error, which names the file.
void write_file(const std::filesystem::path& path, const std::string& text);

nlohmann::json machine_facts();  // processor, processors, kernel, compiler

}  // namespace bench
