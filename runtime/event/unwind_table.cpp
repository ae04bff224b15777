#include "runtime/event/unwind_table.hpp"

#include <dlfcn.h>

#include <cstring>

namespace weft::runtime {
namespace {

using byte = unsigned char;

// Reads on through a table. Once it has failed everything it gives is zero.
class cursor {
 public:
  cursor(const byte* at, const byte* end) noexcept : at_(at), end_(end) {}

  const byte* at() const noexcept { return at_; }
  const byte* end() const noexcept { return end_; }
  bool failed() const noexcept { return failed_; }
  bool done() const noexcept { return failed_ || at_ == end_; }
  void fail() noexcept { failed_ = true; }

  template <class T>
  T get() noexcept {
    T value{};
    const byte* from = skip(sizeof value);
    if (from != nullptr) std::memcpy(&value, from, sizeof value);
    return value;
  }
  const byte* skip(std::size_t n) noexcept {
    if (failed_ || n > static_cast<std::size_t>(end_ - at_)) {
      failed_ = true;
      return nullptr;
    }
    const byte* from = at_;
    at_ += n;
    return from;
  }
  std::uint64_t uleb() noexcept {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const byte b = get<byte>();
      value |= std::uint64_t{b & 0x7fu} << shift;
      if ((b & 0x80) == 0) return value;
    }
    failed_ = true;
    return 0;
  }
  std::int64_t sleb() noexcept {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64;) {
      const byte b = get<byte>();
      value |= std::uint64_t{b & 0x7fu} << shift;
      shift += 7;
      if ((b & 0x80) != 0) continue;
      if ((b & 0x40) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
      return static_cast<std::int64_t>(value);
    }
    failed_ = true;
    return 0;
  }

