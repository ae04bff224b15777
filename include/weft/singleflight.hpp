// One call for all who want the same at the same time: Go's golang.org/x/sync/singleflight.
#pragma once
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "weft/detail/cancellation.hpp"
#include "weft/detail/completion.hpp"
#include "weft/fiber.hpp"
#include "weft/mutex.hpp"
#include "weft/wait_group.hpp"

namespace weft {

// call(key, f) runs f, unless a flight of that key is under way; then it waits for that flight's result. K is hashed by
// std::hash, V is copied to each caller.
//
// f runs in a fiber of its own, bound to a context that is cancelled when the last caller has left; so a caller that
// leaves takes nothing from the others. That context has the values of the one given to the call that started the
// flight, but not its cancellation. As the caller may be gone before f ends, let f own what it uses: capture by value.
//
// f returns V or result<V>. An exception or error reaches every caller of the flight: exceptions are rethrown; errors
// are the result where a context was given, and thrown by unwrap() where none was. Any thread may call; the end of f
// happens before the return of its callers. A call of the same key inside f deadlocks. The destructor waits, shielded,
// for flights that all have left.
template <class K, class V>
class singleflight {
 public:
  struct outcome {
    V value;
    bool shared;  // the flight had more than one caller
  };

  singleflight() = default;
  singleflight(const singleflight&) = delete;
  singleflight& operator=(const singleflight&) = delete;
  ~singleflight() {
    const shield_scope s;
    fibers_.wait();
  }

  // Blocks until the flight has landed. Cancellation point: the caller leaves.
  template <std::invocable F>
  outcome call(const K& key, F&& f, std::source_location site = std::source_location::current()) {
    detail::check_canceled();
    const ticket t(*this, background(), key, std::forward<F>(f), site);
    t.of().landed.wait(nullptr);
    return unwrap(t.of().take());
  }
  // Under ctx in place of the bound context. A `canceled` that f threw becomes the error.
  template <std::invocable F>
  result<outcome> call(const context& ctx, const K& key, F&& f,
                       std::source_location site = std::source_location::current()) {
    if (const result<void> r = detail::check_canceled(ctx); !r) return std::unexpected(r.error());
    const ticket t(*this, without_cancel(ctx), key, std::forward<F>(f), site);
    if (!t.of().landed.wait(&ctx)) return std::unexpected(detail::error_of_context(ctx));
    try {
      return t.of().take();
    } catch (const canceled& c) {
      return std::unexpected(c.code());
    }
  }
  // The next call starts a flight of its own; one that is under way goes on for its callers.
  void forget(const K& key) {
    const std::lock_guard hold(mutex_);
    flights_.erase(key);
  }

 private:
  struct flight {
    explicit flight(const context& values) : bound(with_cancel(values)) {}
    detail::completion landed;
    cancelable bound;
    long callers = 0;     // under the mutex
    bool shared = false;  // likewise, until landed
    std::optional<result<V>> value;
    std::exception_ptr thrown;

    result<outcome> take() const {
      if (thrown) std::rethrow_exception(thrown);
      if (!*value) return std::unexpected(value->error());
      return outcome{**value, shared};
    }
  };
  using handle = std::shared_ptr<flight>;

  // What the flight's fiber runs. One that never ran lands as canceled.
  template <class F>
  class pilot {
   public:
    template <class G>
    pilot(singleflight& s, const K& key, handle h, G&& f)
        : flights_(&s), key_(key), flight_(std::move(h)), f_(std::forward<G>(f)) {}
    pilot(pilot&&) = default;
    ~pilot() {
      if (flight_ != nullptr) land(std::make_exception_ptr(canceled(errc::canceled, nullptr)));
    }
    void operator()() {
      std::exception_ptr thrown;
      try {
        flight_->value.emplace(std::invoke(std::move(*f_)));
      } catch (...) {
        thrown = std::current_exception();
      }
      land(std::move(thrown));
    }

   private:
    // What f captured is gone before anybody hears of the result.
    void land(std::exception_ptr thrown) noexcept {
      f_.reset();
      const handle h = std::move(flight_);
      flights_->land(key_, *h, std::move(thrown));
    }
    singleflight* flights_;
    K key_;
    handle flight_;
    std::optional<F> f_;
  };

  // A caller's place on a flight, from before the wait until after it.
  class ticket {
   public:
    template <class F>
    ticket(singleflight& s, const context& values, const K& key, F&& f, std::source_location site)
        : flights_(s), key_(key), flight_(s.board(values, key, std::forward<F>(f), site)) {}
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    ~ticket() { flights_.leave(key_, *flight_); }
    flight& of() const noexcept { return *flight_; }

   private:
    singleflight& flights_;
    const K& key_;
    const handle flight_;
  };

  template <class F>
  handle board(const context& values, const K& key, F&& f, std::source_location site) {
    std::unique_lock hold(mutex_);
    if (const auto at = flights_.find(key); at != flights_.end()) {
      at->second->shared = true;
      ++at->second->callers;
      return at->second;
    }
    const auto h = std::make_shared<flight>(values);
    h->callers = 1;
    flights_.emplace(key, h);
    hold.unlock();  // a pilot that could not be started lands
    try {
      fibers_.go(h->bound.ctx, pilot<std::decay_t<F>>(*this, key, h, std::forward<F>(f)), site);
    } catch (...) {
      if (!h->landed.complete_already()) land(key, *h, std::current_exception());
      throw;
    }
    return h;
  }
  void land(const K& key, flight& which, std::exception_ptr thrown) noexcept {
    which.thrown = std::move(thrown);
    {
      const std::lock_guard hold(mutex_);
      remove_locked(key, which);
    }
    which.landed.complete();
  }
  // Nobody waits for a flight whose last caller has left, and nobody joins it any more.
  void leave(const K& key, flight& from) {
    {
      const std::lock_guard hold(mutex_);
      if (--from.callers != 0) return;
      remove_locked(key, from);
    }
    from.bound.cancel();
  }
  void remove_locked(const K& key, const flight& which) {
    if (const auto at = flights_.find(key); at != flights_.end() && at->second.get() == &which) flights_.erase(at);
  }

  mutex mutex_;
  std::unordered_map<K, handle> flights_;
  wait_group fibers_;
};

}  // namespace weft
