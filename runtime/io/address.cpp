// weft::net::address.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "runtime/io/network.hpp"

namespace weft::net {
namespace {

template <class Sockaddr>
Sockaddr as(const void* bytes) noexcept {
  Sockaddr s;
  std::memcpy(&s, bytes, sizeof s);
  return s;
}

sa_family_t family(const void* bytes) noexcept { return as<sockaddr>(bytes).sa_family; }

std::unexpected<std::error_code> invalid() noexcept {
  return std::unexpected(std::make_error_code(std::errc::invalid_argument));
}

}  // namespace

address::address(const void* system, std::size_t size) noexcept : size_(std::min(size, sizeof words_)) {
  std::memcpy(words_.data(), system, size_);
}

bool address::is_ipv4() const noexcept { return !empty() && family(data()) == AF_INET; }
bool address::is_ipv6() const noexcept { return !empty() && family(data()) == AF_INET6; }
bool address::is_unix() const noexcept { return !empty() && family(data()) == AF_UNIX; }

std::uint16_t address::port() const noexcept {
  if (is_ipv4()) return ntohs(as<sockaddr_in>(data()).sin_port);
  if (is_ipv6()) return ntohs(as<sockaddr_in6>(data()).sin6_port);
  return 0;
}

std::string address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4()) {
    const auto s = as<sockaddr_in>(data());
    return ::inet_ntop(AF_INET, &s.sin_addr, text, sizeof text);
  }
  if (is_ipv6()) {
    const auto s = as<sockaddr_in6>(data());
    std::string host = ::inet_ntop(AF_INET6, &s.sin6_addr, text, sizeof text);
    if (s.sin6_scope_id == 0) return host;
    char name[IF_NAMESIZE];
    const bool named = ::if_indextoname(s.sin6_scope_id, name) != nullptr;
    return host + '%' + (named ? std::string(name) : std::to_string(s.sin6_scope_id));
  }
  constexpr std::size_t before_path = offsetof(sockaddr_un, sun_path);
  if (!is_unix() || size_ <= before_path) return {};
  std::string path(reinterpret_cast<const char*>(words_.data()) + before_path, size_ - before_path);
  if (path.front() == '\0')
    path.front() = '@';
  else
    path.resize(std::strlen(path.c_str()));
  return path;
}

std::string address::to_string() const {
  if (is_ipv4()) return host() + ':' + std::to_string(port());
  if (is_ipv6()) return '[' + host() + "]:" + std::to_string(port());
  return host();
}

bool address::equal(const address& other) const noexcept {
  if (size_ != other.size_) return false;
  if (!is_ipv6()) return std::memcmp(data(), other.data(), size_) == 0;
  const auto a = as<sockaddr_in6>(data()), b = as<sockaddr_in6>(other.data());  // without the flow
  return family(other.data()) == AF_INET6 && a.sin6_port == b.sin6_port && a.sin6_scope_id == b.sin6_scope_id &&
         std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0;
}

result<address> address::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid();
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return invalid();
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    sockaddr_in6 s{};
    s.sin6_family = AF_INET6;
    s.sin6_port = htons(port);
    if (const std::size_t percent = host.find('%'); percent != std::string::npos) {
      s.sin6_scope_id = ::if_nametoindex(host.c_str() + percent + 1);
      if (s.sin6_scope_id == 0) return invalid();
      host.resize(percent);
    }
    if (::inet_pton(AF_INET6, host.c_str(), &s.sin6_addr) != 1) return invalid();
    return address(&s, sizeof s);
  }
  sockaddr_in s{};
  s.sin_family = AF_INET;
  s.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &s.sin_addr) != 1) return invalid();
  return address(&s, sizeof s);
}

}  // namespace weft::net

namespace weft::runtime {

result<net::address> unix_address(std::string_view path) noexcept {
  sockaddr_un s{};
  s.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof s.sun_path)
    return std::unexpected(
        std::make_error_code(path.empty() ? std::errc::invalid_argument : std::errc::filename_too_long));
  std::memcpy(s.sun_path, path.data(), path.size());
  const bool abstract = path.front() == '@';
  if (abstract) s.sun_path[0] = '\0';
  return net::address(&s, offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
}

}  // namespace weft::runtime
