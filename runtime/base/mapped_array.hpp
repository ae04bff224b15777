// A growing array in memory of its own mapping. It grows without malloc, so runtime code may grow it where a preempted
// fiber could be holding one of malloc's locks.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "runtime/base/fatal.hpp"

namespace weft::runtime {

template <class T>
class mapped_array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  mapped_array() noexcept = default;
  mapped_array(const mapped_array&) = delete;
  mapped_array& operator=(const mapped_array&) = delete;
  ~mapped_array() {
    if (data_ != nullptr) ::munmap(static_cast<void*>(data_), bytes_);
  }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }

  void push_back(const T& x) {
    if (!try_push_back(x)) fatal("out of memory: cannot map %zu bytes", next_size());
  }
  // False: the system has no memory; nothing has changed.
  bool try_push_back(const T& x) noexcept {
    if (size_ == capacity_ && !grow()) return false;
    data_[size_++] = x;
    return true;
  }
  void pop_back() noexcept { --size_; }
  // Keeps the elements for which drop(x) does not hold, in their order.
  template <class Drop>
  void erase_if(Drop drop) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i)
      if (!drop(data_[i])) data_[kept++] = data_[i];
    size_ = kept;
  }

 private:
  std::size_t next_size() const noexcept { return bytes_ == 0 ? 4096 : 2 * bytes_; }
  bool grow() noexcept {
    const std::size_t bytes = next_size();
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return false;
    if (data_ != nullptr) {  // not by mremap, of which ThreadSanitizer hears nothing
      std::memcpy(at, static_cast<const void*>(data_), size_ * sizeof(T));
      ::munmap(static_cast<void*>(data_), bytes_);
    }
    data_ = static_cast<T*>(at);
    bytes_ = bytes;
    capacity_ = bytes / sizeof(T);
    return true;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace weft::runtime
