// Exceptions belong to the fiber, whatever others do meanwhile.
#include <exception>

#include "tests/storms/storms.hpp"

using namespace weft;

namespace test::storm {
namespace {

struct mine {
  long fiber;
  int level;
};

bool is_current(long fiber, int level) {
  try {
    std::rethrow_exception(std::current_exception());
  } catch (const mine& m) {
    return m.fiber == fiber && m.level == level;
  } catch (...) {
    return false;
  }
}

// Yields in each of `depth` nested handlers, on the way in and on the way out.
void nest(expect& e, long fiber, int level, int depth) {
  if (level == depth) return;
  try {
    throw mine{fiber, level};
  } catch (const mine& m) {
    const std::exception_ptr before = std::current_exception();
    this_fiber::yield();
    if (!is_current(fiber, level)) e(false);
    nest(e, fiber, level + 1, depth);
    this_fiber::yield();
    if (std::current_exception() != before || m.fiber != fiber || m.level != level) e(false);
  }
}

}  // namespace

void nested_exceptions(expect& e, long fibers, long rounds) {
  wait_group all;
  std::atomic<long> finished{0};
  for (long fiber = 0; fiber < fibers; ++fiber)
    all.go([&, fiber] {
      for (long i = 0; i < rounds; ++i) {
        nest(e, fiber, 0, static_cast<int>(i % 6) + 1);
        if (std::current_exception()) e(false);
      }
      ++finished;
    });
  all.wait();
  e.equal(finished.load(), fibers);
}

void cancelled_frames(expect& e, int fibers) {
  auto scope = with_cancel(background());
  test::tally frames;
  wait_group all;
  std::atomic<long> heard{0};
  for (int fiber = 0; fiber < fibers; ++fiber)
    all.go(scope, [&, fiber] {
      const test::counted outer(frames, fiber);
      try {
        const test::counted inner(frames, fiber);
        this_fiber::sleep_for(1h);
      } catch (const canceled&) {
        this_fiber::yield();
        ++heard;
        throw;
      }
    });
  scope.cancel();
  all.wait();
  e.equal(heard.load(), fibers);
  e.equal(frames.alive(), 0);
}

}  // namespace test::storm
