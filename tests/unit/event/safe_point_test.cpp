#include "runtime/event/safe_point.hpp"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstring>

#include "arch/arch.hpp"
#include "runtime/stack/stack.hpp"
#include "tests/support/support.hpp"

using namespace weft::runtime;

namespace {

std::uintptr_t address_of(const char* function) {
  return reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_DEFAULT, function));
}

int ours(int x) { return x + 1; }

// A frame of a thread that runs on `s`, at `pc`, with nothing blocked.
struct made_up {
  alignas(64) std::byte memory[4096]{};
  stack s{memory + sizeof memory, memory, sizeof memory, nullptr};
  fiber f;
  ucontext_t frame{};
  sigset_t mask;

  explicit made_up(std::uintptr_t pc) {
    f.stack = &s;
    ::sigemptyset(&mask);
    ::sigemptyset(&frame.uc_sigmask);
    weft::arch::set_frame_pc(frame, pc);
    set_sp(memory + 2048);
  }
  void set_sp(const void* sp) {
#if defined(__x86_64__)
    frame.uc_mcontext.gregs[REG_RSP] = reinterpret_cast<greg_t>(sp);
#else
    frame.uc_mcontext.sp = reinterpret_cast<std::uintptr_t>(sp);
#endif
  }
  stop_point where() const { return stop_point_at(frame, f, mask); }
};

}  // namespace

TEST_CASE("safe_point: the program's code is the user's, the system's libraries are not") {
  CHECK(in_user_code(reinterpret_cast<std::uintptr_t>(&ours)));
  for (const char* theirs : {"memcpy", "malloc", "pthread_mutex_lock", "__cxa_throw", "_Unwind_RaiseException"}) {
    CAPTURE(theirs);
    REQUIRE(address_of(theirs) != 0);
    CHECK(!in_user_code(address_of(theirs)));
  }
}

TEST_CASE("safe_point: the kernel's page of code is not the user's") {
  const unsigned long vdso = ::getauxval(AT_SYSINFO_EHDR);
  if (vdso != 0) CHECK(!in_user_code(vdso + 64));
}

TEST_CASE("safe_point: code that no object holds is the user's") {
  void* made = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(made != MAP_FAILED);
  CHECK(in_user_code(reinterpret_cast<std::uintptr_t>(made) + 128));
  ::munmap(made, 4096);
}

TEST_CASE("safe_point: on the fiber's own stack, with the worker's own mask, in the user's code") {
  made_up at(reinterpret_cast<std::uintptr_t>(&ours) + 4);
  CHECK(at.where() == stop_point::safe);
  std::byte elsewhere[16];
  at.set_sp(elsewhere);
  CHECK(at.where() == stop_point::unsafe);
  at.set_sp(at.memory + 2048);
  ::sigaddset(&at.frame.uc_sigmask, SIGALRM);  // a handler of SIGALRM is below
  CHECK(at.where() == stop_point::unsafe);
  ::sigaddset(&at.mask, SIGALRM);
  CHECK(at.where() == stop_point::safe);
  weft::arch::set_frame_pc(at.frame, address_of("memcpy"));
  CHECK(at.where() != stop_point::safe);
}

TEST_CASE("safe_point: a system call is told by its instruction, before it and behind it") {
#if defined(__x86_64__)
  alignas(8) unsigned char code[16] = {0x90, 0x90, 0x90, 0x90, 0x0f, 0x05, 0x90, 0x90, 0x90, 0x90};
  const std::uintptr_t call = reinterpret_cast<std::uintptr_t>(code) + 4, behind = call + 2;
#else
  alignas(8) std::uint32_t code[4] = {0xd503201f, 0xd4000001, 0xd503201f, 0xd503201f};
  const std::uintptr_t call = reinterpret_cast<std::uintptr_t>(code) + 4, behind = call + 4;
#endif
  CHECK(made_up(call).where() == stop_point::in_kernel);    // to be restarted
  CHECK(made_up(behind).where() == stop_point::in_kernel);  // ended with EINTR
  CHECK(made_up(behind + 4).where() == stop_point::safe);
}
