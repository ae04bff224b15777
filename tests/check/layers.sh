#!/bin/bash
# layers.sh ROOT: a file includes only from its own layer or one below. Our includes are written from the repository's
# root ("runtime/base/fatal.hpp"); include/weft knows the standard library and weft alone.
cd "$1" || exit 2

layers=(arch runtime/base runtime/stack runtime/fiber runtime/queue runtime/event runtime/sched runtime/sync runtime/io
  runtime/observe runtime/run runtime/explore runtime/http)

# The height of the layer that the path lies in, into `height`; empty when it lies in none.
height_of() {
  local i
  height=
  for i in "${!layers[@]}"; do
    if [[ $1 == "${layers[i]}"/* ]]; then height=$i; return; fi
  done
}

failures=0
fail() {
  echo "$file:$line: $*"
  ((failures += 1))
}

check_public() {
  case $included in
    \<weft/*\> | \"weft/*\") ;;
    \<*[./]*\>) fail "a public header may include std and weft only, not $included" ;;
    \<*\>) ;;
    *) [[ -e ${file%/*}/$name ]] || fail "a public header may include std and weft only, not $included" ;;
  esac
}

check_private() {
  case $included in
    \<boost/beast/* | \<boost/asio/*) [[ $file == runtime/http/* ]] || fail "$included is for runtime/http alone" ;;
  esac
  case $included in
    \"weft/*\" | \<*\>) return ;;
    \"runtime/http/*\") ;;
    *) [[ $file != runtime/http/* ]] || fail "runtime/http stands on what is public, not on $included" ;;
  esac
  height_of "$file"
  local own=$height
  height_of "$name"
  if [[ ! $own ]]; then
    fail "$file lies in no layer"
  elif [[ ! $height ]]; then
    fail "$included is not in a layer (write includes from the repository's root)"
  elif ((height > own)); then
    fail "${layers[own]} includes upward: $included"
  fi
}

count=0
while IFS=: read -r file line text; do
  [[ $text =~ include[[:space:]]*([\<\"][^\>\"]*[\>\"]) ]] || { fail "not read: $text"; continue; }
  included=${BASH_REMATCH[1]}
  name=${included:1:-1}
  ((count += 1))
  if [[ $file == include/* ]]; then check_public; else check_private; fi
done < <(grep -rnE --include=*.hpp --include=*.cpp --include=*.S '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' \
  include arch runtime 2>/dev/null)

((count > 0)) || { echo "no includes found below $1"; exit 1; }
echo "$count includes, $failures wrong"
((failures == 0))
