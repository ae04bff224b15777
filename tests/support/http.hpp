// A server on a port of its own, and a client that speaks in raw bytes.
#pragma once
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <weft/http.hpp>
#include <weft/io.hpp>
#include <weft/weft.hpp>

#include "tests/support/net.hpp"

namespace test {

template <class T>
void ignore(const T&) {}

// Serves from start() until stop().
class site {
 public:
  // Nothing is late, but where a test says so; and nothing is reported but to `failures`.
  static weft::http::server_options patient() {
    weft::http::server_options o;
    o.first_byte = o.header = o.idle = o.stall = o.drain = std::chrono::hours(1);
    o.drain_idle = std::chrono::seconds(0);
    return o;
  }
  explicit site(weft::http::server_options o = patient())
      : server([&] {
          if (!o.on_failure) o.on_failure = [this](const weft::http::failure&) { ++failures; };
          return std::move(o);
        }()) {}
  ~site() { static_cast<void>(stop()); }

  void start() {
    where = listener.local_address().to_string();
    serving_ = weft::spawn([this] { return server.serve(stopping_.ctx, listener); });
    started_ = true;
  }
  void begin_to_stop() const { stopping_.cancel(); }
  weft::result<void> stop() {
    stopping_.cancel();
    if (!std::exchange(started_, false)) return {};
    return weft::shield([this] { return serving_.join(); });
  }

  std::atomic<long> failures{0};
  weft::http::server server;
  weft::net::listener listener = need(weft::net::listen("tcp", "127.0.0.1:0"));
  std::string where;

 private:
  weft::cancelable stopping_ = weft::with_cancel(weft::background());
  weft::task<weft::result<void>> serving_;
  bool started_ = false;
};

struct answer {
  int status = 0;  // 0: the stream ended instead
  std::string head, body;
  bool has(std::string_view line) const { return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos; }
};

class client {
 public:
  explicit client(const std::string& where) : conn(need(weft::net::dial("tcp", where))) {}

  bool send(std::string_view bytes) const { return conn.write(bytes).value_or(0) == bytes.size(); }
  // A byte at a time, as unhelpfully as TCP may.
  bool dribble(std::string_view bytes) const {
    for (const char c : bytes)
      if (!send({&c, 1})) return false;
    return true;
  }
  // So many bytes, or fewer at the end of the stream.
  std::string take(std::size_t n) {
    while (got_.size() < n && more()) {
    }
    std::string taken = got_.substr(0, n);
    got_.erase(0, n);
    return taken;
  }
  std::string take_line() {
    std::size_t end;
    while ((end = got_.find("\r\n")) == std::string::npos)
      if (!more()) return {};
    return take(end + 2).substr(0, end);
  }
  std::string rest() {
    while (more()) {
    }
    return std::exchange(got_, {});
  }
  bool at_end() { return rest().empty(); }

  answer read(bool head_only = false) {
    answer a;
    std::size_t end;
    while ((end = got_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return {0, std::exchange(got_, {}), {}};
    a.head = take(end + 4);
    std::from_chars(a.head.data() + 9, a.head.data() + 12, a.status);
    if (head_only || a.status < 200 || a.status == 204 || a.status == 304) return a;
    if (const std::size_t at = a.head.find("Content-Length: "); at != std::string::npos) {
      std::size_t size = 0;
      std::from_chars(a.head.data() + at + 16, a.head.data() + a.head.size(), size);
      a.body = take(size);
      if (a.body.size() != size) a.status = 0;
    } else if (a.has("Transfer-Encoding: chunked")) {
      if (!read_chunks(a.body)) a.status = 0;
    } else {
      a.body = rest();
    }
    return a;
  }
  answer ask(std::string_view bytes) { return send(bytes) ? read() : answer{}; }

  weft::net::conn conn;

 private:
  bool more() {
    std::array<char, 4096> some;
    const std::size_t n = conn.read(some).value_or(0);
    got_.append(some.data(), n);
    return n != 0;
  }
  bool read_chunks(std::string& body) {
    for (;;) {
      const std::string line = take_line();
      std::size_t size = 0;
      if (std::from_chars(line.data(), line.data() + line.size(), size, 16).ec != std::errc()) return false;
      body += take(size);
      if (take(2) != "\r\n") return false;
      if (size == 0) return true;
    }
  }
  std::string got_;
};

inline std::string get(std::string_view path, std::string_view more = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body, std::string_view more = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more) + "\r\n" + std::string(body);
}
inline std::string chunked(std::string_view path, std::string_view chunks) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string(chunks);
}

// Of sockets alone: the runtime itself opens files for a moment.
inline long open_sockets() {
  long n = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    n += std::filesystem::read_symlink(entry.path(), gone).native().starts_with("socket:");
  }
  return n;
}

}  // namespace test
