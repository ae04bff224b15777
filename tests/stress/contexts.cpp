// Context trees, deep and wide.
#include <optional>

#include "tests/support/support.hpp"

using namespace weft;
using test::expect;

namespace {

context nested(context parent, long depth, long each, const auto& visit) {
  for (long i = 1; i <= depth; ++i) {
    auto scope = with_cancel(parent);
    scope.cancel.release();
    parent = scope;
    if (i % each == 0) visit(parent);
  }
  return parent;
}

// A tree by tens; `visit` sees every node. Returns how many there are.
long grow(const context& node, int levels, const auto& visit) {
  visit(node);
  if (levels == 0) return 1;
  long nodes = 1;
  for (int i = 0; i < 10; ++i) {
    auto scope = with_cancel(node);
    scope.cancel.release();
    nodes += grow(scope, levels - 1, visit);
  }
  return nodes;
}

}  // namespace

TEST_CASE("context: a chain of a million is cancelled without growing a stack, and each fiber hears of it") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long depth = test::scale(1'000'000);
    expect e;
    run(test::on(processors), [&] {
      auto root = with_cancel(background());
      const long each = depth < 1000 ? 1 : depth / 1000;
      wait_group all;
      std::atomic<long> heard{0};
      long fibers = 0;
      context leaf = nested(root, depth, each, [&](const context& ctx) {
        ++fibers;
        all.go(ctx, [&heard] {
          try {
            this_fiber::sleep_for(1h);
          } catch (const canceled&) {
            ++heard;
          }
        });
      });
      auto by_channel = spawn([leaf] { return leaf.done().recv(); });
      test::settle();
      e(!leaf.err());
      root.cancel();
      e(leaf.err() == errc::canceled);
      e(leaf.cause() != nullptr);
      e(!by_channel.join());
      all.wait();
      e.equal(heard.load(), fibers);
      e(fibers > 0);
    });
    e.report();
  });
}

TEST_CASE("context: a chain of a million is let go of without growing a stack") {
  const long depth = test::scale(1'000'000);
  const bool alive = run(test::on(1), [&] {
    context leaf = nested(background(), depth, depth + 1, [](const context&) {});
    const bool before = !leaf.err();
    leaf = background();
    return before && !leaf.err();
  });
  CHECK(alive);
}

TEST_CASE("context: a tree of 111,111, a fiber at each node, all hear of the cancel") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const int levels = test::scale_factor() < 1 ? 3 : 5;
    expect e;
    run(test::on(processors), [&] {
      auto root = with_cancel(background());
      wait_group all;
      std::atomic<long> thrown{0}, told{0};
      long fibers = 0;
      const long nodes = grow(root, levels, [&](const context& ctx) {
        if (++fibers % 2)
          all.go(ctx, [&thrown] {
            try {
              this_fiber::sleep_for(1h);
            } catch (const canceled&) {
              ++thrown;
            }
          });
        else
          all.go([&told, ctx] {
            if (!ctx.done().recv() && ctx.err() == errc::canceled) ++told;
          });
      });
      e.equal(nodes, levels == 5 ? 111'111 : 1'111);
      test::settle();
      root.cancel();
      all.wait();
      e.equal(thrown.load() + told.load(), nodes);
      e.equal(told.load(), nodes / 2);
    });
    e.report();
  });
}

// Those woken so far run on other processors while the cancel goes on.
TEST_CASE("context: cancelled with many waiting for done(), each finds the error and the cause at once") {
  test::in_fiber({1, 2, 4}, [](expect& e) {
    const long rounds = test::scale(10);
    for (long round = 0; round < rounds; ++round) {
      constexpr long k_waiting = 5'000;
      auto parent = with_cancel(background());
      const context ctx = with_cancel(parent).ctx;
      std::atomic<long> right{0};
      wait_group all;
      for (long i = 0; i < k_waiting; ++i)
        all.go([&right, ctx] {
          if (!ctx.done().recv() && ctx.err() == errc::canceled && ctx.cause() != nullptr) ++right;
        });
      test::settle();
      parent.cancel(std::make_exception_ptr(std::runtime_error("why")));
      e(ctx.err() == errc::canceled);
      all.wait();
      e.equal(right.load(), k_waiting);
    }
  });
}

TEST_CASE("context: a million derived and cancelled under one parent leave nothing behind") {
  test::for_processors({1, 4}, [](unsigned processors) {
    const long rounds = test::scale(1'000'000);
    constexpr std::size_t k_slack = 16 << 20;  // a million left behind would take six times as much
    expect e;
    run(test::on(processors), [&] {
      auto parent = with_cancel(background());
      const auto derive = [&](long n) {
        for (long i = 0; i < n; ++i) {
          auto child = with_cancel(parent);
          auto timed = with_timeout(child, 1h);
          timed.cancel();
        }
      };
      derive(rounds / 10);
      const std::size_t before = test::resident_bytes();
      derive(rounds);
      const std::size_t after = test::resident_bytes();
      e(after < before + k_slack);
      e(!parent.ctx.err());
    });
    e.report();
  });
}

TEST_CASE("context: many fibers derive, wait and cancel under one parent that is cancelled meanwhile") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(2'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        auto parent = with_cancel(background());
        wait_group all;
        std::atomic<long> over{0};
        for (std::uint64_t fiber = 0; fiber < 8; ++fiber)
          all.go([&, fiber] {
            test::random chance(fiber);
            for (;;) {
              auto child = with_timeout(parent, std::chrono::microseconds(chance.below(3)));
              auto grandchild = with_cancel(child);
              if (chance.below(2)) child.cancel();
              if (chance.below(4) == 0) this_fiber::yield();
              grandchild.ctx.done().recv();
              if (grandchild.ctx.err() != child.ctx.err()) e(false);
              if (parent.ctx.err()) break;
            }
            ++over;
          });
        for (int i = 0; i < 5; ++i) this_fiber::yield();
        parent.cancel();
        all.wait();
        e.equal(over.load(), 8);
      }
    });
    e.report();
  });
}

TEST_CASE("context: cancel from many sides has one winner, whose cause all see") {
  test::for_processors({1, 2, 4, 8}, [](unsigned processors) {
    const long rounds = test::scale(3'000);
    expect e;
    run(test::on(processors), [&] {
      for (long round = 0; round < rounds; ++round) {
        auto parent = with_cancel_cause(background());
        auto child = with_cancel(parent);
        std::vector<task<std::exception_ptr>> all;
        for (int i = 0; i < 4; ++i)
          all.push_back(spawn([&] {
            parent.cancel(std::make_exception_ptr(round));
            return child.ctx.cause();
          }));
        const auto cause = all[0].join();
        e(cause != nullptr);
        for (std::size_t i = 1; i < 4; ++i)
          if (all[i].join() != cause) e(false);
      }
    });
    e.report();
  });
}
