// What each program does with its figures.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace bench {

// Throws std::runtime_error, which names the file.
void write_file(const std::filesystem::path& path, const std::string& text);

nlohmann::json machine_facts();  // processor, processors, kernel, compiler

}  // namespace bench
