#!/bin/sh
# prints.sh SOURCE COMMAND…: the command, on 1, 2 and 4 processors, prints what the comment at the head of SOURCE lists
# after "Output:", nothing on standard error, and succeeds.
set -eu
source=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/^\/\/ Output:$/,/^$/s/^\/\/   //p' "$source" >"$work/expected"
[ -s "$work/expected" ] || {
  echo "prints.sh: $source has no comment that begins with 'Output:'"
  exit 1
}

# Whoever has not ended half a minute after main, never will; and is reported.
export WEFT_DRAIN=30s
for processors in 1 2 4; do
  status=0
  WEFT_PROCESSORS=$processors timeout --signal=QUIT --kill-after=10 120 "$@" >"$work/out" 2>"$work/err" || status=$?
  if diff -u --label expected --label printed "$work/expected" "$work/out" && [ $status = 0 ] && [ ! -s "$work/err" ]; then
    continue
  fi
  echo "prints.sh: $source on $processors processors: exit status $status; standard error:"
  cat "$work/err"
  exit 1
done
