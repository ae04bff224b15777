// The first frame of a fiber on aarch64, AAPCS64; see arch/fiber_entry.hpp.
// In: x0, x1 = the transfer_t; sp % 16 == 0; x29 = whatever make_fcontext left there.

// A test assembles this file again around a main of its own.
#ifndef WEFT_FIBER_ENTRY
#define WEFT_FIBER_ENTRY weft_fiber_entry
#define WEFT_FIBER_MAIN weft_fiber_main
#endif

        .text
        .globl  WEFT_FIBER_ENTRY
        .hidden WEFT_FIBER_ENTRY
        .type   WEFT_FIBER_ENTRY, %function
        .p2align 4
WEFT_FIBER_ENTRY:
        .cfi_startproc
        .cfi_undefined x30
        hint    #34                     // bti c; a no-op before Armv8.5
        mov     x29, xzr
        .cfi_undefined x29
        mov     x30, xzr
        bl      WEFT_FIBER_MAIN
        b       jump_fcontext           // what it takes for its return address nobody returns to
        .cfi_endproc
        .size   WEFT_FIBER_ENTRY, . - WEFT_FIBER_ENTRY

// One object without this note takes branch protection from the whole program.
#if defined(__ARM_FEATURE_BTI_DEFAULT) && (__ARM_FEATURE_BTI_DEFAULT == 1)
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5                // name size, description size, NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI
#endif

        .section .note.GNU-stack, "", %progbits
