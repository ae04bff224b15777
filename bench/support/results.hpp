// What each program does with its figures.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

namespace bench {

// Before anything is measured: makes the folder, and empties the files that are to be written, so that an unwritable
// place is heard of now, not after minutes. Throws as write_file does, or std::filesystem::filesystem_error.
void begin_results(const std::filesystem::path& folder, std::initializer_list<std::filesystem::path> files);

// Throws std::runtime_error, which names the file.
void write_file(const std::filesystem::path& path, const std::string& text);

nlohmann::json machine_facts();  // processor, processors, kernel, compiler

}  // namespace bench
