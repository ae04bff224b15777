#pragma once
// The MD5 digest of a file, by OpenSSL, read a chunk at a time: a cancel is heard within one of them.

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <expected>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <weft/weft.hpp>

namespace md5_tree {

using digest = std::array<unsigned char, 16>;

// What call() returned, or its errno. Both are taken inside `blocking`: after it the fiber may be on another thread.
template <std::invocable F>
weft::result<std::size_t> system_call(F call) {
  return weft::blocking([&]() -> weft::result<std::size_t> {
    const auto value = call();
    if (value < 0) return std::unexpected(std::error_code(errno, std::generic_category()));
    return static_cast<std::size_t>(value);
  });
}

class descriptor {
 public:
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { ::close(fd_); }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

// Fetched before main: OpenSSL reads its configuration on the way, which wants more stack than a fiber need have.
inline const EVP_MD* const k_algorithm = EVP_MD_fetch(nullptr, "MD5", nullptr);

class md5 {
 public:
  md5() : state_(EVP_MD_CTX_new()) { check(state_ && EVP_DigestInit_ex(state_.get(), k_algorithm, nullptr)); }

  void add(const void* bytes, std::size_t count) { check(EVP_DigestUpdate(state_.get(), bytes, count)); }

  digest finish() {
    digest sum;
    check(EVP_DigestFinal_ex(state_.get(), sum.data(), nullptr));
    return sum;
  }

 private:
  struct free_state {
    void operator()(EVP_MD_CTX* state) const { EVP_MD_CTX_free(state); }
  };

  static void check(bool went_well) {
    if (!went_well) throw std::runtime_error("OpenSSL cannot compute MD5 here");
  }

  std::unique_ptr<EVP_MD_CTX, free_state> state_;
};

inline weft::result<digest> md5_file(const weft::context& ctx, const std::string& path) {
  constexpr std::size_t k_chunk = 64 << 10;
  const auto opened = system_call([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW); });
  if (!opened) return std::unexpected(opened.error());
  const descriptor file(static_cast<int>(*opened));
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(k_chunk);
  md5 hash;
  while (!ctx.err()) {
    const auto n = system_call([&] { return ::read(file.get(), buffer.get(), k_chunk); });
    if (!n && n.error() == std::errc::interrupted) continue;
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return hash.finish();
    hash.add(buffer.get(), *n);
  }
  return std::unexpected(ctx.err());
}

}  // namespace md5_tree
