#!/bin/sh
# md5_tree says what md5sum says, and ends as it should: sh md5_tree.sh DIRECTORY_OF_THE_EXAMPLE_PROGRAMS
set -eu
md5_tree=$(cd "$1" && pwd)/md5_tree
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "md5_tree.sh: $*" >&2
  for stream in out err; do [ ! -s $stream ] || { echo "$stream:"; head -n 20 $stream; } >&2; done
  exit 1
}

# Runs md5_tree with the arguments after the first, which is the exit status it must have.
expect() {
  status=0
  wanted=$1
  shift
  timeout 120 "$md5_tree" "$@" >out 2>err || status=$?
  [ "$status" = "$wanted" ] || fail "md5_tree $*: exit status $status, not $wanted"
}
says() { grep -qF -- "$1" err || fail "no '$1' on the error stream"; }
silent() { [ ! -s "$1" ] || fail "something on '$1'"; }
sums() { find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r md5sum; }
same_as() { cmp -s out "$1" || fail "not what md5sum says: $(diff "$1" out | head -n 10)"; }

# Sends md5_tree SIGINT once it is reading long/0/1; it must end with status 130.
interrupt() {
  rm -f pid
  timeout 120 sh -c 'echo $$ >pid; exec "$@"' sh "$md5_tree" "$@" >out 2>err &
  tries=0
  until [ -s pid ] && [ -n "$(find "/proc/$(cat pid)/fd" -lname '*/long/0/1' 2>/dev/null)" ]; do
    tries=$((tries + 1))
    [ $tries -lt 3000 ] || fail "md5_tree $*: has not opened long/0/1 in 30 s"
    sleep 0.01
  done
  kill -INT "$(cat pid)"
  status=0
  wait $! || status=$?
  [ $status = 130 ] || fail "md5_tree $*: after SIGINT exit status $status, not 130"
  says 'md5_tree: interrupted'
  silent out
}

# Names, sizes and kinds of file.
mkdir -p tree/a tree/a.b tree/empty "tree/with space/deeper"
printf 'b' >tree/a/b
printf 'c' >tree/a.b/c
: >tree/no_bytes
head -c 65536 /dev/urandom >tree/one_chunk
head -c 65537 /dev/urandom >tree/one_chunk_and_a_byte
head -c 1000003 /dev/urandom >"tree/with space/deeper/long"
for name in ' leading' 'trailing ' '-dash' '.dot' '*' "quote'\"" 'back\slash' 'grüße' '\n' \
  "$(printf 'new\nline')" "$(printf 'tab\there')" "$(printf 'return\rhere')" "$(printf 'not utf-8 \377')"; do
  printf '%s' "$name" >"tree/$name"
done
ln -s one_chunk tree/link_to_file
ln -s a tree/link_to_directory
ln -s .. tree/a/link_up
ln -s nowhere tree/link_dangling
mkfifo tree/fifo
sums tree >expected
[ "$(grep -c '^\\' expected)" -ge 3 ] || fail "md5sum escapes fewer names than this test is about"
for workers in 1 2 20 500; do
  expect 0 --workers $workers tree
  same_as expected
  silent err
done
expect 0 --keep-going --timeout=1h --workers=3 -- tree/
sums tree/ >expected
same_as expected
expect 0 tree/one_chunk
sums tree/one_chunk >expected
same_as expected
cp -r tree/a -- -a
expect 0 -- -a
md5sum -- -a/b >expected
same_as expected
expect 0 tree/empty
silent out
(cd tree && sums .) >expected
(cd tree && timeout 120 "$md5_tree" .) >out
same_as expected

# A real tree.
sums /usr/include >expected
[ -s expected ] || fail "no files below /usr/include to try it on"
expect 0 /usr/include
same_as expected
silent err

# Paths longer than the kernel takes: unreadable for everybody, root too.
mkdir -p long/readable
printf 'r' >long/readable/r
printf 'z' >long/z
segment=$(printf '%0100d' 0)
file=$(printf '%0250d' 1)
directory=$(printf '%0250d' 2)
(
  cd long
  while [ ${#PWD} -lt 3900 ]; do
    mkdir "$segment"
    cd "$segment"
  done
  : >"$file"
  mkdir "$directory"
  : >"$directory/below"
)
expect 1 long
says 'File name too long'
silent out
expect 1 --keep-going long
[ "$(grep -c '^md5_tree: long/0.*: File name too long$' err)" = 2 ] || fail "not the two long paths reported"
[ "$(wc -l <err)" = 2 ] || fail "more reported than the two long paths"
md5sum long/readable/r long/z >expected
same_as expected
expect 1 nowhere
says 'md5_tree: nowhere: No such file or directory'
expect 1 /proc/self/mem
says 'md5_tree: /proc/self/mem: Input/output error'
if [ "$(id -u)" != 0 ]; then
  mkdir forbidden
  printf 's' >forbidden/secret
  chmod 0 forbidden/secret
  expect 1 forbidden
  says 'md5_tree: forbidden/secret: Permission denied'
fi

# A file that takes longer than anybody waits: only a cancel ends these.
mkdir endless
truncate -s 1T endless/1 || truncate -s 100G endless/1
expect 124 --timeout 5ms endless
says 'md5_tree: timed out after 5ms'
silent out
expect 124 --timeout 1ns --keep-going endless
mv endless long/0
expect 1 long
says 'File name too long'
silent out

interrupt long/0
interrupt --keep-going --timeout 1h --workers 1 long/0

# The output must arrive.
status=0
"$md5_tree" tree >/dev/full 2>err || status=$?
[ $status = 1 ] || fail "a full disk: exit status $status, not 1"
says 'md5_tree: standard output: No space left on device'

# The command line.
expect 0 --help
grep -q -- '--keep-going' out || fail "no --keep-going in the help"
silent err
refuse() {
  wanted_text=$1
  shift
  expect 2 "$@"
  says "$wanted_text"
  silent out
}
refuse "unknown option '--wrokers'" --wrokers 3 tree
refuse "unknown option '-x'" -x tree
refuse "unknown option '--keep-going=1'" --keep-going=1 tree
for workers in banana 0 -1 2x '' 100001 99999999999999999999; do
  refuse "--workers '$workers': a number from 1 to 100000" --workers "$workers" tree
done
for time in banana 5 5mm 0s -5ms inf nans '' ms 1e3s 9999999h; do
  refuse "--timeout '$time': a time above zero" --timeout "$time" tree
done
refuse '--workers needs a value' tree --workers
refuse 'DIR is missing'
refuse 'DIR is an empty name' ''
refuse "'more' is a second" tree more
