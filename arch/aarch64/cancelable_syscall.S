// The cancellable system call on aarch64, AAPCS64; see arch/cancelable_syscall.hpp.
// In: x0 = flag, x1 = number, x2 .. x7 = arguments. Nothing is pushed, so that the cancelled exit is the same from
// everywhere.

        .text
        .globl  weft_cancelable_syscall, weft_cancelable_syscall_begin, weft_cancelable_syscall_end
        .globl  weft_cancelable_syscall_canceled
        .hidden weft_cancelable_syscall, weft_cancelable_syscall_begin, weft_cancelable_syscall_end
        .hidden weft_cancelable_syscall_canceled
        .type   weft_cancelable_syscall, %function
        .p2align 4
weft_cancelable_syscall:
        .cfi_startproc
        hint    #34                     // bti c; a no-op before Armv8.5
weft_cancelable_syscall_begin:
        ldr     w9, [x0]
        cbnz    w9, weft_cancelable_syscall_canceled
        mov     x8, x1
        mov     x0, x2
        mov     x1, x3
        mov     x2, x4
        mov     x3, x5
        mov     x4, x6
        mov     x5, x7
        svc     #0
weft_cancelable_syscall_end:
        ret
weft_cancelable_syscall_canceled:
        hint    #36                     // bti j
        mov     x0, #-4096              // k_syscall_canceled
        ret
        .cfi_endproc
        .size   weft_cancelable_syscall, . - weft_cancelable_syscall

#if defined(__ARM_FEATURE_BTI_DEFAULT) && (__ARM_FEATURE_BTI_DEFAULT == 1)
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5                // name size, description size, NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI
#endif

        .section .note.GNU-stack, "", %progbits
