# Finds what tests/mutant/weaken switches off, in C++ that clang-format has laid out: kind=orders finds memory orders and
# full fences, kind=checks conditions. Prints one mutant a line: NUMBER FILE:LINE WHAT. With into=FOLDER it also writes
# the files there, with a switch from switches.hpp at each place.
#
# A condition is: what stands before or after && or ||, all of such a chain, what stands before a ?, the whole of an if or
# a while, the middle of a for, and every other comparison. It is made always true and always false, but for what would only repeat another
# mutant: in a && b, false is false for both.

FNR == 1 { if (NR > 1) scan(); file = FILENAME; text = "" }
{ text = text $0 "\n" }
END { scan() }

# The text with comments, literals and the preprocessor's lines blank, so that places stay.
function bare(s,    out, n, i, j, c, two, lines, k) {
  n = split(s, lines, "\n")
  s = ""
  for (k = 1; k < n; ++k) {
    if (lines[k] ~ /^ *#/) gsub(/[^ ]/, " ", lines[k])
    s = s lines[k] "\n"
  }
  n = length(s)
  out = ""
  for (i = 1; i <= n; i = j) {
    c = substr(s, i, 1)
    two = substr(s, i, 2)
    j = i + 1
    if (two == "//") {
      while (substr(s, j, 1) != "\n") ++j
    } else if (two == "/*") {
      for (j = i + 2; substr(s, j, 2) != "*/"; ) ++j
      j += 2
    } else if (c == "\"" || (c == "'" && substr(s, i - 1, 1) !~ /[0-9a-fA-F]/)) {
      while (substr(s, j, 1) != c) j += substr(s, j, 1) == "\\" ? 2 : 1
      ++j
    } else {
      out = out c
      continue
    }
    two = substr(s, i, j - i)
    gsub(/[^\n]/, " ", two)
    out = out two
  }
  return out
}

function scan(    i) {
  code = bare(text)
  size = length(code)
  split("", before)
  split("", after)
  line = 1
  counted = 1
  if (kind == "orders") scan_orders()
  else scan_checks()
  if (into == "") return
  target = into "/" file
  printf "" >target
  for (i = 1; i <= size; ++i) printf "%s%s%s", before[i], substr(text, i, 1), after[i] >target
  close(target)
}

function line_of(place) {
  if (place < counted) line = counted = 1
  for (; counted < place; ++counted) if (substr(code, counted, 1) == "\n") ++line
  return line
}

# Inserts around [from, to]; what is put there later is outside.
function wrap(from, to, open, close_) {
  before[from] = open before[from]
  after[to] = after[to] close_
}

function number() { return ++numbers - 1 }

function scan_orders(    i, c, rest, word, depth, called, weaker, n, end) {
  depth = 0
  for (i = 1; i <= size; ++i) {
    c = substr(code, i, 1)
    if (c == "(") called[++depth] = word
    else if (c == ")") --depth
    if (c !~ /[a-zA-Z_]/) { if (c !~ /[ \n]/) word = ""; continue }
    match(substr(code, i), /^([a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*/)
    end = i + RLENGTH - 1
    word = substr(code, i, RLENGTH)
    sub(/^.*::/, "", word)
    if (word == "full_fence" && substr(code, end + 1, 2) == "()") {
      n = number()
      print n, file ":" line_of(i), "fence, full_fence: none"
      wrap(i, end + 2, "(::weft::mutant::on(" n ") ? static_cast<void>(0) : ", ")")
    } else if (called[depth] ~ /^(load|store|exchange|compare_exchange_strong|compare_exchange_weak|fetch_[a-z]+)$/) {
      sub(/^memory_order_/, "", word)
      weaker = ""
      if (word ~ /^(acquire|release|acq_rel)$/) weaker = "relaxed"
      else if (word == "seq_cst" && called[depth] == "load") weaker = "acquire"
      else if (word == "seq_cst" && called[depth] == "store") weaker = "release"
      if (weaker != "") {
        n = number()
        print n, file ":" line_of(i), called[depth] ", " word ": " weaker
        wrap(i, end, "::weft::mutant::order(" n ", ", ", std::memory_order_" weaker ")")
      }
    }
    i = end
  }
}

# Frames are what brackets enclose; a frame is a row of segments with `left` the token before the one that is read.
function open_frame(opener, condition, constant_) {
  ++depth
  openers[depth] = opener
  conditions[depth] = condition
  constants[depth] = constant_
  statement_constant[depth] = constant_
  begin_segment(opener, i + 1)
}
function begin_segment(token, place) {
  left[depth] = token
  start[depth] = place
  compares[depth] = 0
}

function end_segment(right, place,    from, to, logic, chain, name) {
  from = start[depth]
  to = place - 1
  while (from <= to && substr(code, from, 1) ~ /[ \n]/) ++from
  while (from <= to && substr(code, to, 1) ~ /[ \n]/) --to
  if (from > to || statement_constant[depth]) return
  logic = left[depth] ~ /^(&&|\|\|)$/
  chain = right ~ /^(&&|\|\|)$/
  if (logic || chain) {
    if (!logic) { chain_start[depth] = from; operators[depth] = "" }
    if (chain && index(operators[depth], right) == 0) operators[depth] = operators[depth] right
    atoms[depth, logic ? ++atom_count[depth] : (atom_count[depth] = 1)] = from " " to
    if (!chain) end_chain(to)
  } else if (conditions[depth] ~ /if|while/ && right == ")" && left[depth] == "=") {
    site(from, to, "false", "value")
  } else if (compares[depth] || right == "?" || is_whole(right)) {
    site(from, to, "both")
  }
}

function is_whole(right) {
  if (conditions[depth] == "for") return left[depth] == ";" && right == ";"
  return conditions[depth] != "" && right == ")" && left[depth] ~ /^[(;]$/
}

function end_chain(to,    k, place) {
  for (k = 1; k <= atom_count[depth]; ++k) {
    split(atoms[depth, k], place, " ")
    if (length(operators[depth]) > 2 || k == 1) site(place[1], place[2], "both")
    else site(place[1], place[2], operators[depth] == "&&" ? "true" : "false")
  }
  if (length(operators[depth]) > 2) site(chain_start[depth], to, "both")
  else site(chain_start[depth], to, operators[depth] == "&&" ? "true" : "false")
}

function site(from, to, which, how,    n, words) {
  n = number()
  number()
  words = substr(text, from, to - from + 1)
  gsub(/ *\/\/[^\n]*\n/, "\n", words)
  gsub(/[ \n]+/, " ", words)
  if (which != "true") print n, file ":" line_of(from), "false: " words
  if (which != "false") print n + 1, file ":" line_of(from), "true: " words
  wrap(from, to, "::weft::mutant::" (how == "" ? "check" : how) "(" n ", ", ")")
}

function scan_checks(    c, word, token, spaced, condition) {
  depth = 0
  i = 0
  open_frame("", "", 0)
  word = ""
  for (i = 1; i <= size; i += length(token)) {
    c = substr(code, i, 1)
    token = c
    if (c ~ /[a-zA-Z_0-9]/) {
      match(substr(code, i), /^[a-zA-Z_0-9']+/)
      token = substr(code, i, RLENGTH)
      if (token ~ /^(return|else|do|case|throw|co_return)$/) {
        end_segment(token, i)
        begin_segment(token, i + length(token))
      } else if (token == "constexpr" && word != "if") {
        statement_constant[depth] = 1
      }
      word = token
      continue
    }
    if (c ~ /[ \n]/) continue
    if (match(substr(code, i, 3), /^(<<=|>>=|<=>|&&|\|\||==|!=|<=|>=|\+=|-=|\*=|\/=|%=|\|=|&=|\^=|<<|>>|->|\+\+|--|::)/))
      token = substr(code, i, RLENGTH)
    spaced = substr(code, i - 1, 1) ~ /[ \n]/ && substr(code, i + length(token), 1) ~ /[ \n]/
    if (c ~ /[\[({]/) {
      open_frame(c, c == "(" && word ~ /^(if|while|for)$/ ? word : "", statement_constant[depth] ||
        (c == "(" && word ~ /^(constexpr|static_assert|requires|noexcept|decltype|sizeof|alignas)$/))
    } else if (c ~ /[])}]/) {
      end_segment(c, i)
      --depth
      if (c == "}" && (openers[depth] == "{" || openers[depth] == "")) {
        statement_constant[depth] = constants[depth]
        begin_segment(c, i + 1)
      }
    } else if (spaced && token ~ /^(==|!=|<|>|<=|>=)$/) {
      compares[depth] = 1
    } else if ((token ~ /^(&&|\|\|)$/ && spaced) || token ~ /^[?:;,]$/ || token ~ /^(=|\+=|-=|\*=|\/=|\|=|&=|\^=)$/) {
      end_segment(token, i)
      begin_segment(token, i + length(token))
      if (token == ";") statement_constant[depth] = constants[depth]
    }
    word = ""
  }
}
