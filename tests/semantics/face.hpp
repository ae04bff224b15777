// What the tests of the public face ask of a type.
#pragma once
#include <concepts>
#include <memory>
#include <mutex>
#include <type_traits>

namespace face {

template <class A, class B>
inline constexpr bool is = std::same_as<A, B>;
template <class T>
concept nothrow_handle = std::is_nothrow_default_constructible_v<T> && std::is_nothrow_move_constructible_v<T> &&
                         std::is_nothrow_move_assignable_v<T> && !std::copy_constructible<T>;
template <class T>
concept scope = std::destructible<T> && !std::move_constructible<T>;
template <class T>
concept lockable = std::default_initializable<T> && !std::move_constructible<T> && requires(T& l) {
  { l.lock() } -> std::same_as<void>;
  { l.try_lock() } -> std::same_as<bool>;
  { l.unlock() } -> std::same_as<void>;
  std::unique_lock(l);
};

using owner = std::unique_ptr<int>;  // what can only be moved

}  // namespace face
