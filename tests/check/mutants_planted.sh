#!/bin/bash
# Shows that mutants.sh sees what it is for: a mutant that fits passes; one whose code or whose test has changed is
# refused.
set -u
check=$(dirname "${BASH_SOURCE[0]}")/mutants.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{tests/mutant/unit,tests/unit,runtime}
failures=0

# verdict EXPECTED WHAT FILE SED: runs mutants.sh on the tree after this change of one file.
verdict() {
  printf 'int a;\nint b;\nint c;\n' >"$tree/runtime/abc.cpp"
  printf 'TEST_CASE("abc: there are three") {}\n' >"$tree/tests/unit/abc.cpp"
  printf '%s\n' 'One is missing.' 'test: unit/abc: abc: there are three' '--- a/runtime/abc.cpp' '+++ b/runtime/abc.cpp' \
    '@@ -1,3 +1,2 @@' ' int a;' '-int b;' ' int c;' >"$tree/tests/mutant/unit/two.patch"
  sed -i "$4" "$tree/$3"
  local found=passes
  bash "$check" "$tree" >"$tree/log" || found=refused
  if [[ $found != "$1" ]]; then
    echo "$2: expected $1, got $found"
    cat "$tree/log"
    failures=1
  fi
}

verdict passes 'a mutant that fits' runtime/abc.cpp ''
verdict refused 'the line it takes out is another' runtime/abc.cpp 's/int b/long b/'
verdict refused 'a line beside it is another' runtime/abc.cpp 's/int c/long c/'
verdict refused 'its test is gone' tests/unit/abc.cpp 's/three/four/'
verdict refused 'its test is in another file' tests/mutant/unit/two.patch 's,unit/abc,unit/def,'
exit $failures
