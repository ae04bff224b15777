// The first frame of a fiber on x86-64, System V ABI; see arch/fiber_entry.hpp.
// In: rdi, rsi = the transfer_t; rsp % 16 == 8, as after a call; rbp = an address of make_fcontext's.
// No .note.gnu.property: jump_fcontext keeps no shadow stack, so the program must not be marked as fit for one. endbr64 is there for
// whoever enforces indirect branch tracking alone.

// A test assembles this file again around a main of its own.
#ifndef WEFT_FIBER_ENTRY
#define WEFT_FIBER_ENTRY weft_fiber_entry
#define WEFT_FIBER_MAIN weft_fiber_main
#endif

        .text
        .globl  WEFT_FIBER_ENTRY
        .hidden WEFT_FIBER_ENTRY
        .type   WEFT_FIBER_ENTRY, @function
        .p2align 4
WEFT_FIBER_ENTRY:
        .cfi_startproc
        .cfi_undefined rip
        endbr64
        xorl    %ebp, %ebp
        .cfi_undefined rbp
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    WEFT_FIBER_MAIN@PLT
        movq    %rax, %rdi
        movq    %rdx, %rsi
        jmp     jump_fcontext@PLT       // what it takes for its return address nobody returns to
        .cfi_endproc
        .size   WEFT_FIBER_ENTRY, . - WEFT_FIBER_ENTRY

        .section .note.GNU-stack, "", @progbits
