// What the fibers of a group or of a lifecycle run: f() or f(const context&), which gives void, std::error_code or
// result<void>; type-erased, and to the caller always a result.
#pragma once
#include <concepts>
#include <functional>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

#include "weft/context.hpp"
#include "weft/error.hpp"

namespace weft::detail {

struct member {
  virtual ~member() = default;
  virtual result<void> run(const context&) = 0;
};

template <class F>
struct member_function final : member {
  F f;
  template <class G>
  explicit member_function(G&& g) : f(std::forward<G>(g)) {}

  result<void> run(const context& ctx) override {
    if constexpr (std::invocable<F&, const context&>)
      return normal([&]() -> decltype(auto) { return std::invoke(f, ctx); });
    else
      return normal([&]() -> decltype(auto) { return std::invoke(f); });
  }

 private:
  template <class Call>
  static result<void> normal(Call call) {
    using R = std::invoke_result_t<Call>;
    static_assert(std::is_void_v<R> || std::is_same_v<R, std::error_code> || std::is_same_v<R, result<void>>,
                  "weft: a member of a group or lifecycle gives void, std::error_code or weft::result<void>");
    if constexpr (std::is_void_v<R>) {
      call();
      return {};
    } else if constexpr (std::is_same_v<R, std::error_code>) {
      const std::error_code e = call();
      if (e) return std::unexpected(e);
      return {};
    } else {
      return call();
    }
  }
};

template <class F>
std::unique_ptr<member> make_member(F&& f) {
  return std::make_unique<member_function<std::decay_t<F>>>(std::forward<F>(f));
}

}  // namespace weft::detail
