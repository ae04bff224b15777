// What tests/mutant/weaken puts into its copy of the code: a switch, by number, at each memory order and at each check.
// The program reads from the environment which of them are thrown, so that one build holds all mutants.
//   WEFT_MUTANTS   their numbers, with spaces between them
//   WEFT_REACHED   a file of k_mutants bytes: the byte of each switch that is passed becomes 1
#pragma once
#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>

namespace weft::mutant {

inline constexpr int k_mutants = 8192;

inline bool thrown[k_mutants];
inline char* reached = nullptr;  // shared with the processes that this one forks

inline const bool read = [] {
  if (const char* numbers = std::getenv("WEFT_MUTANTS")) {
    char* end = nullptr;
    for (long n = std::strtol(numbers, &end, 10); end != numbers; n = std::strtol(numbers, &end, 10)) {
      if (n < 0 || n >= k_mutants) std::abort();
      thrown[n] = true;
      numbers = end;
    }
  }
  if (const char* name = std::getenv("WEFT_REACHED")) {
    void* const bytes =
        ::mmap(nullptr, k_mutants, PROT_READ | PROT_WRITE, MAP_SHARED, ::open(name, O_RDWR | O_CLOEXEC), 0);
    if (bytes == MAP_FAILED) std::abort();
    reached = static_cast<char*>(bytes);
  }
  return true;
}();

[[gnu::always_inline]] inline bool on(int n) noexcept {
  if (reached != nullptr) __atomic_store_n(&reached[n], 1, __ATOMIC_RELAXED);
  return thrown[n];
}

[[gnu::always_inline]] inline std::memory_order order(int n, std::memory_order as_it_is,
                                                      std::memory_order weaker) noexcept {
  return on(n) ? weaker : as_it_is;
}

// A check: false if n is thrown, true if n + 1 is.
template <class T>
[[gnu::always_inline]] inline bool check(int n, const T& condition) noexcept {
  const bool as_it_is = static_cast<bool>(condition);
  if (on(n)) return false;
  return on(n + 1) || as_it_is;
}

// What is declared in a condition, a pointer mostly: nothing if n is thrown.
template <class T>
[[gnu::always_inline]] inline T value(int n, T as_it_is) noexcept {
  return on(n) ? T{} : as_it_is;
}

}  // namespace weft::mutant
