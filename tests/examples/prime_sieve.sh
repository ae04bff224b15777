#!/bin/sh
# prime_sieve prints primes: sh prime_sieve.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "prime_sieve.sh: $*" >&2
  exit 1
}

# factor(1) writes a prime as itself alone: "541: 541".
seq 2 3571 | factor | awk 'NF == 2 { print $2 }' >"$work/primes"
[ "$(wc -l <"$work/primes")" = 500 ] || fail "factor finds other than 500 primes up to 3571"

for count in 100 0 1 500; do
  head -n $count "$work/primes" >"$work/expected"
  timeout 120 "$1/prime_sieve" $count >"$work/out" 2>"$work/err" || fail "$count primes: exit status $?"
  cmp "$work/expected" "$work/out" || fail "$count primes: not those"
  [ ! -s "$work/err" ] || fail "$count primes: $(head "$work/err")"
done

head -n 100 "$work/primes" >"$work/expected"
timeout 120 "$1/prime_sieve" >"$work/out" || fail "without an argument: exit status $?"
cmp "$work/expected" "$work/out" || fail "without an argument: not the first 100 primes"

for bad in banana -1 1.5 '' 99999999999; do
  status=0
  timeout 120 "$1/prime_sieve" "$bad" >"$work/out" 2>"$work/err" || status=$?
  [ $status = 2 ] || fail "'$bad': exit status $status, not 2"
  grep -q 'how many primes' "$work/err" || fail "'$bad': no word on what is needed"
done
