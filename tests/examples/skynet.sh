#!/bin/sh
# skynet adds up a million leaves: sh skynet.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
out=$(timeout 300 "$1/skynet")
echo "$out" | grep -Eqx 'Result: 499999500000 in [0-9]+ ms\.' || {
  echo "skynet.sh: printed '$out'" >&2
  exit 1
}
