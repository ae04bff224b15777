// Reads the state letter of each of our threads from /proc/self/task/TID/stat.
#include "bench/support/quiet.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace bench {
namespace {

bool asleep(int task_directory, const char* tid) {
  const int fd = ::openat(task_directory, (std::string(tid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return true;  // the thread has ended
  char text[256];
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return true;
  text[size] = '\0';
  const char* name_end = std::strrchr(text, ')');  // the name may hold anything, also a parenthesis
  return name_end != nullptr && std::strlen(name_end) > 2 && name_end[2] == 'S';
}

bool all_asleep() {
  struct closer {
    void operator()(DIR* d) const { ::closedir(d); }
  };
  const std::unique_ptr<DIR, closer> tasks(::opendir("/proc/self/task"));
  if (!tasks) return false;
  const long self = ::gettid();
  while (const dirent* entry = ::readdir(tasks.get())) {
    const long tid = std::strtol(entry->d_name, nullptr, 10);
    if (tid != 0 && tid != self && !asleep(::dirfd(tasks.get()), entry->d_name)) return false;
  }
  return true;
}

}  // namespace

bool others_asleep(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  int looks = 0;
  do {
    looks = all_asleep() ? looks + 1 : 0;
    if (looks == 2) return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace bench
