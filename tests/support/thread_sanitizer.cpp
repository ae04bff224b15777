// What ThreadSanitizer cannot see.
//
// one fiber                                 another, rethrown the same exception
// ---------                                 ------------------------------------
// catch: reads canceled::code()
// leaves the handler: the count of those
// who hold the object goes down
//                                           leaves its handler: the last one, frees the object
//
// The count orders the two. It is libstdc++'s, whose code is not instrumented, so the free looks like a race with the
// read. A canceled is never written after it was made.
#include <weft/detail/config.hpp>

#if WEFT_TSAN
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:weft::canceled::code\n"; }
#endif
