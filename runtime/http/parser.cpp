// Where Boost.Beast is compiled.
#include "runtime/http/parser.hpp"

// Beast asserts that what follows "0\r\n" comes in pieces of a certain size. It need not, and nothing depends on it.
#define BOOST_DISABLE_ASSERTS
#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>

#include "runtime/http/text.hpp"

namespace weft::http::detail {
namespace {

namespace beast = boost::beast;
using beast_error = beast::error_code;

std::string_view plain(beast::string_view s) noexcept { return {s.data(), s.size()}; }

// Whether the line ends as a request line of another version of HTTP does, and is not wrong elsewhere.
bool of_other_version(std::string_view from) noexcept {
  const std::string_view line = from.substr(0, from.find("\r\n"));
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view version = line.substr(space + 1);
  const auto digit = [&](std::size_t i) { return version[i] >= '0' && version[i] <= '9'; };
  return version.size() == 8 && version.starts_with("HTTP/") && digit(5) && version[6] == '.' && digit(7) &&
         version != "HTTP/1.0" && version != "HTTP/1.1";
}

class beast_parser final : public beast::http::basic_parser<true> {
 public:
  beast_parser(message& into, std::size_t limit, std::size_t& written, mutable_bytes& target)
      : message_(into), written_(written), target_(target) {
    header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX)));
    body_limit(UINT64_MAX);  // counted by who reads; boost::none would refuse every length
    eager(false);            // a step at a time
  }
  refusal why;

 private:
  void refuse(int status, const char* text, beast_error& e) {
    why = {status, text};
    e = beast::http::error::bad_value;
  }
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       beast_error&) override {
    message_.method = plain(method);
    message_.target = plain(target);
    message_.minor = version % 10;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, beast_error&) override {
    (in_body_ ? message_.trailers : message_.fields).add(plain(name), plain(value));
  }
  void on_header_impl(beast_error& e) override {
    in_body_ = true;
    const headers& f = message_.fields;
    const std::size_t codings = f.count("Transfer-Encoding"), hosts = f.count("Host");
    if (codings != 0 && message_.minor == 0) return refuse(400, "Transfer-Encoding in HTTP/1.0", e);
    if (codings > 1 || (codings == 1 && !same_word(f.get("Transfer-Encoding"), "chunked")))
      return refuse(501, "a transfer coding other than chunked", e);
    if (f.has("Content-Length")) {
      message_.length = parse_decimal(f.get("Content-Length"));
      if (codings != 0 || f.count("Content-Length") > 1 || !message_.length)
        return refuse(400, "bad Content-Length", e);
    }
    message_.chunked = codings == 1;
    if (hosts > 1 || (hosts == 0 && message_.minor == 1)) return refuse(400, "there is not one Host", e);
  }
  std::size_t give(beast::string_view bytes) noexcept {
    const std::size_t n = std::min(bytes.size(), target_.size() - written_);
    if (n != 0) std::memmove(static_cast<char*>(target_.data()) + written_, bytes.data(), n);
    written_ += n;
    return n;
  }
  std::size_t on_body_impl(beast::string_view bytes, beast_error&) override { return give(bytes); }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, beast_error&) override { return give(bytes); }
  void on_response_impl(int, beast::string_view, int, beast_error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, beast_error&) override {}
  void on_chunk_header_impl(std::uint64_t, beast::string_view, beast_error&) override {}
  void on_finish_impl(beast_error&) override {}

  message& message_;
  std::size_t& written_;
  mutable_bytes& target_;
  bool in_body_ = false;
};

}  // namespace

void message::clear() noexcept {
  method.clear();
  target.clear();
  fields.clear();
  trailers.clear();
  minor = 1;
  chunked = false;
  length.reset();
}

struct parser::machine {
  std::optional<beast_parser> beast;
  std::size_t written = 0;  // of a call's body
  mutable_bytes target;
  refusal why;
  std::size_t limit = 0;
  std::size_t header_bytes = 0;

  // Takes one step; need_more is no error.
  std::size_t step(std::string_view from) {
    beast_error e;
    const std::size_t n = beast->put(boost::asio::const_buffer(from.data(), from.size()), e);
    if (!e || e == beast::http::error::need_more) return n;
    const bool too_long = e == beast::http::error::header_limit;
    if (beast->why.status != 0)
      why = beast->why;
    else if (too_long)
      why = {431, "the header is too long"};
    else if (e == beast::http::error::bad_version && of_other_version(from))
      why = {505, "HTTP/1.1 is spoken here"};
    else
      why = {400, e.message()};
    return n;
  }
};

parser::parser() : machine_(std::make_unique<machine>()) {}
parser::~parser() = default;

void parser::begin(message& into, std::size_t header_limit) {
  machine& m = *machine_;
  into.clear();
  m.beast.emplace(into, header_limit, m.written, m.target);
  m.why.status = 0;
  m.limit = header_limit;
  m.header_bytes = 0;
}

std::size_t parser::take_header(std::string_view from) {
  machine& m = *machine_;
  const std::size_t n = m.step(from);
  m.header_bytes += n;
  if (m.why.status == 0 && m.header_bytes + (header_done() ? 0 : from.size() - n) > m.limit)
    m.why = {431, "the header is too long"};
  if (m.why.status == 431 && m.header_bytes == 0) m.why = {414, "the request line is too long"};
  return n;
}

std::size_t parser::take_body(std::string_view from, mutable_bytes into, std::size_t& given) {
  machine& m = *machine_;
  m.target = into;
  m.written = 0;
  std::size_t taken = 0;
  while (m.why.status == 0 && m.written < into.size() && !done()) {
    const std::size_t n = m.step(from.substr(taken));
    taken += n;
    if (n == 0) break;
  }
  given = m.written;
  return taken;
}

bool parser::header_done() const noexcept { return machine_->beast->is_header_done(); }
bool parser::done() const noexcept { return machine_->beast->is_done(); }
const refusal& parser::refused() const noexcept { return machine_->why; }
std::uint64_t parser::length_left() const noexcept { return machine_->beast->content_length_remaining().value_or(0); }

}  // namespace weft::http::detail
