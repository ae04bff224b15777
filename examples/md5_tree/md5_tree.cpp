// md5_tree DIR: the MD5 digest of every regular file below DIR, sorted by path.
//
// The bounded pipeline of "Go Concurrency Patterns: Pipelines and cancellation": walk_files -> digester, as many as
// there are workers -> md5_all. md5_tree.go beside this file is the original, function by function.
// One thing differs: Go returns at the first error and leaves the workers to wind down; md5_all cancels them and waits,
// since what they use lives on its stack.

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <weft/weft.hpp>

#include "interrupt.hpp"
#include "md5.hpp"
#include "options.hpp"
#include "walk.hpp"

namespace md5_tree {
namespace {

// A path that the walk came by, and why it cannot be read, if the walk knows already.
struct found {
  std::string path;
  std::error_code error;
};

struct result {
  std::string path;
  weft::result<digest> sum;
};

// Why there are no sums. The path is empty where a cancel is the reason.
struct failure {
  std::string path;
  std::error_code error;
};

struct sums {
  std::map<std::string, digest> by_path;
  int skipped = 0;
};

using outcome = std::expected<sums, failure>;

void report(const std::string& path, std::error_code error) {
  std::fprintf(stderr, "md5_tree: %s: %s\n", path.c_str(), error.message().c_str());
}

// Sends each regular file below root on the first channel, and how the walk ended on the second.
std::pair<weft::recv_chan<found>, weft::recv_chan<std::error_code>> walk_files(weft::context ctx, std::string root) {
  weft::chan<found> paths;
  weft::chan<std::error_code> ended{1};  // room for one, so that nobody need be there to take it
  weft::go([=] {
    weft::defer close_paths([&] { paths.close(); });
    ended.send(walk(root, [&](const std::string& path, std::filesystem::file_type type, std::error_code error) {
      if (!error && type != std::filesystem::file_type::regular) return std::error_code{};
      switch (weft::select(weft::send(paths, found{path, error}), ctx.done())) {
        case 0:
          return std::error_code{};
        default:
          return ctx.err();
      }
    }));
  });
  return {paths, ended};
}

// Digests paths until there are no more, or ctx ends.
void digester(const weft::context& ctx, weft::recv_chan<found> paths, weft::send_chan<result> c) {
  for (found f : paths) {
    result r{f.path, std::unexpected(f.error)};
    if (!f.error) r.sum = md5_file(ctx, f.path);
    switch (weft::select(weft::send(c, std::move(r)), ctx.done())) {
      case 0:
        break;
      default:
        return;
    }
  }
}

// The digest of every regular file below o.root. The first that cannot be read ends it, unless o.keep_going.
outcome md5_all(const weft::context& parent, const options& o) {
  auto [ctx, cancel] = weft::with_cancel(parent);

  auto [paths, ended] = walk_files(ctx, o.root);

  weft::chan<result> c;
  weft::wait_group workers;
  for (int i = 0; i < o.workers; ++i) workers.go([=] { digester(ctx, paths, c); });
  weft::go([&workers, c] {
    workers.wait();
    c.close();
  });

  sums m;
  failure first;
  for (result r : c) {
    if (ctx.err()) continue;  // what still arrives is incomplete
    if (r.sum) {
      m.by_path.emplace(std::move(r.path), *r.sum);
    } else if (o.keep_going) {
      report(r.path, r.sum.error());
      ++m.skipped;
    } else {
      first = {std::move(r.path), r.sum.error()};
      cancel();
    }
  }
  if (first.error) return std::unexpected(std::move(first));
  if (std::error_code error = ended.recv().value()) return std::unexpected(failure{{}, error});
  if (ctx.err()) return std::unexpected(failure{{}, ctx.err()});
  return m;
}

// As md5sum writes it: a name with a newline, a return or a backslash is escaped, and its line begins with a backslash.
void write_line(std::FILE* out, const std::string& path, const digest& sum) {
  std::string escaped;
  for (char byte : path) {
    switch (byte) {
      case '\\':
        escaped += "\\\\";
        break;
      case '\n':
        escaped += "\\n";
        break;
      case '\r':
        escaped += "\\r";
        break;
      default:
        escaped += byte;
    }
  }
  if (escaped != path) std::fputc('\\', out);
  for (unsigned char byte : sum) std::fprintf(out, "%02x", byte);
  std::fprintf(out, "  %s\n", escaped.c_str());
}

std::error_code write_all(const sums& m) {
  for (const auto& [path, sum] : m.by_path) write_line(stdout, path, sum);
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return {};
  return {errno, std::generic_category()};
}

outcome digest_tree(const options& o) {
  block_signal blocked(SIGINT);
  return weft::run([&]() -> outcome {
    auto [ctx, cancel] = weft::with_cancel(weft::background());
    cancel_on_signal watch(SIGINT, cancel);
    if (!o.timeout) return md5_all(ctx, o);
    auto timed = weft::with_timeout(ctx, *o.timeout);
    return md5_all(timed.ctx, o);
  });
}

int finish(const outcome& m, const options& o) {
  if (!m) {
    const auto& [path, error] = m.error();
    if (!path.empty()) {
      report(path, error);
      return k_exit_failed;
    }
    if (error == weft::errc::deadline_exceeded) {
      std::fprintf(stderr, "md5_tree: timed out after %s\n", o.timeout_text.c_str());
      return k_exit_timed_out;
    }
    std::fputs("md5_tree: interrupted\n", stderr);
    return k_exit_interrupted;
  }
  if (std::error_code error = write_all(*m)) {
    report("standard output", error);
    return k_exit_failed;
  }
  return m->skipped == 0 ? 0 : k_exit_failed;
}

}  // namespace
}  // namespace md5_tree

int main(int argc, char** argv) {
  using namespace md5_tree;
  const parsed command = parse({argv + 1, argv + argc});
  if (!command.options) {
    std::fputs(command.text.c_str(), command.status == 0 ? stdout : stderr);
    return command.status;
  }
  return finish(digest_tree(*command.options), *command.options);
}
