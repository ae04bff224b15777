// Results, error codes, and the exception that a cancelled fiber is unwound by.
#pragma once
#include <exception>
#include <expected>
#include <system_error>
#include <type_traits>
#include <utility>

#include "weft/detail/config.hpp"

namespace weft {

template <class T>
using result = std::expected<T, std::error_code>;

enum class errc {
  canceled = 1,       // == std::errc::operation_canceled
  deadline_exceeded,  // == std::errc::timed_out
  closed,             // the channel is closed and drained; the socket is closed
  would_block         // == std::errc::operation_would_block
};

WEFT_API const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }

}  // namespace weft

template <>
struct std::is_error_code_enum<weft::errc> : std::true_type {};

namespace weft {

// Thrown at a cancellation point of a fiber whose bound context is cancelled. Not a std::exception, so that handlers
// which log and go on let it pass. Let it unwind the fiber; one that leaves the fiber's function is an ordinary end.
class WEFT_API canceled {
 public:
  canceled(std::error_code code, std::exception_ptr cause) noexcept : code_(code), cause_(std::move(cause)) {}
  std::error_code code() const noexcept { return code_; }       // errc::canceled or errc::deadline_exceeded
  std::exception_ptr cause() const noexcept { return cause_; }  // the context's cause

 private:
  std::error_code code_;
  std::exception_ptr cause_;
};

// {} on success, where result::error() is undefined.
template <class T>
std::error_code error_of(const result<T>& r) noexcept {
  return r ? std::error_code{} : r.error();
}

// The value; throws weft::canceled for a cancellation or passed deadline of a context, else std::system_error.
template <class T>
T unwrap(result<T> r) {
  if (!r) {
    if (r.error() == errc::canceled || r.error() == errc::deadline_exceeded)
      throw canceled(r.error(), std::make_exception_ptr(std::system_error(r.error())));
    throw std::system_error(r.error());
  }
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

}  // namespace weft
