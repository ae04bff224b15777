// How templates hand a closure to the scheduler.
#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "weft/context.hpp"

namespace weft::detail {

struct own_context;

// What a fiber runs. Both get the closure; the runtime calls destroy exactly once, after run or instead of it, on the
// fiber.
struct fiber_body {
  void (*run)(void* closure);
  void (*destroy)(void* closure) noexcept;
};

struct launch_options {
  const context* bound = nullptr;
  std::string_view name{};
  std::size_t stack_size = 0;
  bool migratable = false;
  own_context* own = nullptr;  // a task's: bound to that in place of `bound`
};

// A fiber made but not started: construct the closure in `storage`, then start_fiber. Up to k_inline_closure bytes live
// in the control block.
struct unstarted_fiber {
  void* handle;
  void* storage;
};
inline constexpr std::size_t k_inline_closure = 48;
inline constexpr std::size_t k_closure_alignment = 16;

WEFT_API unstarted_fiber make_fiber(const launch_options&, std::source_location);
WEFT_API void start_fiber(unstarted_fiber, const fiber_body&) noexcept;

template <class F>
inline constexpr fiber_body inline_body{[](void* p) { static_cast<void>((*std::launder(static_cast<F*>(p)))()); },
                                        [](void* p) noexcept { std::destroy_at(std::launder(static_cast<F*>(p))); }};
template <class F>
inline constexpr fiber_body heap_body{[](void* p) { static_cast<void>((**static_cast<F**>(p))()); },
                                      [](void* p) noexcept { delete *static_cast<F**>(p); }};

template <class F>
void launch(const launch_options& options, std::source_location site, F&& f) {
  using closure = std::decay_t<F>;
  constexpr bool fits = sizeof(closure) <= k_inline_closure && alignof(closure) <= k_closure_alignment;
  if constexpr (fits && std::is_nothrow_constructible_v<closure, F>) {
    const unstarted_fiber u = make_fiber(options, site);
    ::new (u.storage) closure(std::forward<F>(f));
    start_fiber(u, inline_body<closure>);
  } else {
    auto kept = std::make_unique<closure>(std::forward<F>(f));
    const unstarted_fiber u = make_fiber(options, site);
    ::new (u.storage) closure*(kept.release());
    start_fiber(u, heap_body<closure>);
  }
}

}  // namespace weft::detail
