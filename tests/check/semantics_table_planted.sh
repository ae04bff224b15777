#!/bin/bash
# Shows that semantics_table.sh sees what it is for: right rows pass, and each wrong one, planted alone, is refused.
set -u
check=$(dirname "${BASH_SOURCE[0]}")/semantics_table.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/tests/semantics" "$tree/tests/mutant"
printf 'TEST_CASE("chan: holds") {}\nTEST_CASE("chan: too, %s" * skip()) {}\n' 'a, b (c)' >"$tree/tests/semantics/chan.cpp"
failures=0

# verdict EXPECTED ROW [MUTANT]: runs the check on a table of this row alone.
verdict() {
  printf '# Table\n\n| a | b |\n| --- | --- |\n| not | one of ours |\n\n%s\n| --- | --- | --- | --- | --- |\n%s\n\ntext\n' \
    "| Go's behaviour | pinned by | file | test case | C++ differs |" "$2" >"$tree/tests/semantics/README.md"
  rm -f "$tree/tests/mutant/one.patch"
  [[ -z ${3-} ]] || printf 'What it breaks.\n%s\n--- a/x\n+++ b/x\n' "$3" >"$tree/tests/mutant/one.patch"
  local found=passes
  bash "$check" "$tree" >/dev/null || found=refused
  if [[ $found != "$1" ]]; then
    echo "$2 ${3-}: expected $1, got $found"
    failures=1
  fi
}

verdict passes '| it holds | spec | semantics/chan | chan: holds | |'
verdict passes '| it holds | spec | semantics/chan | chan: too, a, b (c) | because |'
verdict passes '| it holds | spec | semantics/chan | chan: holds | |' 'test: semantics/chan: chan: holds'

verdict refused ''
verdict refused '| it holds | spec | semantics/chan | chan: hold | |'
verdict refused '| it holds | spec | semantics/chan | chan: holds not | |'
verdict refused '| it holds | spec | semantics/chans | chan: holds | |'
verdict refused '| it holds | spec | semantics/chan.cpp | chan: holds | |'
verdict refused '| it holds | spec | semantics/chan | | |'
verdict refused '| it holds | spec | semantics/chan | chan: holds | because | of this |'
verdict refused '| it holds | spec | semantics/chan | chan: holds | |' 'test: semantics/chan: chan: gone'
exit $failures
