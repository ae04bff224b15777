// Intrusive lists. The links live in the members `next` (and `prev`) of the element; the lists own nothing and lock
// nothing.
#pragma once
#include <cstddef>

namespace weft::runtime {

// First in, first out, by `next` alone.
template <class T>
class queue_of {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  std::size_t size() const noexcept { return size_; }
  void push_back(T* x) noexcept {
    x->next = nullptr;
    (head_ == nullptr ? head_ : tail_->next) = x;
    tail_ = x;
    ++size_;
  }
  void push_front(T* x) noexcept {
    x->next = head_;
    if (head_ == nullptr) tail_ = x;
    head_ = x;
    ++size_;
  }
  T* pop_front() noexcept {
    T* x = head_;
    if (x == nullptr) return nullptr;
    head_ = x->next;
    --size_;
    return x;
  }
  void append(queue_of& other) noexcept {
    if (other.empty()) return;
    (head_ == nullptr ? head_ : tail_->next) = other.head_;
    tail_ = other.tail_;
    size_ += other.size_;
    other = {};
  }

 private:
  T* head_ = nullptr;
  T* tail_ = nullptr;
  std::size_t size_ = 0;
};

// Doubly linked, so that an element in the middle can leave. `Head` holds a T*.
template <class T, class Head = T*>
class list_of {
 public:
  bool empty() const noexcept { return head_ == nullptr; }
  bool seems_empty() const noexcept { return head_.hint() == nullptr; }  // hinted.hpp
  T* front() const noexcept { return head_; }
  void push_back(T* x) noexcept {
    x->next = nullptr;
    x->prev = tail_;
    if (tail_ == nullptr)
      head_ = x;
    else
      tail_->next = x;
    tail_ = x;
  }
  void remove(T* x) noexcept {
    if (x->prev == nullptr)
      head_ = x->next;
    else
      x->prev->next = x->next;
    (x->next == nullptr ? tail_ : x->next->prev) = x->prev;
  }
  T* pop_front() noexcept {
    T* x = head_;
    if (x != nullptr) remove(x);
    return x;
  }

 private:
  Head head_ = nullptr;
  T* tail_ = nullptr;
};

}  // namespace weft::runtime
