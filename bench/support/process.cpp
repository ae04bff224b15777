// posix_spawn with a pipe for standard output; standard error goes where ours goes.
#include "bench/support/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

std::vector<std::string> merged_environment(const std::vector<std::string>& over) {
  const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  std::vector<std::string> all = over;
  for (char** at = environ; *at != nullptr; ++at) {
    bool replaced = false;
    for (const std::string& entry : over) replaced |= name_of(entry) == name_of(*at);
    if (!replaced) all.emplace_back(*at);
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Reads until the writer has closed its end; false when the time is up first.
bool read_all(int fd, clock::time_point end, std::string& into) {
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    const int count = left > 0 ? ::poll(&ready, 1, static_cast<int>(left)) : 0;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0;
    into.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

void judge(int status, outcome& result) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    result.ok = true;
  else if (WIFEXITED(status))
    result.problem = fmt::format("exit status {}", WEXITSTATUS(status));
  else
    result.problem = fmt::format("killed by signal {}", WTERMSIG(status));
}

}  // namespace

outcome run_program(const command& what) {
  outcome result;
  std::vector<std::string> words = what.words;
  std::vector<std::string> environment = merged_environment(what.environment);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {false, {}, std::strerror(errno)};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  if (!what.directory.empty()) posix_spawn_file_actions_addchdir_np(&actions, what.directory.c_str());
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words.front().c_str(), &actions, nullptr, pointers_to(words).data(),
                                  pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return {false, {}, fmt::format("{}: {}", words.front(), std::strerror(error))};
  }

  const bool in_time = read_all(ends[0], clock::now() + what.limit, result.output);
  ::close(ends[0]);
  if (!in_time) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  judge(status, result);
  if (!in_time) {
    result.ok = false;
    result.problem = fmt::format("no end after {} s", what.limit.count());
  }
  return result;
}

}  // namespace bench
