#!/bin/bash
# headers.sh ROOT: every public header compiles alone, without warnings, with each compiler that is here.
cd "$1" || exit 2
compilers=()
for compiler in g++ clang++-19; do
  command -v "$compiler" >/dev/null && compilers+=("$compiler")
done
headers=$(cd include && find weft -name '*.hpp' | sort)
[[ $headers ]] || { echo "no headers"; exit 1; }

# Twice, so that a header without its guard fails too.
export program='printf "#include <%s>\n#include <%s>\n" "$2" "$2" |
  "$1" -std=c++23 -Wall -Wextra -Wpedantic -Werror -Iinclude -x c++ -fsyntax-only - ||
  { echo "$2 does not stand alone with $1"; exit 1; }'
for compiler in "${compilers[@]}"; do
  for header in $headers; do printf '%s\0%s\0' "$compiler" "$header"; done
done | xargs -0 -n 2 -P "$(nproc)" bash -c "$program" headers.sh || exit 1
echo "$(wc -w <<<"$headers") headers stand alone with ${compilers[*]}"
