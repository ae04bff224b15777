// Where this runs: the build folder, the machine.
#pragma once

#include <filesystem>
#include <string>

namespace bench {

std::filesystem::path executable_directory();
std::filesystem::path default_results_directory();  // bench-results in the build folder this program lies in

unsigned usable_processors();  // the CPUs this process may run on
std::string processor_name();
std::string kernel_release();

}  // namespace bench
