#!/bin/sh
# skynet adds up its leaves: sh skynet.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS [SANITIZER]
set -eu
# ThreadSanitizer follows at most 8128 fibers at once.
if [ "${2-}" = thread ]; then leaves=1000 sum=499500; else leaves=1000000 sum=499999500000; fi
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
