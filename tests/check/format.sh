#!/bin/bash
# format.sh ROOT: every source file is as clang-format 19 leaves it. Other versions differ in details and are not asked.
cd "$1" || exit 2
if ! command -v clang-format-19 >/dev/null; then
  echo "skipped: clang-format-19 is not installed"
  exit 77
fi
files=$(find include arch runtime tests bench examples \( -name '*.hpp' -o -name '*.cpp' \) | sort)
[[ $files ]] || { echo "no files"; exit 1; }
# shellcheck disable=SC2086
clang-format-19 --dry-run -Werror $files || exit 1
echo "$(wc -w <<<"$files") files are formatted"
