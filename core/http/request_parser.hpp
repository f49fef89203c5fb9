#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/request.hpp"

namespace aim::http {

// Reads HTTP/1.x requests from bytes as they come, one after the other, however they are cut.
// Sans-I/O. Stricter than RFC 9112 asks: whatever two parsers could understand differently is
// refused, not repaired (bare LF, folded lines, repeated or oddly written lengths, any transfer
// coding but "chunked"). One connection's thread; keeps no view of the input.
class RequestParser {
  public:
    struct Limits {
        std::size_t head_bytes = 64 * 1024;
        std::size_t header_count = 128;
        std::size_t body_bytes = 32 * 1024 * 1024;
        std::size_t chunk_line_bytes = 1024;
        // All chunk extensions of one body together, and all of its trailers.
        std::size_t chunk_extension_bytes = 8 * 1024;
        std::size_t trailer_bytes = 8 * 1024;
    };

    enum class Status {
        kNeedMore,  // everything was read that can be
        kHead,      // the head is complete, once a request; the body follows
        kComplete,  // the request is whole; what is left of the input belongs to the next one
        kRefused,   // see refusal(); the connection is of no use any more
    };

    // Why a request is refused, as the answer says it. Static text.
    struct Refusal {
        int status = 0;
        std::string_view code;
        std::string_view message;
    };

    explicit RequestParser(const Limits& limits) : limits_(limits) {}

    // Reads from the front of `input` and cuts off what it has consumed. What it leaves at
    // kNeedMore has to be at the front of the next call's input. Fills in method, target, headers
    // and body of `request`, which starts cleared.
    Status Parse(std::string_view& input, Request& request);

    // For the next request of the connection.
    void Reset();

    // Whether a byte of the request has arrived: tells a slow request from an idle connection.
    bool started() const { return stage_ != Stage::kStartLine || head_bytes_ > 0 || scanned_ > 0; }
    bool refused() const { return stage_ == Stage::kRefused; }

    // Valid once the head is complete.
    bool keep_alive() const { return keep_alive_; }
    bool http_1_0() const { return minor_version_ == 0; }
    bool expects_continue() const { return expects_continue_; }
    bool chunked() const { return chunked_; }
    // Of a body with a declared length: what has not arrived yet.
    std::uint64_t body_remaining() const { return chunked_ ? 0 : remaining_; }
    bool body_done() const { return stage_ == Stage::kDone; }

    // Valid after kRefused.
    const Refusal& refusal() const { return refusal_; }

  private:
    enum class Stage {
        kStartLine,
        kHeaders,
        kLengthBody,
        kChunkSize,
        kChunkData,
        kChunkEnd,
        kTrailers,
        kDone,
        kRefused
    };
    enum class Line { kWhole, kPartial, kRefused };

    // Cuts one line with its CRLF off the input. `budget` bounds the line with its end.
    Line TakeLine(std::string_view& input, std::size_t budget, const Refusal& too_long,
                  std::string_view& line);
    Status Refuse(const Refusal& refusal);

    Status ReadHead(std::string_view& input, Request& request);
    bool ReadStartLine(std::string_view line, Request& request);
    bool ReadField(std::string_view line, Request& request);
    bool NoteField(std::string_view name, std::string_view value);
    bool ReadContentLength(std::string_view value);
    bool FinishHead(const Request& request);
    Status ReadBody(std::string_view& input, Request& request);
    bool ReadChunkSize(std::string_view line, const Request& request);
    void TakeBytes(std::string_view& input, Request& request);

    Limits limits_;
    Refusal refusal_;
    Stage stage_ = Stage::kStartLine;
    std::size_t head_bytes_ = 0;
    std::size_t scanned_ = 0;  // of the line that is not complete yet
    std::size_t extension_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
    std::uint64_t remaining_ = 0;  // of the body, or of the chunk
    int minor_version_ = 1;
    int hosts_ = 0;
    bool has_length_ = false;
    bool chunked_ = false;
    bool keep_alive_ = true;
    bool close_asked_ = false;
    bool keep_asked_ = false;
    bool expects_continue_ = false;
};

}  // namespace aim::http
