// The servers that echo measures, each in a process of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// Serves until the process is killed; says its port on the first line. In this process.
int serve_echo(std::string_view which);  // "weft", "epoll"

// A server as a process on one CPU, or on all where `cpu` is below zero; killed with this object.
class echo_server {
 public:
  echo_server(const std::vector<std::string>& command, int cpu);
  ~echo_server();
  echo_server(const echo_server&) = delete;
  echo_server& operator=(const echo_server&) = delete;

  int port() const { return port_; }
  std::chrono::nanoseconds cpu_time() const;  // of all its threads, so far

 private:
  pid_t process_ = -1;
  int output_ = -1;
  int port_ = 0;
};

}  // namespace bench
