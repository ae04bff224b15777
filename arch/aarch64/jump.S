// jump_fcontext, which ends with a return here; see arch/jump.hpp.

        .text
        .globl  weft_jump
        .hidden weft_jump
        .type   weft_jump, %function
        .p2align 2
weft_jump:
        .cfi_startproc
        hint    #34                     // bti c
        b       jump_fcontext
        .cfi_endproc
        .size   weft_jump, . - weft_jump

// As in fiber_entry.S.
#if defined(__ARM_FEATURE_BTI_DEFAULT) && (__ARM_FEATURE_BTI_DEFAULT == 1)
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0
#endif

        .section .note.GNU-stack, "", %progbits
