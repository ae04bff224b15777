// The cancellable system call on x86-64, System V ABI; see arch/cancelable_syscall.hpp.
// In: rdi = flag, rsi = number, rdx rcx r8 r9 8(rsp) 16(rsp) = arguments. Nothing is pushed, so that the cancelled exit is
// the same from everywhere.

        .text
        .globl  weft_cancelable_syscall, weft_cancelable_syscall_begin, weft_cancelable_syscall_end
        .globl  weft_cancelable_syscall_canceled
        .hidden weft_cancelable_syscall, weft_cancelable_syscall_begin, weft_cancelable_syscall_end
        .hidden weft_cancelable_syscall_canceled
        .type   weft_cancelable_syscall, @function
        .p2align 4
weft_cancelable_syscall:
        .cfi_startproc
        endbr64
weft_cancelable_syscall_begin:
        cmpl    $0, (%rdi)
        jne     weft_cancelable_syscall_canceled
        movq    %rsi, %rax
        movq    %rdx, %rdi
        movq    %rcx, %rsi
        movq    %r8, %rdx
        movq    %r9, %r10
        movq    8(%rsp), %r8
        movq    16(%rsp), %r9
        syscall
weft_cancelable_syscall_end:
        ret
weft_cancelable_syscall_canceled:
        movq    $-4096, %rax            // k_syscall_canceled
        ret
        .cfi_endproc
        .size   weft_cancelable_syscall, . - weft_cancelable_syscall

        .section .note.GNU-stack, "", @progbits
