#!/bin/bash
# Shows that layers.sh sees what it is for: right includes pass, and each wrong one, planted alone, is refused.
set -u
check=$(dirname "${BASH_SOURCE[0]}")/layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# verdict EXPECTED FILE INCLUDE: runs layers.sh on a tree that holds only this include.
verdict() {
  rm -rf "${tree:?}"/*
  mkdir -p "$tree/$(dirname "$2")" "$tree/include/weft/detail"
  printf '#include <vector>\n' >"$tree/include/weft/detail/config.hpp"
  printf '// A file.\n#include %s  // a comment\n' "$3" >"$tree/$2"
  local found=passes
  bash "$check" "$tree" >/dev/null || found=refused
  if [[ $found != "$1" ]]; then
    echo "$2 with #include $3: expected $1, got $found"
    failures=1
  fi
}

verdict passes runtime/sched/park.cpp '"runtime/fiber/fiber.hpp"'
verdict passes runtime/sched/park.cpp '"runtime/sched/processor.hpp"'
verdict passes runtime/sched/park.cpp '"arch/arch.hpp"'
verdict passes runtime/sched/park.cpp '<boost/context/detail/fcontext.hpp>'
verdict passes runtime/base/fatal.cpp '<weft/runtime.hpp>'
verdict passes runtime/http/parser.cpp '<boost/beast/http/basic_parser.hpp>'
verdict passes runtime/http/parser.cpp '"runtime/http/text.hpp"'
verdict passes include/weft/chan.hpp '<weft/detail/config.hpp>'
verdict passes include/weft/chan.hpp '"detail/config.hpp"'
verdict passes include/weft/chan.hpp '<optional>'

verdict refused runtime/base/fatal.cpp '"runtime/sched/processor.hpp"'
verdict refused runtime/queue/ring.hpp '"runtime/event/timer_heap.hpp"'
verdict refused runtime/event/timer_heap.hpp '"runtime/sched/processor.hpp"'
verdict refused runtime/sched/park.cpp '"runtime/sync/channel_core.hpp"'
verdict refused arch/x86_64/pause.hpp '"runtime/base/fatal.hpp"'
verdict refused arch/x86_64/entry.S '"runtime/base/fatal.hpp"'
verdict refused runtime/sched/park.cpp '"processor.hpp"'
verdict refused runtime/sched/park.cpp '"tests/support/support.hpp"'
verdict refused runtime/stray/room.cpp '"runtime/base/fatal.hpp"'
verdict refused runtime/http/parser.cpp '"runtime/base/fatal.hpp"'
verdict refused runtime/io/conn.cpp '<boost/beast/core.hpp>'
verdict refused runtime/io/conn.cpp '"runtime/http/parser.hpp"'
verdict refused include/weft/chan.hpp '<boost/context/fiber.hpp>'
verdict refused include/weft/chan.hpp '"runtime/sync/channel_core.hpp"'
verdict refused include/weft/chan.hpp '<unistd.h>'
exit $failures
