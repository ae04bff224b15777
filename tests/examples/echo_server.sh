#!/bin/bash
# echo_server echoes and stops gracefully on SIGTERM: bash echo_server.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT

fail() {
  echo "echo_server.sh: $*" >&2
  cat "$work/err" >&2
  exit 1
}

# Starts it and waits for its first line: the port is in $port.
start() {
  rm -f "$work/out"
  mkfifo "$work/out"
  "$programs/echo_server" 127.0.0.1:0 >"$work/out" 2>"$work/err" &
  server=$!
  exec 9<"$work/out"
  read -r -t 60 line <&9 || fail "says nothing"
  [[ $line =~ ^listening\ on\ 127\.0\.0\.1:([0-9]+)$ ]] || fail "says: $line"
  port=${BASH_REMATCH[1]}
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
  [[ $said == "$1" ]] || fail "said at its end: $said"
  [[ ! -s $work/err ]] || fail "wrote to standard error"
}

programs=$1

start
for i in 1 2 3; do
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  echo "line $i" >&3
  read -r -t 60 back <&3
  [[ $back == "line $i" ]] || fail "sent line $i, got $back"
  exec 3>&-
done
stop "all connections have ended"

# A connection that stays open is cancelled after the time of grace, and its client sees the end.
start
exec 3<>"/dev/tcp/127.0.0.1/$port"
echo hello >&3
read -r -t 60 back <&3
stop "the last connections were cancelled"
if read -r -t 60 back <&3; then fail "still answers"; fi
exec 3>&-

status=0
timeout 60 "$programs/echo_server" 127.0.0.1:99999 >/dev/null 2>"$work/err" || status=$?
[[ $status == 1 ]] || fail "a wrong address: exit status $status"
grep -q '^echo_server: listen 127.0.0.1:99999: ' "$work/err" || fail "a wrong address: no word on it"
