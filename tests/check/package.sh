#!/bin/bash
# package.sh ROOT BUILD: installs BUILD to a temporary prefix and builds and runs a program against it by
# find_package (static and shared) and by pkg-config; then another by add_subdirectory from the sources.
set -eu
root=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# step WHAT COMMAND…: quiet unless it fails.
step() {
  local what=$1
  shift
  if ! "$@" >"$work/log" 2>&1; then
    cat "$work/log"
    echo "failed: $what"
    exit 1
  fi
  echo "ok: $what"
}

# says_hello PROGRAM: runs the program and compares all of its output.
says_hello() {
  local said
  said=$("$1") || return 1
  [[ $said == "hello from a fiber" ]] || { echo "$1 said: $said"; return 1; }
}

# names_jemalloc PROGRAM: it must name jemalloc itself, else libc's malloc is found first.
names_jemalloc() {
  readelf -d "$1" | grep -q 'NEEDED.*libjemalloc'
}

write_project() {
  mkdir -p "$1"
  cat >"$1/hello.cpp" <<'END'
#include <weft/weft.hpp>

#include <cstdio>

int main() {
  return weft::run([] {
    weft::chan<int> c;
    weft::go([c] { c.send(42); });
    if (c.recv() != 42) return 1;
    std::puts("hello from a fiber");
    return 0;
  });
}
END
  echo "int main() {}" >"$1/empty.cpp"
  cat >"$1/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(hello LANGUAGES CXX)
$2
add_executable(hello hello.cpp)
target_link_libraries(hello PRIVATE weft::weft)
add_executable(empty empty.cpp)
target_link_libraries(empty PRIVATE weft::weft)
END
}

# The HTTP server, which is a static library beside either form of weft.
write_http() {
  cat >"$1/web.cpp" <<'END'
#include <weft/http.hpp>
#include <weft/weft.hpp>

#include <cstdio>

int main() {
  return weft::run([] {
    weft::http::server s;
    s.handle("GET /{who}", [](weft::http::request& q, weft::http::response& r) {
      r.text(200, "hello from a " + std::string(q.value("who")));
    });
    auto l = weft::unwrap(weft::net::listen("tcp", "127.0.0.1:0"));
    auto [stop, end] = weft::with_cancel(weft::background());
    auto served = weft::spawn([&] { return s.serve(stop, l); });
    auto c = weft::unwrap(weft::net::dial("tcp", l.local_address().to_string()));
    c.write("GET /fiber HTTP/1.0\r\n\r\n");
    std::string all;
    char some[1000];
    while (auto n = c.read(some).value_or(0)) all.append(some, n);
    std::puts(all.substr(all.find("\r\n\r\n") + 4).c_str());
    end();
    return served.join() ? 0 : 1;
  });
}
END
  cat >>"$1/CMakeLists.txt" <<'END'
add_executable(web web.cpp)
target_link_libraries(web PRIVATE weft::http)
END
}

step "install" cmake --install "$build" --prefix "$work/prefix"

write_project "$work/found" "find_package(weft 0.1 CONFIG REQUIRED)"
has_http=$(find "$work/prefix" -name libweft_http.a)
[[ ! $has_http ]] || write_http "$work/found"
for shared in OFF ON; do
  binary=$work/found/build-$shared
  step "find_package, BUILD_SHARED_LIBS=$shared: configure" cmake -G Ninja -S "$work/found" -B "$binary" \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DBUILD_SHARED_LIBS=$shared
  step "find_package, BUILD_SHARED_LIBS=$shared: build" cmake --build "$binary"
  step "find_package, BUILD_SHARED_LIBS=$shared: run" says_hello "$binary/hello"
  step "find_package, BUILD_SHARED_LIBS=$shared: jemalloc" names_jemalloc "$binary/empty"
  [[ ! $has_http ]] || step "find_package, BUILD_SHARED_LIBS=$shared: HTTP" says_hello "$binary/web"
done
step "the shared library is linked" bash -c "ldd '$work/found/build-ON/hello' | grep -q 'libweft\.so\.0 '"

pc=$(dirname "$(find "$work/prefix" -name weft.pc)")
lib=$(dirname "$pc")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs weft)
# shellcheck disable=SC2086
step "pkg-config: build" g++ "$work/found/hello.cpp" -o "$work/hello" $flags "-Wl,-rpath,$lib"
step "pkg-config: run" says_hello "$work/hello"
if [[ $has_http ]]; then
  http_flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs weft-http)
  # shellcheck disable=SC2086
  step "pkg-config: HTTP: build" g++ "$work/found/web.cpp" -o "$work/web" $http_flags "-Wl,-rpath,$lib"
  step "pkg-config: HTTP: run" says_hello "$work/web"
fi
step "pkg-config: jemalloc" names_jemalloc "$work/hello"
static_flags=$(PKG_CONFIG_PATH=$pc pkg-config --static --cflags --libs weft)
# shellcheck disable=SC2086
step "pkg-config --static: build" g++ "$work/found/hello.cpp" -o "$work/hello_static" ${static_flags//-lweft/-l:libweft.a}
step "pkg-config --static: run" says_hello "$work/hello_static"

write_project "$work/sub" "add_subdirectory(\"$root\" weft)
if(TARGET weft_unit OR TARGET cancel_latency)
  message(FATAL_ERROR \"weft as a part brings its tests and benches along\")
endif()"
launcher=
command -v ccache >/dev/null && launcher=-DCMAKE_CXX_COMPILER_LAUNCHER=ccache
step "add_subdirectory: configure" cmake -G Ninja -S "$work/sub" -B "$work/sub/build" $launcher
step "add_subdirectory: build" cmake --build "$work/sub/build" --target hello
step "add_subdirectory: run" says_hello "$work/sub/build/hello"
