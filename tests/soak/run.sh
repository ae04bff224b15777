#!/bin/bash
# run.sh PROGRAM [--minutes N | --seconds N] [--processors LIST] [--seed N]: soaks on each number of processors of the
# list, "2,8" unless given, for the whole time each. WEFT_CHAOS, the seed of random preemption, is the seed too, unless
# it is set. The last line counts.
set -u
program=$1
shift
processors=2,8
seed=$((RANDOM + 1))
time=(--minutes 30)
while (($# >= 2)); do
  case $1 in
    --minutes | --seconds) time=("$1" "$2") ;;
    --processors) processors=$2 ;;
    --seed) seed=$2 ;;
    *) echo "soak: unknown option: $1" >&2; exit 2 ;;
  esac
  shift 2
done
unset WEFT_PROCESSORS  # it would win
passed=0
failed=0
for n in ${processors//,/ }; do
  if WEFT_CHAOS=${WEFT_CHAOS:-$seed} "$program" "${time[@]}" --processors "$n" --seed "$seed" --every 30; then
    ((passed += 1))
  else
    ((failed += 1))
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
