#!/bin/bash
# run.sh ROOT WORK [REGEX]: checks the models with spin. WORK: a folder that it fills; REGEX: of the models' names.
#
# Each .pml beside this file is searched whole, twice: for wrong states and ends, and for cycles, of which there must be
# none; so every run of the model ends, and ends well. No statement of a process may be out of reach. Then each broken
# variant is searched, and must be found wrong. A model's head says, in lines of their own:
#   * ! NAME …   with this macro it is broken
#   * + NAME …   with this macro it holds as well
#   * ~ NAME …   this macro makes it smaller, for the search for cycles
set -u
root=$1
work=$2
pattern=${3:-}
k_depth=10000    # of the search's stack; one that is too small is reported
k_memory=1024    # MiB

passed=0
failed=0
columns() { printf '%-12s %-18s %9s %7s  %s\n' "$@"; }
# row MODEL VARIANT GOOD VERDICT
row() {
  if (($3)); then ((passed += 1)); else ((failed += 1)); fi
  columns "$1" "$2" "$states" "$seconds" "$4"
}

# generate MODEL FOLDER MACRO: the verifier's source, in FOLDER. MACRO may be empty.
generate() {
  states=- seconds=-
  mkdir -p "$2"
  cp "$1" "$2"
  (cd "$2" && spin ${3:+-D"$3"} -a "${1##*/}") >"$2/log" 2>&1 && [[ -e $2/pan.c ]] && return
  row "$(basename "$1" .pml)" "${3:-whole}" 0 "FAILED: spin does not accept it"
  cat "$2/log"
  return 1
}

# search FOLDER FLAGS… -- OPTIONS…: compiles FOLDER/pan.c and runs it, into FOLDER/log. Sets states and seconds.
search() {
  local folder=$1 flags=() start=${EPOCHREALTIME/./} tenths
  shift
  while [[ $1 != -- ]]; do flags+=("$1"); shift; done
  shift
  (cd "$folder" && gcc -w -DMEMLIM=$k_memory "${flags[@]}" -o pan pan.c && ./pan -m$k_depth "$@") >"$folder/log" 2>&1
  tenths=$(((${EPOCHREALTIME/./} - start) / 100000))
  seconds=$((tenths / 10)).$((tenths % 10))
  states=-
  if [[ $(<"$folder/log") =~ ([0-9.e+]+)\ states,\ stored ]]; then states=${BASH_REMATCH[1]}; fi
}

error() { sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' "$1/log"; }
# Nothing wrong was found, and the search went through everything.
complete() {
  grep -q 'errors: 0$' "$1/log" &&
    ! grep -qiE 'depth too small|not completed|out of memory|max.*reached|truncated|aborted' "$1/log"
}
# The statements of processes that no run came to. A loop's way out is none; an inline's may be reached from elsewhere.
unreached() {
  local inlines line
  inlines=" $(awk '/^inline/ { i = 1 } i { printf "%d ", FNR } /^}/ || /^inline.*}$/ { i = 0 }' "$1"/*.pml)"
  grep -E '^\s+\S+\.pml:[0-9]+, state' "$1/log" | grep -v -- '"-end-"' | while IFS=:, read -r _ line _; do
    [[ $inlines == *" $line "* ]] || sed -n "$line s/^ */  line $line: /p" "$1"/*.pml
  done
}

# check_whole NAME VARIANT FOLDER
check_whole() {
  local folder=$3 out_of_reach
  search "$folder" -O1 -DSAFETY --
  out_of_reach=$(unreached "$folder")
  if [[ $(error "$folder") ]]; then
    row "$1" "$2" 0 "FAILED: $(error "$folder"); see $folder: spin -t -p *.pml"
  elif ! complete "$folder"; then
    row "$1" "$2" 0 "FAILED: not searched to the end"
    tail -n 20 "$folder/log"
  elif [[ $out_of_reach ]]; then
    row "$1" "$2" 0 "FAILED: out of reach:"
    printf '%s\n' "$out_of_reach"
  else
    row "$1" "$2" 1 "holds"
  fi
}

# check_cycles NAME FOLDER
check_cycles() {
  local reason
  search "$2" -O1 -DNP -- -l
  reason=$(error "$2")
  if complete "$2"; then
    row "$1" cycles 1 "none: every run ends"
  else
    row "$1" cycles 0 "FAILED: ${reason:-not searched to the end}"
    tail -n 20 "$2/log"
  fi
}

# check_broken NAME VARIANT FOLDER: found soon, so it is compiled without optimization, and its table begins small.
check_broken() {
  search "$3" -DSAFETY -- -w20
  if complete "$3"; then search "$3" -DNP -- -w20 -l; fi  # it ends well where it ends, but it may go on for ever
  if [[ $(error "$3") =~ ^(assertion violated|invalid end state|non-progress cycle) ]]; then
    row "$1" "$2" 1 "refused: $(error "$3")"
  else
    row "$1" "$2" 0 "FAILED: not refused"
    tail -n 20 "$3/log"
  fi
}

# marked MODEL SIGN: the macros that its head lists under the sign.
marked() { sed -n "s/^ \* [$2] \([A-Z][A-Z_=0-9]*\) .*/\1/p" "$1"; }

columns model variant states seconds verdict
for model in "$root"/tests/model/*.pml; do
  name=$(basename "$model" .pml)
  [[ $name =~ $pattern ]] || continue
  generate "$model" "$work/$name" '' || continue
  check_whole "$name" whole "$work/$name"
  for variant in $(marked "$model" '+'); do
    generate "$model" "$work/$name-$variant" "$variant" && check_whole "$name" "$variant" "$work/$name-$variant"
  done
  generate "$model" "$work/$name-cycles" "$(marked "$model" '~')" && check_cycles "$name" "$work/$name-cycles"
  [[ $(marked "$model" '!') ]] || row "$name" - 0 "FAILED: it names no broken variant"
  for variant in $(marked "$model" '!'); do
    generate "$model" "$work/$name-$variant" "$variant" && check_broken "$name" "$variant" "$work/$name-$variant"
  done
done
((passed + failed > 0)) || { echo "no model matches $pattern"; exit 1; }
echo "$passed passed, $failed failed"
((failed == 0))
