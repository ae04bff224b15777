// Sockets under cancels and closes that strike at random points: no byte lost, doubled or moved, no descriptor and no
// fiber left behind, no wait that never ends.
#include "tests/support/net.hpp"

#include <array>

#include "tests/storms/storms.hpp"
#include "tests/support/support.hpp"

using namespace weft;
using test::expect;
using test::need;
namespace storm = test::storm;

namespace {

// Runs the storm on each number of processors; no descriptor is left open.
void closing_all(void (*body)(expect&)) {
  run([] { const test::tcp_pair p; });  // the poller's own, and whatever else stays once it is there
  const long before = test::open_descriptors();
  test::for_processors({1, 2, 4}, [&](unsigned processors) {
    test::in_fiber({processors}, body);
    CHECK(test::open_descriptors() == before);
  });
}

}  // namespace

TEST_CASE("net storm: streams survive cancels and deadlines at random points, in both directions at a time") {
  closing_all([](expect& e) { storm::streams(e, static_cast<std::uint64_t>(test::scale(16'000'000)), 0); });
}

TEST_CASE("net storm: connections closed at random points, by fibers and by threads, end every wait on them") {
  closing_all([](expect& e) { storm::closed_connections(e, test::scale(1'000), 0); });
}

TEST_CASE("net storm: dials and accepts cancelled at random points leave no descriptor and lose no connection") {
  closing_all([](expect& e) { storm::cancelled_dials(e, test::scale(4'000), 0); });
}

TEST_CASE("net storm: foreign threads and fibers on the same streams") {
  closing_all([](expect& e) { storm::streams_of_threads(e, static_cast<std::uint64_t>(test::scale(1'000'000)), 0); });
}

// Few workers sleep when a run begins: whoever is woken is then often the one in the poller. A processor that was
// handed to one who did not wake would keep the run from ending.
TEST_CASE("net storm: short runs, in which the sleeper in the poller is handed a processor, all end") {
  const long runs = test::scale(300);
  expect e;
  for (long i = 0; i < runs; ++i)
    run(test::on(4), [&] {
      const auto server = need(net::listen_packet("udp", "127.0.0.1:0"));
      const auto client = need(net::dial("udp", server.local_address().to_string()));
      std::array<char, 4> some{};
      auto t = spawn([&] { return client.read(some).value_or(0); });
      this_fiber::yield();
      e.equal(server.write_to("x", client.local_address()).value_or(0), 1u);
      e.equal(t.join(), 1u);
      auto u = spawn([&] { return error_of(server.read_from(some)); });
      this_fiber::yield();
      e(server.close().has_value());
      e(u.join() == errc::closed);
    });
  e.report();
}
