// Boost.Fiber's side of the micro benchmarks: the same rows, the same work, the same options and JSON as micro.
#include "bench/rivals/boost_fiber/rows.hpp"
#include "bench/rivals/boost_fiber/workers.hpp"

int main(int argc, char** argv) {
  bench::rows all = rival::fiber_rows();
  for (bench::row& r : rival::channel_rows()) all.push_back(std::move(r));
  for (bench::row& r : all)
    r.measure = [measure = std::move(r.measure)](const bench::row_request& request) {
      rival::use_processors(request.processors);
      return measure(request);
    };
  const int status = bench::run_rows(argc, argv, "rival_boost_fiber", all);
  rival::stop_workers();
  return status;
}
