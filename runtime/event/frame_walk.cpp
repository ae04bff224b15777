#include "runtime/event/frame_walk.hpp"

#include <cstring>

namespace weft::runtime {
namespace {

constexpr std::uintptr_t k_red_zone = 128;  // below the stack pointer, x86-64's

// DWARF's stack machine, as far as compilers and linkers use it: realigned stacks and procedure linkage tables.
class expression_machine {
 public:
  bool push(std::uintptr_t v) noexcept {
    if (depth_ == k_depth) return false;
    values_[depth_++] = v;
    return true;
  }
  bool pop(std::uintptr_t& v) noexcept {
    if (depth_ == 0) return false;
    v = values_[--depth_];
    return true;
  }
  bool binary(unsigned char op) noexcept {
    std::uintptr_t b = 0, a = 0;
    if (!pop(b) || !pop(a)) return false;
    switch (op) {
      case 0x1a:
        return push(a & b);
      case 0x1c:
        return push(a - b);
      case 0x22:
        return push(a + b);
      case 0x24:
        return push(b < 64 ? a << b : 0);
      case 0x2a:
        return push(static_cast<std::intptr_t>(a) >= static_cast<std::intptr_t>(b) ? 1 : 0);
      default:
        return false;
    }
  }

 private:
  static constexpr int k_depth = 8;
  std::uintptr_t values_[k_depth];
  int depth_ = 0;
};

}  // namespace

frame_walk::frame_walk(const ucontext_t& u, std::uintptr_t high) noexcept
    : low_(arch::frame_sp(u) - k_red_zone),
      high_(high),
      pc_(arch::frame_pc(u)),
      first_(true),
      known_((std::uint64_t{1} << arch::k_dwarf_registers) - 1) {
  arch::frame_registers(u, registers_);
}

frame_walk::frame_walk(const arch::parked_frame& f, std::uintptr_t low, std::uintptr_t high) noexcept
    : low_(low), high_(high), pc_(f.pc), first_(false), known_(f.known) {
  std::memcpy(registers_, f.registers, sizeof registers_);
}

bool frame_walk::load(std::uintptr_t address, std::uintptr_t& value) const noexcept {
  if (address < low_ || address > high_ - sizeof value || address % sizeof value != 0) return false;
  // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): low_ is a stack's
  std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
  return true;
}

bool frame_walk::evaluate(const unwind_expression& e, bool with_cfa, std::uintptr_t cfa,
                          std::uintptr_t& value) const noexcept {
  if (e.code == nullptr) return false;
  expression_machine m;
  if (with_cfa) m.push(cfa);
  std::size_t at = 0;
  const auto byte = [&]() -> unsigned { return at < e.size ? e.code[at++] : 0u; };
  const auto uleb = [&] {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const unsigned b = byte();
      v |= std::uint64_t{b & 0x7fu} << shift;
      if ((b & 0x80) == 0) break;
    }
    return v;
  };
  const auto sleb = [&] {
    std::uint64_t v = 0;
    int shift = 0;
    unsigned b = 0;
    do {
      b = byte();
      v |= std::uint64_t{b & 0x7fu} << shift;
      shift += 7;
    } while ((b & 0x80) != 0 && shift < 63);
    if ((b & 0x40) != 0) v |= ~std::uint64_t{0} << shift;
    return static_cast<std::int64_t>(v);
  };
  bool fine = true;
  while (fine && at < e.size) {
    const unsigned op = byte();
    std::uintptr_t v = 0;
    if (op >= 0x70 && op < 0x70 + arch::k_dwarf_registers) {  // a register and an offset
      const int r = static_cast<int>(op - 0x70);
      fine = known(r) && m.push(registers_[r] + static_cast<std::uintptr_t>(sleb()));
    } else if (op >= 0x30 && op <= 0x4f) {  // a literal
      fine = m.push(op - 0x30);
    } else if (op == 0x06) {  // what is at an address
      fine = m.pop(v) && load(v, v) && m.push(v);
    } else if (op == 0x08) {  // a byte
      fine = m.push(byte());
    } else if (op == 0x23) {  // plus a constant
      fine = m.pop(v) && m.push(v + uleb());
    } else {
      fine = m.binary(static_cast<unsigned char>(op));
    }
  }
  return fine && m.pop(value);
}

bool frame_walk::frame_address(std::uintptr_t& cfa) const noexcept {
  const unwind_row& row = entry_.row;
  if (row.cfa_register < 0) return evaluate(row.cfa_expression, false, 0, cfa);
  if (!known(row.cfa_register)) return false;
  cfa = registers_[row.cfa_register] + static_cast<std::uintptr_t>(row.cfa_offset);
  return true;
}

bool frame_walk::recover(int r, std::uintptr_t cfa, std::uintptr_t& value) const noexcept {
  const unwind_rule& rule = entry_.row.rules[r];
  switch (rule.kind) {
    case unwind_rule::same:
      value = registers_[r];
      return known(r);
    case unwind_rule::at_offset:
      return load(cfa + static_cast<std::uintptr_t>(rule.offset), value);
    case unwind_rule::at_expression: {
      std::uintptr_t where = 0;
      return evaluate(rule.expression, true, cfa, where) && load(where, value);
    }
    case unwind_rule::unknown:
      break;
  }
  return false;
}

bool frame_walk::read() noexcept {
  entry_ = {};
  return read_unwind_entry(place(), entry_);
}

bool frame_walk::step() noexcept {
  std::uintptr_t cfa = 0;
  if (!frame_address(cfa) || cfa > high_ || cfa < sp() || (cfa == sp() && !first_)) return false;
  std::uintptr_t to = 0;
  if (!recover(entry_.return_address, cfa, to)) return false;
  std::uintptr_t callers[arch::k_dwarf_registers];
  std::uint64_t known = 0;
  for (int r = 0; r < arch::k_dwarf_registers; ++r)
    if (recover(r, cfa, callers[r])) known |= std::uint64_t{1} << r;
  callers[arch::k_dwarf_sp] = cfa;
  known |= std::uint64_t{1} << arch::k_dwarf_sp;
  known &= ~(std::uint64_t{1} << entry_.return_address);  // the call has overwritten it
  std::memcpy(registers_, callers, sizeof registers_);
  known_ = known;
  pc_ = arch::plain_code_address(to);
  first_ = false;
  return true;
}

}  // namespace weft::runtime
