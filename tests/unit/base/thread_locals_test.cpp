// The runtime's thread-locals, on threads that are not its own.
#include "runtime/base/thread_locals.hpp"

#include <exception>
#include <thread>

#include "runtime/fiber/fiber.hpp"
#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {
fiber* let_go = nullptr;
}

TEST_CASE("thread_locals: a thread that is not ours has no worker, and each its own foreign fiber") {
  bool none = false;
  std::thread([&] { none = this_worker() == nullptr && this_foreign_fiber() == nullptr; }).join();
  CHECK(none);
  CHECK(this_worker() == nullptr);
}

TEST_CASE("thread_locals: a foreign fiber is given back when its thread ends, and not before") {
  let_go = nullptr;
  fiber block;
  bool kept = false;
  std::thread([&] {
    set_this_foreign_fiber(&block, [](fiber* f) noexcept { let_go = f; });
    kept = this_foreign_fiber() == &block && let_go == nullptr;
  }).join();
  CHECK(kept);
  CHECK(let_go == &block);
}

TEST_CASE("thread_locals: the view of the C++ runtime's exception state is the real one") {
  const __cxa_eh_globals_view* here = this_thread_exceptions();
  const void* const before = here->caught;
  struct look {
    const __cxa_eh_globals_view* view;
    unsigned int& seen;
    ~look() { seen = view->uncaught; }
  };
  unsigned int in_flight = 0;
  try {
    const look l{here, in_flight};
    throw 1;
  } catch (int) {
    CHECK(here->caught != nullptr);
    CHECK(here->caught != before);
    CHECK(here->uncaught == 0);
  }
  CHECK(in_flight == 1);
  CHECK(here->caught == before);
}
