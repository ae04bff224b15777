// A WebSocket's frames: reading them into messages, writing messages as frames.
//
// Invariants
// 1. What a read has taken from the stream is kept here, so that one that was cancelled can be gone on with.
// 2. A message or a control frame goes out by one write, so several writers do not mix. One that was cut short leaves
//    the stream unusable: exchange::broken.
// 3. Nothing goes out after a close.
//
// Source: RFC 6455.
#pragma once
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/http/exchange.hpp"
#include "weft/http/websocket.hpp"

namespace weft::http::detail {

class frames {
 public:
  frames(exchange& e, std::size_t limit) : exchange_(e), limit_(limit) {}

  result<websocket::message> read(const context* ctx);
  result<void> write(const context* ctx, std::uint8_t opcode, const_bytes data);
  result<void> close(const context* ctx, std::uint16_t code, std::string_view reason);
  std::uint16_t close_code() const noexcept { return close_code_; }

 private:
  struct frame {
    bool last = false;
    std::uint8_t opcode = 0;
    std::uint64_t left = 0;  // of the payload
    std::uint8_t mask[4] = {};
    unsigned turn = 0;  // of the mask
  };
  // True once the header of the next frame has come and makes sense.
  bool take_header();
  void take_payload();
  // The frame is whole. True if that makes a message.
  result<bool> end_frame(const context* ctx);
  result<bool> end_control(const context* ctx);
  std::unexpected<std::error_code> refuse(const context* ctx, std::uint16_t code, std::errc why);

  exchange& exchange_;
  const std::size_t limit_;
  frame now_;
  bool in_frame_ = false;
  std::uint16_t wrong_ = 0;   // the close code of a header that makes no sense
  std::uint8_t message_ = 0;  // the opcode of the message under way; 0: none
  std::string data_, control_;
  std::uint16_t close_code_ = 0;
  std::error_code ended_;  // what further reads give
  std::atomic<bool> closed_{false};
};

// Whole and well-formed.
bool is_utf8(std::string_view) noexcept;
// The answer to a Sec-WebSocket-Key.
std::string accept_key(std::string_view key);

}  // namespace weft::http::detail
