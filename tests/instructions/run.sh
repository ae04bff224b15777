#!/bin/bash
# run.sh PROGRAM BUDGETS [--record]: how many instructions each of PROGRAM's operations takes, counted by callgrind,
# beside its budget. Of two runs, one with twice the work, the difference counts; so what the run itself takes does not.
# Fails where one takes over 3 in 100 more, or has no budget. With --record it writes what it has counted into BUDGETS.
set -uo pipefail
program=$1
budgets=$2
record=${3-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v valgrind >/dev/null || { echo "valgrind is not installed (Debian: valgrind)"; exit 1; }
cpu=$(uname -m)
grep -q "^$cpu " "$budgets" || [[ $record ]] || { echo "no budgets for $cpu"; exit 77; }

# Those of the thread that did the work, of a run with so much of it, into `instructions`. The first thread waits for the
# end, and the others have next to nothing to do.
count_run() {  # OPERATION COUNT
  local log=$folder/log
  rm -f "$folder"/out-*
  if ! valgrind --tool=callgrind --fair-sched=yes --separate-threads=yes --callgrind-out-file="$folder/out" \
    "$program" "$1" "$2" >"$log" 2>&1; then
    tail -n 20 "$log"
    return 1
  fi
  rm -f "$folder/out-01"
  instructions=$(awk '/^(totals|summary):/ { if ($2 > most) most = $2; nextfile } END { print most + 0 }' "$folder"/out-*)
  ((instructions > 0))
}

failures=0
total=0
lines=()
printf '%-16s %12s %12s\n' operation instructions budget
while read -r name; do
  ((total += 1))
  count=10000
  tenths=0
  while ((tenths < 1000 && count <= 100000)); do  # with little in it, more of it
    if ! { count_run "$name" $count && once=$instructions && count_run "$name" $((2 * count)); }; then
      echo "$name: not counted"
      ((failures += 1))
      continue 2
    fi
    tenths=$(((instructions - once) * 10 / count))
    ((count *= 10))
  done
  each=$((tenths / 10)).$((tenths % 10))
  budget=$(awk -v cpu="$cpu" -v name="$name" '$1 == cpu && $2 == name { print $3 }' "$budgets")
  verdict=
  note=
  if [[ ! $budget ]]; then
    verdict="no budget"
  elif awk -v a="$each" -v b="$budget" 'BEGIN { exit !(a > b * 1.03 + 0.5) }'; then
    verdict="over budget"
  elif awk -v a="$each" -v b="$budget" 'BEGIN { exit !(a < b * 0.97 - 0.5) }'; then
    note="  below: --record it"
  fi
  printf '%-16s %12s %12s%s\n' "$name" "$each" "${budget:--}" "${verdict:+  $verdict}$note"
  [[ ! $verdict ]] || ((failures += 1))
  lines+=("$cpu $name $each")
done < <("$program")

if [[ $record ]]; then
  { grep -v "^$cpu " "$budgets"; printf '%s\n' "${lines[@]}"; } >"$folder/new" && cp "$folder/new" "$budgets"
  echo "recorded"
  exit 0
fi
((total > 0)) || { echo "no operations"; exit 1; }
((failures == 0))
