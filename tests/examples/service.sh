#!/bin/sh
# What was ordered is shipped or refunded, whatever ends the service: sh service.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
service=$(cd "$1" && pwd)/service
sanitizer=${2-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "service.sh: $*" >&2
  for stream in out err; do [ ! -s $stream ] || { echo "$stream:"; head -n 20 $stream; } >&2; done
  exit 1
}

# The service's standard input is a fifo that stays open at descriptor 3.
start() {
  rm -f pid orders
  mkfifo orders
  timeout 120 sh -c 'echo $$ >pid; exec "$@"' sh "$service" "$@" <orders >out 2>err &
  exec 3>orders
  until [ -s pid ]; do sleep 0.01; done
}
order() { echo "$@" >&3; }
await() {
  tries=0
  until grep -qx -- "$1" out; do
    tries=$((tries + 1))
    [ $tries -lt 6000 ] || fail "no '$1' in 60 s"
    sleep 0.01
  done
}
send() { kill "-$1" "$(cat pid)"; }
ends_with() {
  status=0
  wait $! || status=$?
  [ "$status" = "$1" ] || fail "exit status $status, not $1"
  exec 3>&-
}
says() { grep -qx -- "$1" "$2" || fail "no '$1' in $2"; }
says_not() { ! grep -qx -- "$1" "$2" || fail "'$1' in $2"; }

# The input ends.
start
order book 1
order piano 20
exec 3>&-
ends_with 0
for what in 'shipped book' 'shipped piano' 'no more orders'; do says "$what" out; done
says_not 'refunded .*' out

"$service" 0 2>err && fail 'a draining of no time'
[ -s err ] || fail 'no word about that'

# ThreadSanitizer holds back what is sent to the process while its first thread is in run().
[ "$sanitizer" != thread ] || exit 0

# A signal: what was accepted is shipped.
for signal in TERM INT; do
  start
  order pen 1
  await 'shipped pen'
  send USR1
  await 'probe: ready'
  order book 300
  await 'accepted book'
  send $signal
  await 'no more orders'
  ends_with 0
  says 'shipped book' out
  says_not 'refunded .*' out
  says "draining 'farewell': completed after [0-9]* ms" err
done

# A second one: the rest is refunded.
start
order book 1
order piano 3600000
await 'shipped book'
await 'accepted piano'
send TERM
await 'no more orders'
send USR1
await 'probe: draining'
send TERM
ends_with 1
says 'refunded piano' out
says_not 'refunded book' out
says_not 'shipped piano' out
says "unfinished: fiber [0-9]* 'order piano', waiting: sleep for [0-9]* ms, spawned at .*" err

# The draining overruns.
start 10
order piano 3600000
await 'accepted piano'
send TERM
ends_with 1
says 'refunded piano' out
