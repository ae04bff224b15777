# What libweft links: Boost.Context (from 1.74) and jemalloc. Used by weft's own build and, installed, by weftConfig.cmake.
# Looked up by file, since neither Boost nor jemalloc comes with CMake files in every installation.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED GLOBAL)

if(NOT TARGET weft::boost_context)
  find_path(WEFT_BOOST_INCLUDE_DIR boost/context/detail/fcontext.hpp)
  find_library(WEFT_BOOST_CONTEXT_LIBRARY boost_context)
  mark_as_advanced(WEFT_BOOST_INCLUDE_DIR WEFT_BOOST_CONTEXT_LIBRARY)
  if(NOT WEFT_BOOST_INCLUDE_DIR OR NOT WEFT_BOOST_CONTEXT_LIBRARY)
    message(FATAL_ERROR "weft needs Boost.Context (Debian: libboost-context-dev)")
  endif()
  file(STRINGS ${WEFT_BOOST_INCLUDE_DIR}/boost/version.hpp weft_boost_version REGEX "^#define BOOST_VERSION ")
  string(REGEX REPLACE "[^0-9]" "" weft_boost_version "${weft_boost_version}")
  if(weft_boost_version LESS 107400)
    message(FATAL_ERROR "weft needs Boost.Context 1.74 or later, found BOOST_VERSION ${weft_boost_version}")
  endif()
  add_library(weft::boost_context UNKNOWN IMPORTED GLOBAL)
  set_target_properties(weft::boost_context PROPERTIES
    IMPORTED_LOCATION ${WEFT_BOOST_CONTEXT_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${WEFT_BOOST_INCLUDE_DIR})
endif()

if(NOT TARGET weft::jemalloc)
  find_library(WEFT_JEMALLOC_LIBRARY NAMES libjemalloc.so jemalloc)
  mark_as_advanced(WEFT_JEMALLOC_LIBRARY)
  if(NOT WEFT_JEMALLOC_LIBRARY)
    message(FATAL_ERROR "weft needs jemalloc (Debian: libjemalloc-dev)")
  endif()
  add_library(weft::jemalloc UNKNOWN IMPORTED GLOBAL)
  # Named by the program even where it calls no malloc itself: only then is jemalloc's found before libc's.
  set_target_properties(weft::jemalloc PROPERTIES
    IMPORTED_LOCATION ${WEFT_JEMALLOC_LIBRARY}
    INTERFACE_LINK_OPTIONS LINKER:--push-state,--no-as-needed,${WEFT_JEMALLOC_LIBRARY},--pop-state)
endif()
