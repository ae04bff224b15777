#!/bin/bash
# snippets.sh ROOT BUILD: each piece of C++ in the porting guide compiles and runs, as a function that weft::run runs.
cd "$1" || exit 2
guide=examples/port/README.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
  for header in fcntl.h algorithm atomic cerrno cstdio memory mutex string system_error thread vector weft/weft.hpp; do
    echo "#include <$header>"
  done
  echo 'using namespace weft;'
  awk -v guide="$guide" '
    /^```cpp$/ { printf "static void snippet_%d() {\n#line %d \"%s\"\n", ++count, NR + 1, guide; inside = 1; next }
    /^```$/ && inside { print "}"; inside = 0; next }
    inside
    END {
      printf "int main() {\n"
      for (i = 1; i <= count; ++i) printf "  run([] { snippet_%d(); });\n", i
      printf "  std::puts(\"%d snippets\");\n}\n", count
      exit count == 0
    }' "$guide" || { echo "no snippets in $guide" >&2; exit 1; }
} >"$work/snippets.cpp" || exit 1
"${CXX:-g++}" -std=c++23 -O1 -Wall -Wextra -Werror -Iinclude "$work/snippets.cpp" -o "$work/snippets" \
  "$2/runtime/libweft.a" -lboost_context -ljemalloc -pthread || exit 1
timeout 60 "$work/snippets" >"$work/out" 2>"$work/err"
status=$?
cat "$work/out" "$work/err"
[[ $status == 0 && ! -s $work/err ]]
