#!/bin/sh
# skynet adds up its leaves: sh skynet.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS [thread | address | emulated]
set -eu
# Of the 111,111 inner fibers tens of thousands may be at work at once. ThreadSanitizer follows 8,128; under an emulator
# stacks are guarded by mprotect, 32,000 of them.
case "${2-}" in
  thread) leaves=1000 sum=499500 ;;
  emulated) leaves=100000 sum=4999950000 ;;
  *) leaves=1000000 sum=499999500000 ;;
esac
out=$(timeout 300 "$1/skynet" $leaves)
echo "$out" | grep -Eqx "Result: $sum in [0-9]+ ms\." || {
  echo "skynet.sh: printed '$out'" >&2
  exit 1
}
for bad in 12 -1 0 x 100000000000; do
  if "$1/skynet" $bad 2>/dev/null; then
    echo "skynet.sh: took $bad leaves" >&2
    exit 1
  fi
done
