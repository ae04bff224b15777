#!/bin/bash
# mutants.sh ROOT: every mutant in tests/mutant still applies, as it stands, and the test it names is there. Whether that
# test goes red is for tests/mutant/run, which builds each.
cd "$1" || exit 2
patches=$(find tests/mutant -name '*.patch' | sort)
[[ $patches ]] || { echo "no mutants"; exit 1; }
failures=0
for mutant in $patches; do
  if ! log=$(patch --dry-run --strip=1 --fuzz=0 --forward --reject-file=- <"$mutant" 2>&1); then
    echo "$mutant: does not apply:" "${log##*$'\n'}"
    failures=1
  fi
  target=$(sed -n 's/^test: //p' "$mutant")
  if ! grep -qF "TEST_CASE(\"${target#*: }\"" "tests/${target%%: *}.cpp" 2>/dev/null; then
    echo "$mutant: there is no test: $target"
    failures=1
  fi
done
exit $failures
