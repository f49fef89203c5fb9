#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/http/client/response_head.hpp"

namespace aim::http::client {

// Takes the framing off a response's body, in place: the data of the chunks in one read is moved
// together, so that one read of the socket is one piece for the reader. Sans-I/O.
class BodyDecoder {
  public:
    struct Step {
        std::size_t consumed = 0;  // of the input
        std::span<char> data;      // inside the input's first `consumed` bytes
    };

    void Start(const BodyFraming& framing);

    // Reads as much of `input` as belongs to the body; changes its bytes. Call with all that has
    // come, until done() or failed().
    Step Decode(std::span<char> input);

    // The connection's regular end: completes a body that lasts until then. False when the body is
    // cut short by it.
    bool Finish();

    bool done() const { return state_ == State::kDone; }
    bool failed() const { return state_ == State::kFailed; }
    bool until_close() const { return state_ == State::kUntilClose; }
    const char* problem() const { return problem_; }

  private:
    enum class State {
        kLength,
        kUntilClose,
        kChunkSize,
        kChunkExtension,
        kChunkSizeLf,
        kChunkData,
        kChunkDataCr,
        kChunkDataLf,
        kTrailerStart,
        kTrailerLine,
        kTrailerLf,
        kLastLf,
        kDone,
        kFailed
    };

    void Fail(const char* problem);
    void StepFraming(char c);

    State state_ = State::kDone;
    std::uint64_t left_ = 0;      // of the body or of the chunk
    std::size_t line_bytes_ = 0;  // of the chunk's size line, or of all trailers
    bool digits_ = false;
    const char* problem_ = "";
};

}  // namespace aim::http::client
