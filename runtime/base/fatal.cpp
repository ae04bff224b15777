#include "runtime/base/fatal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weft::runtime {

report& report::operator<<(std::string_view text) noexcept {
  const std::size_t n = std::min(text.size(), sizeof buffer_ - used_);
  if (n != 0) std::memcpy(buffer_ + used_, text.data(), n);
  used_ += n;
  return *this;
}

report& report::operator<<(std::uint64_t number) noexcept {
  char digits[20];
  std::size_t i = sizeof digits;
  do digits[--i] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  return *this << std::string_view(digits + i, sizeof digits - i);
}

report& report::operator<<(std::int64_t number) noexcept {
  if (number >= 0) return *this << static_cast<std::uint64_t>(number);
  return *this << '-' << (0 - static_cast<std::uint64_t>(number));
}

report& report::hex(std::uintptr_t number) noexcept {
  char digits[16];
  std::size_t i = sizeof digits;
  do digits[--i] = "0123456789abcdef"[number % 16];
  while ((number /= 16) != 0);
  return *this << "0x" << std::string_view(digits + i, sizeof digits - i);
}

[[gnu::section("weft_same_thread")]] void report::flush() noexcept {
  const int saved = errno;
  for (std::size_t at = 0; at < used_;) {
    const ssize_t n = ::write(2, buffer_ + at, used_ - at);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) at += static_cast<std::size_t>(n);
  }
  used_ = 0;
  errno = saved;
}

void fatal(const char* format, ...) noexcept {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  {
    report() << "weft: " << std::string_view(text) << '\n';
  }
  std::abort();
}

}  // namespace weft::runtime
