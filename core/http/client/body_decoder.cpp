#include "core/http/client/body_decoder.hpp"

#include <algorithm>
#include <cstring>

namespace aim::http::client {
namespace {

constexpr std::size_t kLongestSizeLine = 4 * 1024;  // with extensions, which are ignored
constexpr std::size_t kMostTrailerBytes = 16 * 1024;
constexpr std::uint64_t kLargestChunk = std::uint64_t{1} << 56;

int HexValue(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

void BodyDecoder::Start(const BodyFraming& framing) {
    *this = BodyDecoder();
    switch (framing.kind) {
        case BodyFraming::Kind::kNone:
            state_ = State::kDone;
            break;
        case BodyFraming::Kind::kLength:
            state_ = State::kLength;
            left_ = framing.length;
            break;
        case BodyFraming::Kind::kChunked:
            state_ = State::kChunkSize;
            break;
        case BodyFraming::Kind::kUntilClose:
            state_ = State::kUntilClose;
            break;
    }
}

void BodyDecoder::Fail(const char* problem) {
    state_ = State::kFailed;
    problem_ = problem;
}

bool BodyDecoder::Finish() {
    if (state_ == State::kUntilClose) state_ = State::kDone;
    return state_ == State::kDone;
}

BodyDecoder::Step BodyDecoder::Decode(std::span<char> input) {
    Step step;
    std::size_t data_begin = 0;
    std::size_t data_size = 0;
    std::size_t at = 0;
    while (at < input.size() && state_ != State::kDone && state_ != State::kFailed) {
        if (state_ != State::kLength && state_ != State::kUntilClose &&
            state_ != State::kChunkData) {
            StepFraming(input[at++]);
            continue;
        }
        std::size_t piece = input.size() - at;
        if (state_ != State::kUntilClose) {
            piece = static_cast<std::size_t>(std::min<std::uint64_t>(piece, left_));
            left_ -= piece;
        }
        if (data_size == 0) {
            data_begin = at;
        } else {
            std::memmove(input.data() + data_begin + data_size, input.data() + at, piece);
        }
        data_size += piece;
        at += piece;
        if (left_ == 0 && state_ == State::kLength) state_ = State::kDone;
        if (left_ == 0 && state_ == State::kChunkData) state_ = State::kChunkDataCr;
    }
    step.consumed = at;
    step.data = input.subspan(data_begin, data_size);
    return step;
}

// One byte that is not data.
void BodyDecoder::StepFraming(char c) {
    switch (state_) {
        case State::kChunkSize: {
            if (++line_bytes_ > kLongestSizeLine) return Fail("chunk size line too long");
            const int digit = HexValue(c);
            if (digit >= 0) {
                if (left_ >= kLargestChunk) return Fail("chunk too large");
                left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
                digits_ = true;
            } else if (!digits_) {
                return Fail("bad chunk size");
            } else if (c == '\r') {
                state_ = State::kChunkSizeLf;
            } else if (c == ';' || c == ' ' || c == '\t') {
                state_ = State::kChunkExtension;
            } else {
                return Fail("bad chunk size");
            }
            return;
        }
        case State::kChunkExtension:
            if (++line_bytes_ > kLongestSizeLine) return Fail("chunk size line too long");
            if (c == '\n') return Fail("bare line feed in a chunk size line");
            if (c == '\r') state_ = State::kChunkSizeLf;
            return;
        case State::kChunkSizeLf:
            if (c != '\n') return Fail("bad end of a chunk size line");
            line_bytes_ = 0;
            digits_ = false;
            state_ = left_ == 0 ? State::kTrailerStart : State::kChunkData;
            return;
        case State::kChunkDataCr:
            if (c != '\r') return Fail("chunk longer than its size");
            state_ = State::kChunkDataLf;
            return;
        case State::kChunkDataLf:
            if (c != '\n') return Fail("chunk longer than its size");
            state_ = State::kChunkSize;
            return;
        case State::kTrailerStart:
        case State::kTrailerLine:
            if (++line_bytes_ > kMostTrailerBytes) return Fail("trailers too long");
            if (c == '\n') return Fail("bare line feed in the trailers");
            if (c == '\r') {
                state_ = state_ == State::kTrailerStart ? State::kLastLf : State::kTrailerLf;
            } else {
                state_ = State::kTrailerLine;
            }
            return;
        case State::kTrailerLf:
            if (c != '\n') return Fail("bad end of a trailer");
            state_ = State::kTrailerStart;
            return;
        case State::kLastLf:
            if (c != '\n') return Fail("bad end of the chunks");
            state_ = State::kDone;
            return;
        default:
            return;
    }
}

}  // namespace aim::http::client
