// The servers that echo measures, each in a process of its own.
#pragma once

#include <string_view>

namespace bench {

// Serves until the process is killed; says its port on the first line. In this process.
int serve_echo(std::string_view which);  // "weft", "epoll"

}  // namespace bench
