// Objects whose memory is theirs for ever: dense slabs that are never unmapped, and a free list.
//
// An object is constructed once, when it is first needed, and never destroyed; take and give only pass it on. So
// whoever kept a pointer may look at its atomics at any time, and tells from a generation in there whether it is still
// the same one. T has a member `T* next`.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>

#include "runtime/base/atomic.hpp"
#include "runtime/base/cache_line.hpp"
#include "runtime/base/spin_lock.hpp"

namespace weft::runtime {

template <class T>
class type_stable_pool {
 public:
  constexpr type_stable_pool() noexcept = default;

  // Up to `count` objects, chained by next; at least one. Throws std::bad_alloc.
  T* take(std::size_t count = 1) {
    const std::lock_guard hold(lock_);
    if (top_ == nullptr) make(std::max<std::size_t>(count, 1));
    T* first = top_;
    T* last = first;
    for (std::size_t i = 1; i < count && last->next != nullptr; ++i) last = last->next;
    top_ = last->next;
    last->next = nullptr;
    return first;
  }
  void give(T* first) noexcept { give(first, first); }
  void give(T* first, T* last) noexcept {
    const std::lock_guard hold(lock_);
    last->next = top_;
    top_ = first;
  }

  // Every object made so far, free ones too. Takes no lock; usable while others take and give.
  template <class Visit>
  void for_each(Visit visit) {
    for (slab* s = newest_.load(acquire); s != nullptr; s = s->older) {
      const std::size_t made = s->made.load(acquire);
      for (std::size_t i = 0; i < made; ++i) visit(objects(s)[i]);
    }
  }

 private:
  struct slab {
    slab* older;
    atomic<std::size_t> made{0};
  };
  static constexpr std::size_t k_bytes = std::size_t{1} << 20;
  static constexpr std::size_t k_objects = (k_bytes - k_cache_line) / sizeof(T);
  static_assert(alignof(T) <= k_cache_line);

  static T* objects(slab* s) noexcept { return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(s) + k_cache_line); }

  // At most as many as the newest slab has room for. Objects that nobody needs yet are not made: each page of them
  // would cost a page fault.
  void make(std::size_t count) {
    slab* s = newest_.load(relaxed);
    if (s == nullptr || s->made.load(relaxed) == k_objects) s = map_slab();
    const std::size_t made = s->made.load(relaxed);
    const std::size_t end = made + std::min(count, k_objects - made);
    for (std::size_t i = end; i-- > made;) {
      T* x = ::new (static_cast<void*>(objects(s) + i)) T();
      x->next = top_;
      top_ = x;
    }
    s->made.store(end, release);  // pairs with for_each: the objects are constructed
  }
  slab* map_slab() {
    void* memory = ::mmap(nullptr, k_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    slab* s = ::new (memory) slab{newest_.load(relaxed)};
    newest_.store(s, release);  // pairs with for_each: the slab's head is
    return s;
  }

  spin_lock lock_;  // innermost: nothing else is locked under it
  T* top_ = nullptr;
  atomic<slab*> newest_{nullptr};
};

// One owner's cache above a pool: no lock but to fetch or spill a batch. Keeps the hotter half when it spills.
template <class T>
class pool_cache {
 public:
  explicit pool_cache(type_stable_pool<T>& pool) noexcept : pool_(pool) {}
  pool_cache(const pool_cache&) = delete;
  pool_cache& operator=(const pool_cache&) = delete;
  ~pool_cache() { flush(); }

  T* take() {
    if (top_ == nullptr) [[unlikely]]
      refill();
    T* x = top_;
    top_ = x->next;
    --count_;
    return x;
  }
  void give(T* x) noexcept {
    x->next = top_;
    top_ = x;
    if (++count_ == 2 * k_batch) [[unlikely]]
      spill(k_batch);
  }
  void flush() noexcept {
    if (top_ != nullptr) spill(0);
  }

 private:
  static constexpr std::size_t k_batch = 64;

  void refill() {
    top_ = pool_.take(k_batch);
    for (T* x = top_; x != nullptr; x = x->next) ++count_;
  }
  void spill(std::size_t keep) noexcept {
    T** cut = &top_;
    for (std::size_t i = 0; i < keep; ++i) cut = &(*cut)->next;
    T* first = *cut;
    *cut = nullptr;
    count_ = keep;
    T* last = first;
    while (last->next != nullptr) last = last->next;
    pool_.give(first, last);
  }

  type_stable_pool<T>& pool_;
  T* top_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace weft::runtime
