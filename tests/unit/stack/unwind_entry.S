// The fiber entry once more, under names of the test's, so that the test can be the main that it calls.
#define WEFT_FIBER_ENTRY test_fiber_entry
#define WEFT_FIBER_MAIN test_fiber_main

#if defined(__x86_64__)
#include "arch/x86_64/fiber_entry.S"
#elif defined(__aarch64__)
#include "arch/aarch64/fiber_entry.S"
#endif
