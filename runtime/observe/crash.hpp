// Reports of what ends the process: stack overflow, an escaped exception, SIGQUIT, a deadlock.
#pragma once

namespace weft::runtime {

// Installed while a run lasts; what was there before comes back.
class crash_reports {
 public:
  crash_reports();
  ~crash_reports();
  crash_reports(const crash_reports&) = delete;
  crash_reports& operator=(const crash_reports&) = delete;
};

}  // namespace weft::runtime
