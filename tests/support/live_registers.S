// void test_hold_SET(const registers* from, registers* into, long turns): see live_registers.cpp, which has the layout.
//
// One function for each set of vector registers. Between load and store lies one loop of two instructions, in which all
// that the CPU keeps for a thread is live: vectors, masks, the x87 stack and its control and status word, MXCSR, general
// registers, the carry flag, the red zone below the stack pointer. An interruption falls there, but for one in thousands.
#if defined(__x86_64__)

        .equ    masks, 2048
        .equ    x87, 2112
        .equ    control, 2240
        .equ    general, 2256
        .equ    redzone, 2352
        .equ    carry, 2480
        .equ    before, 2488

        .macro  load_sse
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  64*\n(%rdi), %xmm\n
        .endr
        .endm
        .macro  store_sse
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  %xmm\n, 64*\n(%rsi)
        .endr
        .endm

        .macro  load_avx
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vmovups 64*\n(%rdi), %ymm\n
        .endr
        .endm
        .macro  store_avx
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vmovups %ymm\n, 64*\n(%rsi)
        .endr
        vzeroupper
        .endm

        .macro  load_avx512
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vmovups 64*\n(%rdi), %zmm\n
        .endr
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vmovups 64*\n(%rdi), %zmm\n
        .endr
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        kmovq   masks+8*\n(%rdi), %k\n
        .endr
        .endm
        .macro  store_avx512
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vmovups %zmm\n, 64*\n(%rsi)
        .endr
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vmovups %zmm\n, 64*\n(%rsi)
        .endr
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        kmovq   %k\n, masks+8*\n(%rsi)
        .endr
        vzeroupper
        .endm

        .macro  push_saved, register
        pushq   %\register
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \register, 0
        .endm
        .macro  pop_saved, register
        popq    %\register
        .cfi_adjust_cfa_offset -8
        .cfi_restore \register
        .endm

        .macro  hold, name, load, store
        .text
        .p2align 4
        .globl  \name
        .type   \name, @function
\name:
        .cfi_startproc
        .irp    r, rbx, rbp, r12, r13, r14, r15
        push_saved \r
        .endr
        stmxcsr before(%rsi)
        fnstcw  before+4(%rsi)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movq    redzone+8*\n(%rdi), %rax
        movq    %rax, -128+8*\n(%rsp)
        .endr
        ldmxcsr control(%rdi)
        fninit
        fldcw   control+4(%rdi)
        .irp    n, 7, 6, 5, 4, 3, 2, 1, 0
        fldt    x87+16*\n(%rdi)
        .endr
        fnstsw  before+6(%rsi)
        \load
        movq    general(%rdi), %rax
        movq    general+8(%rdi), %rbx
        movq    general+16(%rdi), %rcx
        movq    general+24(%rdi), %rbp
        .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
        movq    general+32+8*(\n-8)(%rdi), %r\n
        .endr
        stc
1:      decq    %rdx            // leaves the carry flag alone
        jnz     1b
        setc    carry(%rsi)
        movq    %rax, general(%rsi)
        movq    %rbx, general+8(%rsi)
        movq    %rcx, general+16(%rsi)
        movq    %rbp, general+24(%rsi)
        .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
        movq    %r\n, general+32+8*(\n-8)(%rsi)
        .endr
        \store
        stmxcsr control(%rsi)
        fnstcw  control+4(%rsi)
        fnstsw  control+6(%rsi)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        fstpt   x87+16*\n(%rsi)
        .endr
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movq    -128+8*\n(%rsp), %rax
        movq    %rax, redzone+8*\n(%rsi)
        .endr
        fninit
        fldcw   before+4(%rsi)
        ldmxcsr before(%rsi)
        .irp    r, r15, r14, r13, r12, rbp, rbx
        pop_saved \r
        .endr
        ret
        .cfi_endproc
        .size   \name, .-\name
        .endm

        hold    test_hold_sse, load_sse, store_sse
        hold    test_hold_avx, load_avx, store_avx
        hold    test_hold_avx512, load_avx512, store_avx512

#elif defined(__aarch64__)

        .equ    control, 512
        .equ    general, 528
        .equ    carry, 656
        .equ    before, 664

        .text
        .p2align 4
        .globl  test_hold_neon
        .type   test_hold_neon, %function
test_hold_neon:
        .cfi_startproc
        stp     d8, d9, [sp, -64]!
        .cfi_adjust_cfa_offset 64
        stp     d10, d11, [sp, 16]
        stp     d12, d13, [sp, 32]
        stp     d14, d15, [sp, 48]
        mrs     x9, fpcr
        mrs     x10, fpsr
        add     x11, x1, before
        stp     x9, x10, [x11]
        add     x11, x0, control
        ldp     x9, x10, [x11]
        msr     fpcr, x9
        msr     fpsr, x10
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        ldr     q\n, [x0, 16*\n]
        .endr
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        ldr     q\n, [x0, 16*\n]
        .endr
        .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
        ldr     x\n, [x0, general+8*(\n-3)]
        .endr
        cmp     xzr, xzr        // sets the carry flag
1:      sub     x2, x2, 1       // leaves the flags alone
        cbnz    x2, 1b
        .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
        str     x\n, [x1, general+8*(\n-3)]
        .endr
        cset    x9, cs
        str     x9, [x1, carry]
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        str     q\n, [x1, 16*\n]
        .endr
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        str     q\n, [x1, 16*\n]
        .endr
        mrs     x9, fpcr
        mrs     x10, fpsr
        add     x11, x1, control
        stp     x9, x10, [x11]
        add     x1, x1, before
        ldp     x9, x10, [x1]
        msr     fpcr, x9
        msr     fpsr, x10
        ldp     d10, d11, [sp, 16]
        ldp     d12, d13, [sp, 32]
        ldp     d14, d15, [sp, 48]
        ldp     d8, d9, [sp], 64
        .cfi_adjust_cfa_offset -64
        ret
        .cfi_endproc
        .size   test_hold_neon, .-test_hold_neon

#endif

        .section .note.GNU-stack, "", %progbits
