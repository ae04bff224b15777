#!/bin/sh
# One deadline ends both fibers, none before its time: sh hello_context.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "hello_context.sh: $*" >&2
  cat "$work/out" >&2
  exit 1
}

for processors in 1 2; do
  : >"$work/out"
  WEFT_PROCESSORS=$processors timeout 60 "$1/hello_context" >"$work/out" || fail "exit status $?"
  [ "$(wc -l <"$work/out")" = 3 ] || fail "not three lines"
  [ "$(head -n 2 "$work/out" | grep -Eixc 'parked:  .*deadline.exceeded')" = 1 ] || fail "the parked fiber tells no deadline"
  [ "$(head -n 2 "$work/out" | grep -xc 'polling: unwound')" = 1 ] || fail "the polling fiber was not unwound"
  took=$(sed -n 's/^both ended after \([0-9]*\)\.[0-9] ms$/\1/p' "$work/out")
  [ -n "$took" ] || fail "no time on the last line"
  [ "$took" -ge 50 ] || fail "ended before the deadline"
done
