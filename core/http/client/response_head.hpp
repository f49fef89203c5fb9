#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/http/header_map.hpp"

namespace aim::http::client {

// How the end of a response's body is known (RFC 9112 section 6.3).
struct BodyFraming {
    enum class Kind { kNone, kLength, kChunked, kUntilClose };
    Kind kind = Kind::kNone;
    std::uint64_t length = 0;
};

// Reads the head of one HTTP/1 response from bytes that arrive in any portions; 1xx answers are
// skipped. Strict: what two parsers could understand differently (folded lines, bare LF, differing
// lengths, a length beside chunks, an unknown transfer coding) is an error.
class ResponseHeadParser {
  public:
    enum class State { kMore, kDone, kFailed };

    // `headers` is cleared here and filled by Parse(); it must live as long as the parser is used.
    // `to_head`: the answer is one to HEAD and has no body whatever it says.
    void Start(HeaderMap& headers, std::size_t max_head_bytes, bool to_head,
               bool to_connect = false);

    // `input` begins where the head does and holds all that has come of it. After kDone, consumed()
    // bytes of it were the head (with the 1xx heads before it).
    State Parse(std::string_view input);

    int status() const { return status_; }
    std::size_t consumed() const { return consumed_; }
    const BodyFraming& framing() const { return framing_; }
    // Whether another request may follow on this connection once the body has been read.
    bool keep_alive() const { return keep_alive_; }
    // After kFailed: what is wrong, without any text of the answer.
    const char* problem() const { return problem_; }

  private:
    State Fail(const char* problem);
    State ParseHead(std::string_view head);
    bool ParseStatusLine(std::string_view line);
    bool ParseField(std::string_view line);
    State ReadFraming();

    HeaderMap* headers_ = nullptr;
    std::size_t max_head_bytes_ = 0;
    std::size_t begin_ = 0;    // of the current head in the input, after skipped ones
    std::size_t scanned_ = 0;  // no end of a head before this
    std::size_t consumed_ = 0;
    int interim_heads_ = 0;
    int status_ = 0;
    bool to_head_ = false;
    bool to_connect_ = false;
    bool http_1_0_ = false;
    bool keep_alive_ = false;
    BodyFraming framing_;
    const char* problem_ = "";
};

}  // namespace aim::http::client
