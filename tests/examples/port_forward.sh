#!/bin/bash
# port_forward passes on both ways, to the end of each, and stops gracefully on SIGTERM:
# bash port_forward.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
work=$(mktemp -d)
target=
forward=
trap 'kill -9 $target $forward 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
  echo "port_forward.sh: $*" >&2
  cat "$work/err" >&2
  exit 1
}

# listening_port FD: what the program's first line tells.
listening_port() {
  local line
  read -r -t 60 line <&"$1" || fail "says nothing"
  [[ $line =~ ^listening\ on\ 127\.0\.0\.1:([0-9]+)$ ]] || fail "says: $line"
  echo "${BASH_REMATCH[1]}"
}

programs=$1
touch "$work/err"
mkfifo "$work/target" "$work/forward"
"$programs/echo_server" 127.0.0.1:0 >"$work/target" 2>"$work/err" &
target=$!
exec 8<"$work/target"
to=$(listening_port 8)
"$programs/port_forward" 127.0.0.1:0 "127.0.0.1:$to" >"$work/forward" 2>"$work/err" &
forward=$!
exec 9<"$work/forward"
port=$(listening_port 9)

# More than all buffers on the way: it only ends if both ways go on at the same time.
head -c 5000000 /dev/urandom >"$work/sent"
exec 3<>"/dev/tcp/127.0.0.1/$port"
cat "$work/sent" >&3 &
head -c 5000000 <&3 | cmp - "$work/sent" || fail "what comes back is not what was sent"
wait $!
exec 3>&-

# A connection that stays open is cancelled after the time of grace, and its client sees the end.
exec 3<>"/dev/tcp/127.0.0.1/$port"
echo hello >&3
read -r -t 60 back <&3
[[ $back == hello ]] || fail "sent hello, got $back"
kill -TERM "$forward"
read -r -t 60 said <&9 || fail "says nothing at its end"
status=0
wait "$forward" || status=$?
forward=
[[ $status == 0 ]] || fail "exit status $status"
[[ $said == "the last connections were cancelled" ]] || fail "said at its end: $said"
if read -r -t 60 back <&3; then fail "still answers"; fi
exec 3>&-
[[ ! -s $work/err ]] || fail "wrote to standard error"

# Nobody listens where it is to pass on to: the client sees the end, and the service goes on.
kill -TERM "$target"
wait "$target" || true
target=
exec 9<&-
"$programs/port_forward" 127.0.0.1:0 "127.0.0.1:$to" >"$work/forward" 2>"$work/err" &
forward=$!
exec 9<"$work/forward"
port=$(listening_port 9)
for _ in 1 2; do
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  if read -r -t 60 back <&3; then fail "answers"; fi
  exec 3>&-
done
kill -TERM "$forward"
read -r -t 60 said <&9 || fail "says nothing at its end"
wait "$forward" || fail "exit status $?"
forward=
[[ $said == "all connections have ended" ]] || fail "said at its end: $said"
[[ $(grep -c "^port_forward: dial 127.0.0.1:$to: " "$work/err") == 2 ]] || fail "no word on a failed dial"