 private:
  const byte* at_;
  const byte* end_;
  bool failed_ = false;
};

// Encodings of pointers, LSB 5.0, 10.5.1.
enum : byte { k_omitted = 0xff, k_pc_relative = 0x10, k_format = 0x0f, k_application = 0x70, k_data_relative_4 = 0x3b };

// The stored value, and for one relative to its own place the address; `raw` is what was stored.
std::uintptr_t read_pointer(cursor& c, byte encoding, std::uintptr_t& raw) noexcept {
  const auto place = reinterpret_cast<std::uintptr_t>(c.at());
  switch (encoding & k_format) {
    case 0x00:
    case 0x04:
    case 0x0c:
      raw = c.get<std::uint64_t>();
      break;
    case 0x03:
      raw = c.get<std::uint32_t>();
      break;
    case 0x0b:
      raw = static_cast<std::uintptr_t>(std::int64_t{c.get<std::int32_t>()});
      break;
    default:
      c.fail();
      return 0;
  }
  const byte application = encoding & k_application;
  if (application == k_pc_relative) return raw + place;
  if (application != 0) c.fail();
  return raw;
}

// The record that begins at `at`: the cursor stands behind its length and ends with it.
cursor record(const byte* at) noexcept {
  std::uint32_t length;
  std::memcpy(&length, at, sizeof length);
  at += sizeof length;
  cursor c(at, at + (length == 0xffff'ffff ? 0 : length));
  return c;  // empty for the 64-bit form and for the end of the table: the first read fails
}

// The function's entry by the sorted table in .eh_frame_hdr; null if there is none.
const byte* find_fde(std::uintptr_t pc) noexcept {
  dl_find_object object;
  if (::_dl_find_object(reinterpret_cast<void*>(pc), &object) != 0 || object.dlfo_eh_frame == nullptr) return nullptr;
  const auto* header = static_cast<const byte*>(object.dlfo_eh_frame);
  const bool known = header[0] == 1 && (header[1] & k_format) == 0x0b && header[2] == 0x03 &&
                     header[3] == k_data_relative_4;  // what GNU ld, gold, lld and mold write
  if (!known) return nullptr;
  struct place {
    std::int32_t function, fde;  // from the header
  };
  std::uint32_t count;
  std::memcpy(&count, header + 8, sizeof count);
  const auto at = [header](std::uint32_t i) {
    place p;
    std::memcpy(&p, header + 12 + std::size_t{i} * sizeof p, sizeof p);
    return p;
  };
  const auto wanted = static_cast<std::int64_t>(pc - reinterpret_cast<std::uintptr_t>(header));
  std::uint32_t low = 0, high = count;  // the last function that does not begin behind pc
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (at(middle).function <= wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? nullptr : header + at(low - 1).fde;
}

// The common part of functions' entries.
struct common_entry {
  std::uint64_t code_align = 1;
  std::int64_t data_align = 1;
  byte pointer_encoding = 0, lsda_encoding = k_omitted;
  bool augmented = false;
  const byte* program = nullptr;
  const byte* end = nullptr;
};

bool read_augmentation(cursor& c, const char* letters, common_entry& e, unwind_entry& out) noexcept {
  if (*letters == '\0') return true;
  if (*letters++ != 'z') return false;
  e.augmented = true;
  const std::uint64_t size = c.uleb();
  const byte* const body = c.skip(size);
  if (body == nullptr) return false;
  cursor a(body, body + size);
  for (; *letters != '\0'; ++letters) {
    std::uintptr_t raw = 0;
    switch (*letters) {
      case 'L':
        e.lsda_encoding = a.get<byte>();
        break;
      case 'P':
        read_pointer(a, a.get<byte>() & static_cast<byte>(~0x80), raw);
        break;
      case 'R':
        e.pointer_encoding = a.get<byte>();
        break;
      case 'S':
        out.signal_frame = true;
        break;
      case 'B':  // aarch64: signed with the other key
      case 'G':  // aarch64: a tagged stack
        break;
      default:
        return false;
    }
  }
  return !a.failed();
}

bool read_common(const byte* at, common_entry& e, unwind_entry& out) noexcept {
  cursor c = record(at);
  if (c.get<std::uint32_t>() != 0) return false;
  const byte version = c.get<byte>();
  if (version != 1 && version != 3) return false;
  const auto* letters = reinterpret_cast<const char*>(c.at());
  while (!c.failed() && c.get<byte>() != 0) {
  }
  if (c.failed()) return false;
  e.code_align = c.uleb();
  e.data_align = c.sleb();
  const std::uint64_t column = version == 1 ? c.get<byte>() : c.uleb();
  if (column >= arch::k_dwarf_registers || !read_augmentation(c, letters, e, out)) return false;
  out.return_address = static_cast<int>(column);
  e.program = c.at();
  e.end = c.end();
  return !c.failed();
}

// Runs the table's program up to a place.
class machine {
 public:
  machine(const common_entry& e, unwind_row& row) noexcept : entry_(e), row_(row) {}

  bool run(const byte* program, const byte* end, std::uintptr_t from, std::uintptr_t pc) noexcept {
    cursor c(program, end);
    location_ = from;
    while (!c.done() && location_ <= pc) {
      if (!step(c)) return false;
    }
    return !c.failed();
  }
  void keep_initial() noexcept { initial_ = row_; }

 private:
  // A rule for a register that nobody here needs (vector registers) goes nowhere.
  unwind_rule& rule(std::uint64_t r) noexcept { return r < arch::k_dwarf_registers ? row_.rules[r] : ignored_; }
  void offset(std::uint64_t r, std::int64_t factored) noexcept {
    rule(r) = {unwind_rule::at_offset, factored * entry_.data_align, {}};
  }
  void restore(std::uint64_t r) noexcept {
    if (r < arch::k_dwarf_registers) row_.rules[r] = initial_.rules[r];
  }
  void define_cfa(std::uint64_t r, std::int64_t offset) noexcept {
    row_.cfa_register = r < arch::k_dwarf_registers ? static_cast<int>(r) : -1;
    row_.cfa_offset = offset;
    row_.cfa_expression = {};
  }
  static unwind_expression expression(cursor& c) noexcept {
    const std::uint64_t size = c.uleb();
    return {c.skip(size), size};
  }
  bool advance(std::uint64_t delta) noexcept {
    location_ += delta * entry_.code_align;
    return true;
  }

  // One instruction; false: not one that this machine knows.
  bool step(cursor& c) noexcept {
    const byte op = c.get<byte>();
    const byte low = op & 0x3f;
    switch (op & 0xc0) {
      case 0x40:
        return advance(low);
      case 0x80:
        offset(low, static_cast<std::int64_t>(c.uleb()));
        return true;
      case 0xc0:
        restore(low);
        return true;
      default:
        return step_extended(c, op);
    }
  }

  bool step_extended(cursor& c, byte op) noexcept {
    std::uint64_t r = 0;
    switch (op) {
      case 0x00:  // nop
        return true;
      case 0x02:
        return advance(c.get<std::uint8_t>());
      case 0x03:
        return advance(c.get<std::uint16_t>());
      case 0x04:
        return advance(c.get<std::uint32_t>());
      case 0x05:  // offset_extended
        r = c.uleb();
        offset(r, static_cast<std::int64_t>(c.uleb()));
        return true;
      case 0x06:  // restore_extended
        restore(c.uleb());
        return true;
      case 0x07:  // undefined
        rule(c.uleb()) = {unwind_rule::unknown, 0, {}};
        return true;
      case 0x08:  // same_value
        rule(c.uleb()) = {unwind_rule::same, 0, {}};
        return true;
      case 0x0a:  // remember_state
        if (depth_ == k_depth) return false;
        remembered_[depth_++] = row_;
        return true;
      case 0x0b:  // restore_state
        if (depth_ == 0) return false;
        row_ = remembered_[--depth_];
        return true;
      case 0x0c:  // def_cfa
        r = c.uleb();
        define_cfa(r, static_cast<std::int64_t>(c.uleb()));
        return true;
      case 0x0d:  // def_cfa_register
        define_cfa(c.uleb(), row_.cfa_offset);
        return true;
      case 0x0e:  // def_cfa_offset
        row_.cfa_offset = static_cast<std::int64_t>(c.uleb());
        return true;
      case 0x0f:  // def_cfa_expression
        row_.cfa_register = -1;
        row_.cfa_expression = expression(c);
        return true;
      case 0x10:  // expression
        r = c.uleb();
        rule(r) = {unwind_rule::at_expression, 0, expression(c)};
        return true;
      case 0x11:  // offset_extended_sf
        r = c.uleb();
        offset(r, c.sleb());
        return true;
      case 0x12:  // def_cfa_sf
        r = c.uleb();
        define_cfa(r, c.sleb() * entry_.data_align);
        return true;
      case 0x13:  // def_cfa_offset_sf
        row_.cfa_offset = c.sleb() * entry_.data_align;
        return true;
      case 0x2d:  // aarch64: the return address is signed from here, or no more; both read alike (plain_code_address)
        return true;
      case 0x2e:  // GNU_args_size
        c.uleb();
        return true;
      default:
        return false;
    }
  }

  static constexpr int k_depth = 4;
  const common_entry& entry_;
  unwind_row& row_;
  unwind_row initial_;
  unwind_row remembered_[k_depth];
  int depth_ = 0;
  std::uintptr_t location_ = 0;
  unwind_rule ignored_;
};

// What holds where the tables say nothing.
void set_defaults(unwind_row& row, int return_address) noexcept {
  for (int r = 0; r < arch::k_dwarf_registers; ++r) {
    const bool kept = arch::dwarf_callee_saved(r) || r == return_address;
    row.rules[r].kind = kept ? unwind_rule::same : unwind_rule::unknown;
  }
}

}  // namespace

bool read_unwind_entry(std::uintptr_t pc, unwind_entry& out) noexcept {
  const byte* const fde = find_fde(pc);
  if (fde == nullptr) return false;
  cursor c = record(fde);
  const byte* const back = c.at();
  const auto to_common = c.get<std::uint32_t>();
  common_entry e;
  if (c.failed() || to_common == 0 || !read_common(back - to_common, e, out)) return false;
  std::uintptr_t raw = 0, size = 0;
  const std::uintptr_t begin = read_pointer(c, e.pointer_encoding, raw);
  read_pointer(c, e.pointer_encoding & k_format, size);
  if (c.failed() || pc < begin || pc - begin >= size) return false;  // a hole between functions
  if (e.augmented) {
    const std::uint64_t length = c.uleb();
    const byte* const body = c.skip(length);
    if (body == nullptr) return false;
    cursor a(body, body + length);
    if (e.lsda_encoding != k_omitted) {
      read_pointer(a, e.lsda_encoding & static_cast<byte>(~0x80), raw);
      if (a.failed()) return false;
      out.has_lsda = raw != 0;
    }
  }
  set_defaults(out.row, out.return_address);
  machine m(e, out.row);
  if (!m.run(e.program, e.end, begin, pc)) return false;
  m.keep_initial();
  return m.run(c.at(), c.end(), begin, pc);
}

}  // namespace weft::runtime
