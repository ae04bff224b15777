// Words for standard error when things go wrong, written by write(2) alone: usable in a signal handler and under any
// lock.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::runtime {

// A text in a fixed buffer; what does not fit is cut. No allocation, no lock, errno kept.
class report {
 public:
  report() noexcept = default;
  report(const report&) = delete;
  report& operator=(const report&) = delete;
  ~report() { flush(); }

  report& operator<<(std::string_view text) noexcept;
  report& operator<<(char c) noexcept { return *this << std::string_view(&c, 1); }
  report& operator<<(std::uint64_t number) noexcept;
  report& operator<<(std::int64_t number) noexcept;
  report& operator<<(int number) noexcept { return *this << std::int64_t{number}; }
  report& operator<<(unsigned number) noexcept { return *this << std::uint64_t{number}; }
  report& hex(std::uintptr_t number) noexcept;
  std::string_view text() const noexcept { return {buffer_, used_}; }
  void flush() noexcept;
  void discard() noexcept { used_ = 0; }

 private:
  char buffer_[2000];
  std::size_t used_ = 0;
};

// Ends the process by abort() after "weft: <text>". For broken invariants and exhausted resources nobody can handle.
[[noreturn]] [[gnu::format(printf, 1, 2)]] void fatal(const char* format, ...) noexcept;

}  // namespace weft::runtime
