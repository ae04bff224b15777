// Each question is a run of its own.
#include <weft/weft.hpp>

#include "bench/load.hpp"
#include "bench/load_work.hpp"

namespace bench {

load_samples run_load(const load_workload& load, std::chrono::milliseconds time, load_kind kind) {
  static const bool measured = (measure_work(), true);
  static_cast<void>(measured);
  weft::runtime_options options;
  options.processors = load.processors;
  options.preemption = kind != load_kind::unpreempted;
  return weft::run(options, [&] {
    if (load.name == "tail") return load_tail(load, time, kind);
    if (load.name == "few" || load.name == "busy" || load.name == "burst") return load_mixed(load, time);
    return load_idle(load, time);
  });
}

}  // namespace bench
