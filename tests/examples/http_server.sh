#!/bin/bash
# http_server answers curl in its several ways, notices clients that leave, and stops gracefully on SIGTERM:
# bash http_server.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS [SANITIZER]
set -eu
command -v curl >/dev/null || { echo "skipped: curl is not installed"; exit 77; }
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT

fail() {
  echo "http_server.sh: $*" >&2
  cat "$work/err" >&2
  exit 1
}
equal() { [[ $1 == "$2" ]] || fail "got '$1', wanted '$2'"; }

# Starts it and waits for its first line: the port is in $port.
start() {
  rm -f "$work/out"
  mkfifo "$work/out"
  "$programs/http_server" 127.0.0.1:0 >"$work/out" 2>"$work/err" &
  server=$!
  exec 9<"$work/out"
  read -r -t 60 line <&9 || fail "says nothing"
  [[ $line =~ ^listening\ on\ 127\.0\.0\.1:([0-9]+)$ ]] || fail "says: $line"
  port=${BASH_REMATCH[1]}
  url=http://127.0.0.1:$port
}
# SIGTERM, and what it says last is compared.
stop() {
  local status=0 said
  kill -TERM "$server"
  read -r -t 60 said <&9 || fail "says nothing at its end"
  wait "$server" || status=$?
  server=
  exec 9<&-
  [[ $status == 0 ]] || fail "exit status $status"
  equal "$said" "$1"
}
# await LINE TIMES: on its standard error.
await() { until [[ $(grep -cx "$1" "$work/err") == "$2" ]]; do sleep 0.01; done; }
ask() { curl -sS --max-time 120 "$@" || fail "curl $*: exit status $?"; }

programs=$1
start

# One connection for three requests.
equal "$(ask -w '%{num_connects} ' "$url/hello/a" "$url/hello/b%20c" "$url/hello/d" | tr '\n' ' ')" \
  "hello, a 1 hello, b c 0 hello, d 0 "
equal "$(ask -o /dev/null -w '%{http_code}' "$url/nothing")" 404
equal "$(ask -o /dev/null -w '%{http_code}' -d x "$url/hello/a")" 405
equal "$(ask -I "$url/hello/a" | head -n 1 | tr -d '\r')" "HTTP/1.1 200 OK"
equal "$(ask -0 "$url/hello/old")" "hello, old"

# Streamed from the server, in chunks, each as soon as it is there: the first line comes while the second is not known.
equal "$(ask -N -i "$url/count/3" | tr -d '\r' | grep -Ei '^(transfer-encoding|[0-9])' | tr '\n' ' ')" \
  "Transfer-Encoding: chunked 1 2 3 "
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /count/100000 HTTP/1.1\r\nHost: x\r\n\r\n' >&3
while read -r -t 60 line <&3 && [[ $line != 2$'\r' ]]; do :; done
read -r -t 60 line <&3
equal "$line" 1
exec 3>&-

# Streamed to the server: with a length, in chunks, and after it was asked for.
head -c 20000000 /dev/zero | tr '\0' '\1' >"$work/large"
for how in "Content-Type: x" "Transfer-Encoding: chunked" "Expect: 100-continue"; do
  equal "$(ask -H "$how" -T "$work/large" "$url/upload")" "20000000 bytes, sum 20000000"
done
ask -v -H "Expect: 100-continue" -d 12 "$url/upload" 2>&1 | grep -q '^< HTTP/1.1 100 Continue' || fail "no 100 Continue"

# Who leaves is noticed.
for _ in 1 2; do
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET /slow/3600 HTTP/1.1\r\nHost: x\r\n\r\n' >&3
  exec 3>&-
done
await 'slow: the client has left' 2
equal "$(ask "$url/slow/0")" "done"

# A WebSocket: a masked "hello" comes back unmasked, and the server says farewell when it stops.
exec 4<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' >&4
printf 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' >&4
read -r -t 60 line <&4
equal "$line" $'HTTP/1.1 101 Switching Protocols\r'
while read -r -t 60 line <&4 && [[ $line != $'\r' ]]; do :; done
printf '\x81\x85\x01\x02\x03\x04\x69\x67\x6f\x68\x6e' >&4
equal "$(head -c 7 <&4 | tail -c 5)" hello

# ThreadSanitizer holds back what is sent to the process while its first thread is in run().
if [[ ${2-} == thread ]]; then
  exec 9<&-
  exit 0
fi

# What was begun before the signal is finished.
curl -sS --max-time 120 "$url/slow/1" >"$work/slow" &
slow=$!
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /count/5 HTTP/1.1\r\nHost: x\r\n\r\n' >&3
while read -r -t 60 line <&3 && [[ $line != 1 ]]; do :; done
await 'slow: begun' 4
stop "all requests have been answered"
wait "$slow" || fail "a slow request: exit status $?"
equal "$(cat "$work/slow")" "done"
equal "$(tr -d '\r' <&3 | grep -cx '[1-5]')" 8  # four numbers, and the sizes of their chunks
exec 3>&-
head -c 20 <&4 | grep -q 'the server stops' || fail "no farewell on the WebSocket"
exec 4>&-
equal "$(grep -vc '^slow: ' "$work/err")" 0

# What would take too long is cancelled, and told so.
start
curl -sS --max-time 120 -o /dev/null -w '%{http_code}' "$url/slow/3600" >"$work/slow" &
slow=$!
await 'slow: begun' 1
stop "not all requests have been answered: context deadline exceeded"
wait "$slow" || fail "a cancelled request: exit status $?"
equal "$(cat "$work/slow")" 503

status=0
timeout 60 "$programs/http_server" 127.0.0.1:99999 >/dev/null 2>"$work/err" || status=$?
[[ $status == 1 ]] || fail "a wrong address: exit status $status"
grep -q '^http_server: listen 127.0.0.1:99999: ' "$work/err" || fail "a wrong address: no word on it"
