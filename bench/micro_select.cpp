// What an item costs that one fiber takes by select from four channels, each with a sender of its own.
#include <array>
#include <weft/weft.hpp>

#include "bench/micro.hpp"
#include "bench/support/stopwatch.hpp"

namespace bench {
namespace {

double per_item(const row_request& request, int capacity) {
  const int items = request.scaled(1'000'000);
  return weft::run({.processors = request.processors}, [=] {
    const auto make = [=] { return weft::chan<int>(capacity); };
    const std::array<weft::chan<int>, 4> c{make(), make(), make(), make()};
    weft::wait_group sent;
    const stopwatch time;
    for (const auto& out : c)
      sent.go([=] {
        for (int i = 0; i < items / 4; ++i) out.send(i);
      });
    for (int i = 0; i < items / 4 * 4; ++i)
      (void)weft::select(weft::recv(c[0]), weft::recv(c[1]), weft::recv(c[2]), weft::recv(c[3]));
    const double each = time.nanoseconds() / items;
    sent.wait();
    return each;
  });
}

}  // namespace

rows select_rows() {
  return {
      {"select_unbuffered",
       {1},
       [](const row_request& r) { return row_values{{"select_unbuffered", per_item(r, 0)}}; }},
      {"select_buffered", {1}, [](const row_request& r) { return row_values{{"select_buffered", per_item(r, 128)}}; }}};
}

}  // namespace bench
