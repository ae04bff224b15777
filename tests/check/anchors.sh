#!/bin/bash
# anchors.sh ROOT: what the models' heads say of the code is there. A head names places in the code and steps of the
# model:
#   * @ FILE: the beginning of a function
#   *   a text in its body        [the model's label, inline, process or macro that stands for it]
# The function's beginning stands once in the file; the texts stand in its body in this order, white space and comments
# aside; the step is in the model. So who changes an ordering, or swaps two steps, is told to look at the model.
cd "$1" || exit 2
models=$(find tests/model -name '*.pml' | sort)
[[ $models ]] || { echo "no models"; exit 1; }

# shellcheck disable=SC2086
awk '
function fail(what) {
  print FILENAME ":" FNR ": " what
  failures++
}
function squeeze(text) {
  gsub(/[ \t]+/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  return text
}
function load(file,   line, text) {
  if (file in code) return
  while ((getline line < file) > 0) {
    sub(/\/\/.*/, "", line)
    text = text " " line
  }
  close(file)
  code[file] = squeeze(text)
}
# From the beginning of the function to its closing brace; empty when it is not there, or twice.
function body_of(file, beginning,   rest, at, depth, i, c) {
  at = index(code[file], beginning)
  if (!at) { fail(file " has no \"" beginning "\""); return "" }
  rest = substr(code[file], at)
  if (index(substr(rest, 2), beginning)) { fail(file " has \"" beginning "\" more than once"); return "" }
  i = index(rest, "{")
  for (depth = 0; i <= length(rest); i++) {
    c = substr(rest, i, 1)
    if (c == "{") depth++
    if (c == "}" && --depth == 0) break
  }
  return substr(rest, length(beginning) + 1, i - length(beginning))
}
function check_step(step,   line, found) {
  while ((getline line < FILENAME) > 0)
    if (line ~ "^ *(inline |proctype |#define )?" step "([(: ]|$)" && line !~ /^ \*/) found = 1
  close(FILENAME)
  if (!found) fail("the model has no \"" step "\"")
}

/^ \* @ / {
  in_function = 1
  file = $3
  sub(/:$/, "", file)
  beginning = squeeze(substr($0, index($0, $3) + length($3)))
  load(file)
  rest = body_of(file, beginning)
  missing = rest == ""
  next
}
in_function && /^ \*   [^ ]/ {
  text = squeeze(substr($0, 3))
  if (match(text, / \[[A-Za-z_0-9]+\]$/)) {
    check_step(substr(text, RSTART + 2, RLENGTH - 3))
    text = squeeze(substr(text, 1, RSTART))
  }
  count++
  if (missing) next
  at = index(rest, text)
  if (at) rest = substr(rest, at + length(text))
  else fail(file ", " beginning ": no \"" text "\" there, or not in this order")
  next
}
{ in_function = 0 }

END {
  if (count == 0) { print "the models name no place in the code"; failures++ }
  print count " places, " failures + 0 " wrong"
  exit failures != 0
}' $models
