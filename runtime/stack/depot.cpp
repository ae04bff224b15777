// Depots: see depot.hpp.
#include "runtime/stack/depot.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/stack/guard.hpp"

namespace weft::runtime {

stack_list depot::take(std::size_t size, std::size_t most) {
  const stack_list taken = take_free(most);
  return taken.empty() ? carve(size, std::min<std::size_t>(most, k_carved_at_once)) : taken;
}

stack_list depot::take_free(std::size_t most) noexcept {
  const std::lock_guard hold(lock_);
  stack_list taken;
  for (stack_list& pile : piles_) {
    stack_list cut = pile.cut_front(most - taken.count());
    taken.join_back(cut);
  }
  return taken;
}

void depot::give(stack_list& stacks) noexcept {
  const std::lock_guard hold(lock_);
  piles_[fresh].join_front(stacks);
}

// Mapping and guarding are system calls and happen without the lock. Where two threads map at once, the second to come
// back gives its slab up again.
stack_list depot::carve(std::size_t size, std::size_t most) {
  stack_list made;
  for (slab* mapped = nullptr; made.empty();) {
    {
      const std::lock_guard hold(lock_);
      if (mapped != nullptr && (slab_ == nullptr || used_ == slab_->count())) {
        slab::publish(mapped);
        slab_ = std::exchange(mapped, nullptr);
        used_ = 0;
      }
      made = carve_locked(most);
    }
    if (mapped != nullptr) slab::unmap(std::exchange(mapped, nullptr));
    if (made.empty()) mapped = slab::map(size);
  }
  guard_stacks(made);
  return made;
}

stack_list depot::carve_locked(std::size_t most) noexcept {
  stack_list made;
  if (slab_ == nullptr) return made;
  const auto count = std::min(static_cast<std::uint32_t>(most), slab_->count() - used_);
  for (std::uint32_t i = count; i-- != 0;) made.push(slab_->at(used_ + i));
  used_ += count;
  carved_ += count;
  return made;
}

std::size_t depot::trim(bool all) noexcept {
  {
    const std::lock_guard hold(lock_);
    piles_[cold].join_front(piles_[old]);
    piles_[old].join_front(piles_[fresh]);
    if (all) piles_[cold].join_front(piles_[old]);
  }
  std::size_t done = 0;
  stack_list batch;
  do {
    {
      const std::lock_guard hold(lock_);
      being_trimmed_ -= batch.count();
      piles_[trimmed].join_front(batch);
      batch = piles_[cold].cut_front(k_advice_batch);
      being_trimmed_ += batch.count();
    }
    discard_stacks(batch);
    done += batch.count();
  } while (!batch.empty());
  return done;
}

depot::counts depot::count() noexcept {
  const std::lock_guard hold(lock_);
  std::size_t free = being_trimmed_;
  for (const stack_list& pile : piles_) free += pile.count();
  return {.carved = carved_, .free = free, .trimmed = piles_[trimmed].count()};
}

}  // namespace weft::runtime
