// A server under measurement, in a process of its own.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace bench {

// On one CPU, or on all where `cpu` is below zero; killed with this object. The program says its port on its first
// line.
class server_process {
 public:
  server_process(const std::vector<std::string>& command, int cpu);
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  int port() const { return port_; }
  std::chrono::nanoseconds cpu_time() const;  // of all its threads, so far

  struct end {
    int status;  // as waitpid tells it
    std::chrono::nanoseconds took;
    std::string said;  // after the first line
  };
  // SIGTERM, and waits until it has gone.
  end stop();

 private:
  pid_t process_ = -1;
  int output_ = -1;
  int port_ = 0;
};

// The CPUs that this process may use: the client's and the server's, or any for both where there is but one.
struct two_places {
  int client = -1, server = -1;
};
two_places find_two_places();
void keep_to(int cpu);  // this thread and what it starts; below zero: nothing

}  // namespace bench
