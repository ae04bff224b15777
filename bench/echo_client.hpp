// The client that echo measures servers with: one thread, epoll, as little in its way as can be.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace bench {

struct echo_load {
  int connections;
  std::size_t size;  // of a request, in bytes
};

struct echo_samples {
  std::vector<std::int64_t> round_trips;  // ns, of each request
  std::chrono::nanoseconds time{};
};

// Connections to a server at this port of the loopback. Each has one request under way at a time.
class echo_client {
 public:
  echo_client(int port, const echo_load&);
  ~echo_client();
  echo_client(const echo_client&) = delete;
  echo_client& operator=(const echo_client&) = delete;

  echo_samples run(std::chrono::milliseconds time);

 private:
  struct connection {
    int fd = -1;
    std::int64_t sent_at = 0;
    std::size_t received = 0;
  };
  void ask(connection&);
  bool answered(connection&);

  int epoll_ = -1;
  std::vector<char> request_, answer_;
  std::vector<connection> all_;
};

}  // namespace bench
