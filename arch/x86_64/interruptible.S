// The trampoline of interruptible(f) on x86-64, System V ABI; see arch/interruptible.hpp.
// In: rdi = f, rsi = argument, rdx = where the stack pointer goes.
// The unwind table counts from rsp alone: where f was abandoned every other register is f's.

        .text
        .globl  weft_interruptible, weft_interruptible_called, weft_interruptible_abandoned
        .hidden weft_interruptible, weft_interruptible_called, weft_interruptible_abandoned
        .type   weft_interruptible, @function
        .p2align 4
weft_interruptible:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp              // for walkers by frame pointer
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdx)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        call    *%rax
weft_interruptible_called:
        xorl    %eax, %eax
.Lreturn:
        addq    $8, %rsp
        .cfi_remember_state
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        ret
        .cfi_restore_state
        // What f returns of its own accord has the control words that f left; here they are as f found them, and the
        // x87 stack is empty and the direction flag clear, as the ABI wants it at a return.
weft_interruptible_abandoned:
        cld
        fninit
        fldcw   4(%rsp)
        ldmxcsr (%rsp)
        movl    $1, %eax
        jmp     .Lreturn
        .cfi_endproc
        .size   weft_interruptible, . - weft_interruptible

        .section .note.GNU-stack, "", @progbits
