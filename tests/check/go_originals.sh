#!/bin/bash
# go_originals.sh ROOT: the Go in the comment at the head of each port is a program: formatted, vetted, and it prints
# what the port prints. Needs Go 1.23 or later, and golang.org/x/sync's sources for those that import it (Debian:
# golang-golang-x-sync-dev).
cd "$1" || exit 2
PATH=$PATH:/usr/lib/go-1.23/bin
if ! go version 2>/dev/null | grep -Eq 'go(1\.(2[3-9]|[3-9][0-9])|[2-9])'; then
  echo "skipped: Go 1.23 is not installed"
  exit 77
fi
x_sync=/usr/share/gocode/src/golang.org/x/sync
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod
{
  printf 'module ports\n\ngo 1.23\n'
  [[ ! -d $x_sync ]] || printf '\nrequire golang.org/x/sync v0.0.0\n\nreplace golang.org/x/sync => %s\n' $x_sync
} >"$work/go.mod"

count=0
failures=0
fail() {
  echo "$source: $*"
  ((failures += 1))
}
for source in examples/port/*.cpp; do
  folder=$work/$(basename "$source" .cpp)
  mkdir "$folder"
  # From "package" to the line before "Output:"; four spaces of comment indentation are a tab of Go's.
  sed -n '/^\/\/   package main$/,/^\/\/ Output:$/p' "$source" | sed '$d' | sed -E 's/^\/\/( {3})?//' |
    sed -E -e ':more' -e 's/^(\t*) {4}/\1\t/' -e 't more' -e '${/^$/d}' >"$folder/main.go"
  sed -n '/^\/\/ Output:$/,/^$/s/^\/\/   //p' "$source" >"$folder/expected"
  if grep -q golang.org/x/sync "$folder/main.go" && [[ ! -d $x_sync ]]; then continue; fi
  ((count += 1))
  gofmt -d "$folder/main.go" >"$folder/diff" 2>&1
  [[ ! -s $folder/diff ]] || fail "not as gofmt leaves it: $(cat "$folder/diff")"
  if ! (cd "$folder" && go vet . && go build -o program .); then
    fail "go refuses it"
    continue
  fi
  timeout 60 "$folder/program" >"$folder/out" || fail "exit status $?"
  diff -u --label "the port's output" --label "the original's" "$folder/expected" "$folder/out" ||
    fail "prints something else"
done
((count > 0)) || { echo "no originals found below $1"; exit 1; }
echo "$count originals, $failures wrong"
((failures == 0))
