// From an address text to addresses.
//
// Numbers are read here. A name goes to getaddrinfo, which knows /etc/hosts and whatever else the system is set up for,
// on a thread of its own: it cannot be stopped, so a caller that is cancelled leaves it behind, and neither may a run
// wait for it at its end. So many go on at a time; further ones wait, and one that hangs keeps its place. Rejected:
// blocking() in a fiber, for which the end of a run waits; c-ares, which knows less of the system's settings and would
// be one more library to install.
#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>
#include <thread>

#include "runtime/io/network.hpp"
#include "runtime/sched/park.hpp"
#include "runtime/sched/scheduler.hpp"
#include "weft/channel.hpp"
#include "weft/context.hpp"
#include "weft/semaphore.hpp"

namespace weft::runtime {
namespace {

constexpr std::int64_t k_at_a_time = 64;

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.resolver"; }
  std::string message(int code) const override { return ::gai_strerror(code); }
};

struct answer {
  std::vector<net::address> all;
  std::error_code error;
};

struct question {
  std::string host, service;
  network net;
  bool listens;
};

std::error_code error_of_lookup(int code) noexcept {
  if (code == EAI_SYSTEM) return {errno, std::system_category()};
  return {code, net::resolver_category()};
}

// Blocks the thread.
answer ask_system(const question& q) {
  addrinfo hints{};  // NOLINT(misc-const-correctness): it is not
  hints.ai_family = q.net.family;
  hints.ai_socktype = q.net.type;
  hints.ai_flags = q.listens ? AI_PASSIVE : 0;
  addrinfo* found = nullptr;
  answer a;  // NOLINT(misc-const-correctness)
  const char* host = q.host.empty() ? nullptr : q.host.c_str();
  const char* service = q.service.empty() ? "0" : q.service.c_str();
  if (const int code = ::getaddrinfo(host, service, &hints, &found)) {
    a.error = error_of_lookup(code);
    return a;
  }
  const std::unique_ptr<addrinfo, decltype([](addrinfo* p) { ::freeaddrinfo(p); })> owner(found);
  for (const addrinfo* i = found; i != nullptr; i = i->ai_next) a.all.emplace_back(i->ai_addr, i->ai_addrlen);
  return a;
}

semaphore& places() {
  static semaphore& all = *new semaphore(k_at_a_time);  // threads may outlive main's statics
  return all;
}

answer ask_system_aside(const context* ctx, question q) {
  if (running_fiber() == nullptr && !sched().running()) return ask_system(q);
  if (ctx == nullptr)
    places().acquire();
  else if (const result<void> r = places().acquire(*ctx); !r)
    return {{}, r.error()};
  const chan<answer> answers{1};
  try {
    std::thread([answers, asked = std::move(q)] {
      static_cast<void>(answers.try_send(ask_system(asked)));
      places().release();
    }).detach();
  } catch (const std::system_error& e) {
    places().release();
    return {{}, e.code()};
  }
  if (ctx == nullptr) return *answers.recv();
  result<answer> r = answers.recv(*ctx);
  if (!r) return {{}, r.error()};
  return *std::move(r);
}

bool fits(const network& n, const net::address& a) noexcept {
  return n.family == AF_UNSPEC || (n.family == AF_INET6) == a.is_ipv6();
}

std::unexpected<std::error_code> failed(std::errc e) noexcept { return std::unexpected(std::make_error_code(e)); }

bool is_number(std::string_view text) noexcept {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The system would take it modulo 65536.
bool no_port(std::string_view digits) noexcept {
  std::uint16_t port = 0;
  return std::from_chars(digits.data(), digits.data() + digits.size(), port).ec == std::errc::result_out_of_range;
}

// No host, and a port in digits.
std::vector<net::address> this_machine(const network& n, const std::string& port, bool listens) {
  std::vector<net::address> all;
  const auto add = [&](const char* host) {
    if (const auto a = net::address::parse(host + (':' + port)); a && fits(n, *a)) all.push_back(*a);
  };
  if (listens) {
    add("[::]");
    add("0.0.0.0");
  } else {
    add("127.0.0.1");
    add("[::1]");
  }
  return all;
}

}  // namespace

result<std::vector<net::address>> look_up(const context* ctx, const network& n, std::string_view text, bool listens) {
  if (n.local()) {
    const result<net::address> a = unix_address(text);
    if (!a) return std::unexpected(a.error());
    return std::vector{*a};
  }
  if (const result<net::address> a = net::address::parse(text)) {
    if (!fits(n, *a)) return failed(std::errc::address_family_not_supported);
    return std::vector{*a};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (is_number(text.substr(colon + 1)) && no_port(text.substr(colon + 1))))
    return failed(std::errc::invalid_argument);
  question q{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1)), n, listens};
  if (q.host.size() > 2 && q.host.front() == '[' && q.host.back() == ']') q.host = q.host.substr(1, q.host.size() - 2);
  if (q.host.empty() && is_number(q.service)) {
    std::vector<net::address> all = this_machine(n, q.service.empty() ? "0" : q.service, listens);
    if (all.empty()) return failed(std::errc::invalid_argument);
    return all;
  }
  answer a = ask_system_aside(ctx, std::move(q));
  if (a.error) return std::unexpected(a.error);
  return std::move(a.all);
}

}  // namespace weft::runtime

namespace weft::net {

const std::error_category& resolver_category() noexcept {
  static const runtime::category instance;
  return instance;
}

}  // namespace weft::net
