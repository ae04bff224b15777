// For interruptible_test.cpp: a caller that keeps known values in everything a callee must keep, and a body that
// overwrites it all and never ends. The same names on each CPU:
//   unsigned long weft_test_keep(int (*f)(void*), void* argument)   how many of the values were lost over f(argument);
//                                                                   all ones when f gave 0
//   void weft_test_overwrite(void* counter)                         counts the 64-bit number up, for ever
        .text
        .globl  weft_test_keep, weft_test_overwrite

#if defined(__x86_64__)

        .type   weft_test_keep, @function
        .p2align 4
weft_test_keep:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
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
        subq    $40, %rsp
        .cfi_adjust_cfa_offset 40
        stmxcsr (%rsp)                  // the caller's
        fnstcw  4(%rsp)
        movl    $0x5f80, 8(%rsp)        // all masked, rounding up
        ldmxcsr 8(%rsp)
        movw    $0x0a7f, 12(%rsp)       // all masked, 53 bits, rounding up
        fldcw   12(%rsp)
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    $0x1111, %rbx
        movq    $0x2222, %rbp
        movq    $0x3333, %r12
        movq    $0x4444, %r13
        movq    $0x5555, %r14
        movq    $0x6666, %r15
        call    *%rax
        movl    %eax, %ecx
        xorl    %eax, %eax
        cmpq    $0x1111, %rbx
        je      1f
        incl    %eax
1:      cmpq    $0x2222, %rbp
        je      1f
        incl    %eax
1:      cmpq    $0x3333, %r12
        je      1f
        incl    %eax
1:      cmpq    $0x4444, %r13
        je      1f
        incl    %eax
1:      cmpq    $0x5555, %r14
        je      1f
        incl    %eax
1:      cmpq    $0x6666, %r15
        je      1f
        incl    %eax
1:      stmxcsr 16(%rsp)
        movl    16(%rsp), %edx
        andl    $0xffc0, %edx           // without the sticky flags
        cmpl    $0x5f80, %edx
        je      1f
        incl    %eax
1:      fnstcw  20(%rsp)
        cmpw    $0x0a7f, 20(%rsp)
        je      1f
        incl    %eax
1:      fnstenv -40(%rsp)               // within the red zone's reach; nothing is called any more
        cmpw    $0xffff, -32(%rsp)      // the x87 stack is empty
        je      1f
        incl    %eax
1:      pushfq
        .cfi_adjust_cfa_offset 8
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        testl   $0x400, %edx            // the direction flag is clear
        je      1f
        incl    %eax
1:      testl   %ecx, %ecx
        jne     1f
        movq    $-1, %rax
1:      ldmxcsr (%rsp)
        fninit
        fldcw   4(%rsp)
        cld
        addq    $40, %rsp
        .cfi_adjust_cfa_offset -40
        popq    %r15
        .cfi_adjust_cfa_offset -8
        popq    %r14
        .cfi_adjust_cfa_offset -8
        popq    %r13
        .cfi_adjust_cfa_offset -8
        popq    %r12
        .cfi_adjust_cfa_offset -8
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        ret
        .cfi_endproc
        .size   weft_test_keep, . - weft_test_keep

        .type   weft_test_overwrite, @function
        .p2align 4
weft_test_overwrite:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        subq    $16, %rsp
        .cfi_adjust_cfa_offset 16
        movl    $0x3f80, (%rsp)         // rounding down
        ldmxcsr (%rsp)
        movw    $0x047f, (%rsp)
        fldcw   (%rsp)
        fld1
        fldpi
        std
        movq    $-1, %rbx
        movq    $-2, %rbp
        movq    $-3, %r12
        movq    $-4, %r13
        movq    $-5, %r14
        movq    $-6, %r15
1:      addq    $1, (%rdi)
        jmp     1b
        .cfi_endproc
        .size   weft_test_overwrite, . - weft_test_overwrite

        .section .note.GNU-stack, "", @progbits

#elif defined(__aarch64__)

        .set    SIZE, 192               // x29 x30 | x19 .. x28 | d8 .. d15 | fpcr, 24 unused

        .macro  keep op, value, register
        mov     x10, #\value
        \op     \register, x10
        .endm
        .macro  compare register, value
        mov     x10, #\value
        cmp     \register, x10
        cinc    x0, x0, ne
        .endm
        .macro  compare_d register, value
        fmov    x11, \register
        compare x11, \value
        .endm

        .type   weft_test_keep, %function
        .p2align 4
weft_test_keep:
        .cfi_startproc
        hint    #34
        stp     x29, x30, [sp, #-SIZE]!
        .cfi_def_cfa_offset SIZE
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
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
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mrs     x9, fpcr
        str     x9, [sp, #160]
        mov     x9, #0x400000           // rounding up
        msr     fpcr, x9
        mov     x9, x0
        mov     x0, x1
        keep    mov, 0x1111, x19
        keep    mov, 0x2222, x20
        keep    mov, 0x3333, x21
        keep    mov, 0x4444, x22
        keep    mov, 0x5555, x23
        keep    mov, 0x6666, x24
        keep    mov, 0x7777, x25
        keep    mov, 0x8888, x26
        keep    mov, 0x9999, x27
        keep    mov, 0xaaaa, x28
        keep    mov, 0xbbbb, x29
        keep    fmov, 0x1818, d8
        keep    fmov, 0x1919, d9
        keep    fmov, 0x1a1a, d10
        keep    fmov, 0x1b1b, d11
        keep    fmov, 0x1c1c, d12
        keep    fmov, 0x1d1d, d13
        keep    fmov, 0x1e1e, d14
        keep    fmov, 0x1f1f, d15
        blr     x9
        mov     w9, w0
        mov     x0, #0
        compare x19, 0x1111
        compare x20, 0x2222
        compare x21, 0x3333
        compare x22, 0x4444
        compare x23, 0x5555
        compare x24, 0x6666
        compare x25, 0x7777
        compare x26, 0x8888
        compare x27, 0x9999
        compare x28, 0xaaaa
        compare x29, 0xbbbb
        compare_d d8, 0x1818
        compare_d d9, 0x1919
        compare_d d10, 0x1a1a
        compare_d d11, 0x1b1b
        compare_d d12, 0x1c1c
        compare_d d13, 0x1d1d
        compare_d d14, 0x1e1e
        compare_d d15, 0x1f1f
        mrs     x11, fpcr
        compare x11, 0x400000
        cmp     w9, #0
        mov     x10, #-1
        csel    x0, x10, x0, eq
        ldr     x9, [sp, #160]
        msr     fpcr, x9
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x29, x30, [sp], #SIZE
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc
        .size   weft_test_keep, . - weft_test_keep

        .type   weft_test_overwrite, %function
        .p2align 4
weft_test_overwrite:
        .cfi_startproc
        hint    #34
        stp     x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x9, #0x800000           // rounding down
        msr     fpcr, x9
        mov     x10, #-1
        .irp    r, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
        mov     \r, x10
        .endr
        .irp    r, d8, d9, d10, d11, d12, d13, d14, d15
        fmov    \r, x10
        .endr
1:      ldr     x9, [x0]
        add     x9, x9, #1
        str     x9, [x0]
        b       1b
        .cfi_endproc
        .size   weft_test_overwrite, . - weft_test_overwrite

        .section .note.GNU-stack, "", %progbits
#endif
