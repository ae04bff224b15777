#pragma once
// Go's filepath.Walk: a directory before what is in it, siblings in the order of their bytes, symbolic links not
// followed. Without recursion, because a tree may be deeper than a fiber's stack.

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>
#include <weft/weft.hpp>

namespace md5_tree {

struct walk_entry {
  std::string path;
  std::filesystem::file_type type{};
  std::error_code error{};
};

struct walk_listing {
  std::vector<walk_entry> entries;
  std::error_code error;
};

// What is in a directory, sorted backwards: the walk takes from the end.
inline walk_listing list_directory(const std::string& path) {
  walk_listing list;
  std::filesystem::directory_iterator here(path, list.error);
  while (!list.error && here != std::filesystem::directory_iterator()) {
    walk_entry& entry = list.entries.emplace_back(here->path().native());
    entry.type = here->symlink_status(entry.error).type();
    here.increment(list.error);
  }
  std::ranges::sort(list.entries, std::ranges::greater{}, &walk_entry::path);
  return list;
}

// Calls visit(path, type, error) for root and everything below it; a file with an error could not be looked at, a
// directory with one could not be listed. Returns the first error that visit returns, and ends there.
template <std::invocable<const std::string&, std::filesystem::file_type, std::error_code> Visit>
std::error_code walk(const std::string& root, Visit visit) {
  std::vector<walk_entry> ahead{{root}};
  weft::blocking([&] { ahead[0].type = std::filesystem::symlink_status(root, ahead[0].error).type(); });
  while (!ahead.empty()) {
    walk_entry entry = std::move(ahead.back());
    ahead.pop_back();
    if (entry.type == std::filesystem::file_type::directory) {
      walk_listing list = weft::blocking([&] { return list_directory(entry.path); });
      std::ranges::move(list.entries, std::back_inserter(ahead));
      entry.error = list.error;
    }
    if (std::error_code stop = visit(entry.path, entry.type, entry.error)) return stop;
  }
  return {};
}

}  // namespace md5_tree
