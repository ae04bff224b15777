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

        .section .note.GNU-stack, "", %progbits
