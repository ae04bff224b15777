// Words, numbers, dates and escapes as HTTP writes them.
#pragma once
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace weft::http::detail {

bool is_token(std::string_view) noexcept;
bool same_word(std::string_view a, std::string_view b) noexcept;  // without regard to case
// Whether a comma-separated list holds the word.
bool lists(std::string_view list, std::string_view word) noexcept;
// Digits alone, and no more than fit.
std::optional<std::uint64_t> parse_decimal(std::string_view) noexcept;
// %XX undone; nullopt where an escape is none, or stands for NUL.
std::optional<std::string> percent_decode(std::string_view);
std::string_view reason_of(int status) noexcept;
// "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
std::string date_text(std::time_t);

}  // namespace weft::http::detail
