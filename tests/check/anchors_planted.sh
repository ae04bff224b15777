#!/bin/bash
# Shows that anchors.sh sees what it is for: a head that fits its code passes, and each change of either, planted alone,
# is refused.
set -u
check=$(dirname "${BASH_SOURCE[0]}")/anchors.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{tests/model,runtime}
failures=0

# verdict EXPECTED WHAT FILE SED: runs anchors.sh on the tree after this change of one file.
verdict() {
  cat >"$tree/runtime/park.cpp" <<'CODE'
void begin(word& w, flag& f) noexcept {
  if (w.ready()) {
    w.store(preparing,  // Dekker with cancel
            seq_cst);
  }
  f.load(seq_cst);
}
void cancel() noexcept { done(); }
CODE
  cat >"$tree/tests/model/park.pml" <<'MODEL'
/* A model.
 *
 * @ runtime/park.cpp: void begin(word& w, flag& f) noexcept {
 *   w.store(preparing, seq_cst);    [prepare]
 *   f.load(seq_cst);
 * @ runtime/park.cpp: void cancel() noexcept {
 *   done();                         [cancels]
 */
inline prepare(x) { skip }
cancels:
  skip
MODEL
  sed -i "$4" "$tree/$3"
  local found=passes
  bash "$check" "$tree" >"$tree/log" || found=refused
  if [[ $found != "$1" ]]; then
    echo "$2: expected $1, got $found"
    cat "$tree/log"
    failures=1
  fi
}

verdict passes "nothing changed" runtime/park.cpp ''
verdict passes "other white space" runtime/park.cpp 's/void begin(/void\n  begin(/'
verdict refused "the ordering is weakened" runtime/park.cpp 's/seq_cst);$/relaxed);/'
verdict refused "only the load's" runtime/park.cpp 's/f.load(seq_cst)/f.load(acquire)/'
verdict refused "the steps are swapped" runtime/park.cpp '/f.load/d; s/  if (w.ready/  f.load(seq_cst);\n&/'
verdict refused "a step is gone" runtime/park.cpp 's/done();//'
verdict refused "a step is in a comment" runtime/park.cpp 's/  f.load/  \/\/ f.load/'
verdict refused "a step is in the next function" runtime/park.cpp '/f.load/d; s/done();/done(); f.load(seq_cst);/'
verdict refused "the function has another name" runtime/park.cpp 's/begin/start/'
verdict refused "there are two of the function" runtime/park.cpp '$ a void cancel() noexcept { done(); }'
verdict refused "the model's inline is gone" tests/model/park.pml 's/inline prepare/inline begin/'
verdict refused "the model's label is gone" tests/model/park.pml 's/^cancels:/cancel:/'
verdict refused "the file is another" tests/model/park.pml 's/park.cpp: void cancel/parked.cpp: void cancel/'
verdict refused "the head names nothing" tests/model/park.pml '/^ \* @/,/^ \*   done/d'
exit $failures
