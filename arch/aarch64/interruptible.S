// The trampoline of interruptible(f) on aarch64, AAPCS64; see arch/interruptible.hpp.
// In: x0 = f, x1 = argument, x2 = where the stack pointer goes.
// The unwind table counts from sp alone: where f was abandoned every other register is f's.

        .set    SIZE, 176               // x29 x30 | x19 .. x28 | d8 .. d15 | fpcr, 8 unused

        .text
        .globl  weft_interruptible, weft_interruptible_called, weft_interruptible_abandoned
        .hidden weft_interruptible, weft_interruptible_called, weft_interruptible_abandoned
        .type   weft_interruptible, %function
        .p2align 4
weft_interruptible:
        .cfi_startproc
        hint    #34                     // bti c; a no-op before Armv8.5
        stp     x29, x30, [sp, #-SIZE]!
        .cfi_def_cfa_offset SIZE
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        .cfi_rel_offset x19, 16
        .cfi_rel_offset x20, 24
        stp     x21, x22, [sp, #32]
        .cfi_rel_offset x21, 32
        .cfi_rel_offset x22, 40
        stp     x23, x24, [sp, #48]
        .cfi_rel_offset x23, 48
        .cfi_rel_offset x24, 56
        stp     x25, x26, [sp, #64]
        .cfi_rel_offset x25, 64
        .cfi_rel_offset x26, 72
        stp     x27, x28, [sp, #80]
        .cfi_rel_offset x27, 80
        .cfi_rel_offset x28, 88
        stp     d8, d9, [sp, #96]
        .cfi_rel_offset d8, 96
        .cfi_rel_offset d9, 104
        stp     d10, d11, [sp, #112]
        .cfi_rel_offset d10, 112
        .cfi_rel_offset d11, 120
        stp     d12, d13, [sp, #128]
        .cfi_rel_offset d12, 128
        .cfi_rel_offset d13, 136
        stp     d14, d15, [sp, #144]
        .cfi_rel_offset d14, 144
        .cfi_rel_offset d15, 152
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x9, sp
        str     x9, [x2]
        mov     x9, x0
        mov     x0, x1
        blr     x9
weft_interruptible_called:
        mov     w0, #0
.Lreturn:
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        .cfi_remember_state
        ldp     x29, x30, [sp], #SIZE
        .cfi_def_cfa_offset 0
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore d8
        .cfi_restore d9
        .cfi_restore d10
        .cfi_restore d11
        .cfi_restore d12
        .cfi_restore d13
        .cfi_restore d14
        .cfi_restore d15
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_restore_state
        // Where f returns of its own accord, fpcr is what f left; here it is as f found it.
weft_interruptible_abandoned:
        hint    #36                     // bti j
        ldr     x9, [sp, #160]
        msr     fpcr, x9
        mov     w0, #1
        b       .Lreturn
        .cfi_endproc
        .size   weft_interruptible, . - weft_interruptible

// One object without this note takes branch protection from the whole program.
#if defined(__ARM_FEATURE_BTI_DEFAULT) && (__ARM_FEATURE_BTI_DEFAULT == 1)
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5                // name size, description size, NT_GNU_PROPERTY_TYPE_0
        .asciz  "GNU"
        .long   0xc0000000, 4, 1, 0     // GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI
#endif

        .section .note.GNU-stack, "", %progbits
