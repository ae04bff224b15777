#!/bin/bash
# semantics_table.sh ROOT: every row of tests/semantics/README.md, and every mutant of tests/mutant, names a test case
# that is really there.
#
# A row: | Go's behaviour | pinned by | file | test case | C++ differs |, the file as ctest names it. A mutant's line:
# "test: FILE: TEST CASE".
cd "$1/tests" || exit 2

failures=0
fail() {
  echo "$*"
  ((failures += 1))
}

# expect_test WHERE FILE NAME
expect_test() {
  if [[ ! -f $2.cpp ]]; then
    fail "$1: there is no tests/$2.cpp"
  elif ! grep -qF "TEST_CASE(\"$3\"" "$2.cpp"; then
    fail "$1: tests/$2.cpp has no test case \"$3\""
  fi
}

rows=0
in_table=
while IFS= read -r line; do
  ((number += 1))
  if [[ $line != '|'* ]]; then
    in_table=
  elif [[ $line == *'| file | test case |'* ]]; then
    in_table=yes
  elif [[ $in_table && $line != '| ---'* ]]; then
    IFS='|' read -r _ behaviour _ file name _ rest <<<"$line"
    read -r file <<<"$file"
    read -r name <<<"$name"
    read -r behaviour <<<"$behaviour"
    [[ $rest ]] && fail "README.md:$number: more than five columns"
    [[ $name ]] || fail "README.md:$number: a row without a test: $behaviour"
    expect_test "README.md:$number" "$file" "$name"
    ((rows += 1))
  fi
done <semantics/README.md
((rows > 0)) || fail "semantics/README.md has no rows"

mutants=0
while IFS=: read -r where _ file name; do
  expect_test "$where" "${file# }" "${name# }"
  ((mutants += 1))
done < <(grep -rH '^test: ' mutant 2>/dev/null)

echo "$rows rows and $mutants mutants, $failures wrong"
((failures == 0))
