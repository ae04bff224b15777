// Two ends of a connection over the loopback, and numbered bytes to send through it.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <weft/net.hpp>
#include <weft/weft.hpp>

namespace test {

// What must be there for the test to make sense; in a fiber, where nothing may be asserted.
template <class T>
T need(weft::result<T> r) {
  if (!r) throw std::runtime_error(r.error().message());
  return std::move(*r);
}

struct tcp_pair {
  weft::net::listener l = need(weft::net::listen("tcp", "127.0.0.1:0"));
  weft::net::conn a, b;
  tcp_pair() {
    a = need(weft::net::dial("tcp", l.local_address().to_string()));
    b = need(l.accept());
  }
};

// Byte i of a stream is a function of i: a lost, doubled or moved byte shows.
inline char byte_at(std::uint64_t i) {
  i *= 0x9e3779b97f4a7c15u;
  return static_cast<char>(i >> 56 ^ i >> 29);
}
inline void fill(std::span<char> bytes, std::uint64_t from) {
  for (char& c : bytes) c = byte_at(from++);
}
inline bool right(std::span<const char> bytes, std::uint64_t from) {
  for (const char c : bytes)
    if (c != byte_at(from++)) return false;
  return true;
}

}  // namespace test
