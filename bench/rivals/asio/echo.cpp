// The echo server of bench/echo.cpp on Boost.Asio: one thread, callbacks, one session a connection. Says its port on
// the first line and serves until it is killed.
#include <array>
#include <boost/asio.hpp>
#include <cstdio>
#include <memory>
#include <utility>

namespace {

using boost::asio::ip::tcp;
using error_code = boost::system::error_code;

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(tcp::socket s) : socket_(std::move(s)) { socket_.set_option(tcp::no_delay(true)); }

  void read() {
    socket_.async_read_some(boost::asio::buffer(buffer_), [self = shared_from_this()](error_code e, std::size_t n) {
      if (!e) self->write(n);
    });
  }

 private:
  void write(std::size_t size) {
    boost::asio::async_write(socket_, boost::asio::buffer(buffer_, size),
                             [self = shared_from_this()](error_code e, std::size_t) {
                               if (!e) self->read();
                             });
  }

  tcp::socket socket_;
  std::array<char, 4096> buffer_;
};

void accept_next(tcp::acceptor& a) {
  a.async_accept([&a](error_code e, tcp::socket s) {
    if (!e) std::make_shared<session>(std::move(s))->read();
    accept_next(a);
  });
}

}  // namespace

int main() {
  boost::asio::io_context all(1);  // one thread: no locks where they can be left out
  tcp::acceptor acceptor(all, {boost::asio::ip::address_v4::loopback(), 0});
  std::printf("%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  accept_next(acceptor);
  all.run();
}
