// What the build decides, and the only macros of the house.
#pragma once

#define WEFT_API [[gnu::visibility("default")]]

#if defined(__SANITIZE_ADDRESS__)
#define WEFT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#ifndef WEFT_ASAN
#define WEFT_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define WEFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEFT_TSAN 1
#endif
#endif
#ifndef WEFT_TSAN
#define WEFT_TSAN 0
#endif

#ifndef WEFT_VALGRIND
#define WEFT_VALGRIND 0
#endif

#ifndef WEFT_CHAOS
#define WEFT_CHAOS 0
#endif

#ifndef WEFT_EXPLORE
#define WEFT_EXPLORE 0
#endif
