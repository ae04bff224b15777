// service [DRAIN_MS]: takes orders, a line each, from standard input, and comes down in order. An order is a name and
// how many milliseconds it takes to ship. SIGTERM and SIGINT end the service: it takes no more orders, ships those it
// has, for at most DRAIN_MS, and refunds the rest. A second one ends the wait for them. SIGUSR1 asks whether it is
// ready.
//
// In Go, without the report, the names, and what a second signal does:
//
//   func main() {
//       ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
//       defer stop()
//       working, cancel := context.WithCancel(context.Background())
//       var orders sync.WaitGroup
//       orders.Add(1)
//       go func() { defer orders.Done(); listen(ctx, working, &orders) }()
//       <-ctx.Done()
//       done := make(chan struct{})
//       go func() { orders.Wait(); close(done) }()
//       select {
//       case <-done:
//       case <-time.After(drain):
//       }
//       cancel()
//       <-done
//       refund()
//   }
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

// A line at a time, and by one write, so that lines of several fibers do not mix.
void say(const std::string& what, const std::string& order) {
  const std::string line = what + ' ' + order + '\n';
  static_cast<void>(weft::blocking([&] { return ::write(STDOUT_FILENO, line.data(), line.size()); }));
}

// Orders that are paid for.
class ledger {
 public:
  void add(const std::string& order) {
    const std::lock_guard hold(lock_);
    open_.insert(order);
  }
  void close(const std::string& order) {
    const std::lock_guard hold(lock_);
    open_.erase(open_.find(order));
  }
  void refund_all() {
    const std::lock_guard hold(lock_);
    for (const std::string& order : open_) say("refunded", order);
    open_.clear();
  }

 private:
  weft::mutex lock_;
  std::multiset<std::string> open_;
};

void ship(const std::string& order, std::chrono::milliseconds time, ledger& book) {
  say("accepted", order);
  weft::this_fiber::sleep_for(time);  // the wait that a cancel ends
  book.close(order);
  say("shipped", order);
}

// Reads standard input until it ends, or until the fiber's context does: that ends the read, too.
std::optional<std::string> read_line(std::string& buffer) {
  for (;;) {
    if (const auto end = buffer.find('\n'); end != std::string::npos) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      return line;
    }
    char some[4096];
    const ssize_t n = weft::blocking([&] { return ::read(STDIN_FILENO, some, sizeof some); });
    weft::this_fiber::poll();
    if (n == 0) return std::nullopt;
    if (n > 0) buffer.append(some, static_cast<std::size_t>(n));
  }
}

void listen(weft::lifecycle& service, ledger& book) {
  std::string buffer;
  while (const auto line = read_line(buffer)) {
    const auto space = line->find(' ');
    const std::string order = line->substr(0, space);
    int time = 0;
    if (space != std::string::npos)
      static_cast<void>(std::from_chars(line->data() + space + 1, line->data() + line->size(), time));
    book.add(order);
    service.go("order " + order, [=, &book] { ship(order, std::chrono::milliseconds(time), book); });
  }
  service.shutdown();  // there will be no more orders
}

// A probe's handler, in a service that has a network.
void answer_probes(const weft::lifecycle& service, const weft::chan<int>& asked) {
  while (asked.recv()) say("probe:", std::string(name_of(service.phase())));
}

int serve(std::chrono::milliseconds drain) {
  ledger book;
  weft::lifecycle_options options;
  options.drain = drain;
  weft::lifecycle service(options);

  const weft::chan<int> asked{1};
  weft::signals::notify(asked, {SIGUSR1});
  const auto probes = weft::spawn([&] { answer_probes(service, asked); });

  service.go(service.accepting(), "listener", [&] { listen(service, book); });
  service.on_drain("farewell", [] { say("no more", "orders"); });
  service.on_compensate("refunds", [&] { book.refund_all(); });

  const weft::lifecycle_report report = service.serve();
  weft::signals::stop(asked);
  std::cerr << report;
  return report.clean() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  int drain = 20'000;
  if (argc > 1) {
    const char* const end = argv[1] + std::strlen(argv[1]);
    const auto [stop, error] = std::from_chars(argv[1], end, drain);
    if (argc > 2 || error != std::errc{} || stop != end || drain <= 0) {
      std::fputs("service [DRAIN_MS]: DRAIN_MS, for how long orders may still be shipped, is a number above 0\n",
                 stderr);
      return 2;
    }
  }
  return weft::run([&] { return serve(std::chrono::milliseconds(drain)); });
}
