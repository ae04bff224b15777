// jump_fcontext with a return at its end; see arch/jump.hpp.
// In: rdi, rsi as jump_fcontext takes them, which finds on the stack, as its own return address, the label below.
// No .note.gnu.property, for the same reason as in fiber_entry.S.

        .text
        .globl  weft_jump
        .hidden weft_jump
        .type   weft_jump, @function
        .p2align 4
weft_jump:
        .cfi_startproc
        endbr64
        leaq    .Larrived(%rip), %rax
        pushq   %rax
        .cfi_adjust_cfa_offset 8
        jmp     jump_fcontext@PLT
        .cfi_adjust_cfa_offset -8
        nop                             // unwinders look up the byte before a return address
.Larrived:
        endbr64
        ret
        .cfi_endproc
        .size   weft_jump, . - weft_jump

        .section .note.GNU-stack, "", @progbits
