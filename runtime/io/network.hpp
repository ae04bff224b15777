// Names of networks and addresses, and the sockets made for them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/io/socket.hpp"
#include "weft/error.hpp"
#include "weft/net.hpp"

namespace weft::runtime {

struct network {
  int family;  // AF_UNSPEC: either version of IP
  int type;    // SOCK_STREAM or SOCK_DGRAM
  bool local() const noexcept;
  bool tcp() const noexcept;
};
// std::errc::protocol_not_supported for a name that is none.
result<network> find_network(std::string_view name);

// What an address text leads to: a Unix path, or IP addresses, looked up on another thread where need be. `listens`:
// no host means all of this machine's addresses, IPv6 first.
result<std::vector<net::address>> look_up(const context* ctx, const network&, std::string_view address, bool listens);

result<net::address> unix_address(std::string_view path) noexcept;

// Named so that dial and listen open them alike: does not block, closed on exec.
result<int> open_for(const network&, const net::address&) noexcept;
// What a connection of ours has: no delay, keep-alive. A listener's connections inherit it.
void set_defaults(const network&, int fd) noexcept;

inline std::error_code system_error_of(long negative) noexcept {
  return {static_cast<int>(-negative), std::system_category()};
}

}  // namespace weft::runtime
