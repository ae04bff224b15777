// What passing an item costs: a round trip over two unbuffered channels, and through a buffer of 128.
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

constexpr int k_capacity = 128;

double per_round_trip(const row_request& request) {
  const int trips = request.scaled(1'000'000);
  return weft::run({.processors = request.processors}, [=] {
    weft::chan<int> there;
    weft::chan<int> back;
    weft::wait_group ended;
    ended.go([=] {
      for (int v : there) back.send(v);
    });
    const stopwatch time;
    for (int i = 0; i < trips; ++i) {
      there.send(i);
      (void)back.recv();
    }
    const double each = time.nanoseconds() / trips;
    there.close();
    ended.wait();
    return each;
  });
}

double per_item(const row_request& request, int senders, int receivers) {
  const int items = request.scaled(4'000'000);
  return weft::run({.processors = request.processors}, [=] {
    weft::chan<int> c(k_capacity);
    weft::wait_group sent;
    weft::wait_group received;
    const stopwatch time;
    for (int r = 0; r < receivers; ++r)
      received.go([=] {
        while (c.recv()) {
        }
      });
    for (int s = 0; s < senders; ++s)
      sent.go([=] {
        for (int i = 0; i < items / senders; ++i) c.send(i);
      });
    sent.wait();
    c.close();
    received.wait();
    return time.nanoseconds() / items;
  });
}

}  // namespace

rows channel_rows() {
  return {
      {"ping_pong", {1, 2}, [](const row_request& r) { return row_values{{"ping_pong", per_round_trip(r)}}; }},
      {"buffered_1_1", {1, 2}, [](const row_request& r) { return row_values{{"buffered_1_1", per_item(r, 1, 1)}}; }},
      {"buffered_4_4", {1, 2}, [](const row_request& r) { return row_values{{"buffered_4_4", per_item(r, 4, 4)}}; }}};
}

}  // namespace bench
