#!/bin/bash
# bounded.sh SECONDS COMMAND…: runs the command for at most that long. At the bound it gets SIGQUIT, upon which weft
# prints its fibers and exits; ten seconds later SIGKILL. Passing the bound is a failure, whatever the command says.
bound=$1
shift
ulimit -S -c 0
timeout --verbose --signal=QUIT --kill-after=10 "$bound" "$@"
status=$?
if [ $status -eq 124 ] || [ $status -eq 137 ]; then
  echo "bounded.sh: still running after $bound s (status $status): $*" >&2
  exit 1
fi
exit $status
