#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/ledger/record.hpp"

namespace aim::ledger {

// The journal's bytes, without files. A segment is
//
//   header, 64 bytes:  magic "AIMLEDG1" | u32 version (1) | u32 header size (64) | u64 number
//                      | zeros | u32 CRC-32C of the 60 bytes before
//   frames, each at a multiple of 8:
//     head, 24 bytes:  u32 mark "AIMR" | u32 body size | u64 sequence | u32 CRC-32C of the body
//                      | u32 CRC-32C of the 20 bytes before
//     body:            u8 kind | u8 flags (1 counts, 2 success) | u16, u32 zero | 16 bytes id
//                      | 16 bytes model | i64 response time in µs | i64 appended at, µs since 1970
//                      | the record's JSON, up to the body's end
//     zeros up to the next multiple of 8
//   zeros to the end: space that was set aside and is not written yet.
//
// Numbers are little-endian. Sequences rise by one from record to record over all segments, so a
// gap says how many records it has swallowed. The head has a check of its own: with it a damaged
// body is stepped over exactly, and looking for the next frame after a damaged head costs no more
// than one pass, whatever the bytes are. No text of a client can pass for a frame: JSON holds no
// raw NUL, and every head has some (sizes are below 16 MiB).
namespace format {

inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kHeadBytes = 24;
inline constexpr std::size_t kFixedBodyBytes = 56;
inline constexpr std::size_t kAlignment = 8;
// The largest frame; anything larger is damage.
inline constexpr std::size_t kMaxFrameBytes = 4u * 1024 * 1024;
inline constexpr std::uint32_t kVersion = 1;

// The bytes that a record with this much JSON takes in a segment.
constexpr std::size_t FrameBytes(std::size_t json_bytes) {
    return (kHeadBytes + kFixedBodyBytes + json_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::string EncodeHeader(std::uint64_t number);

struct Header {
    std::uint32_t version = 0;
    std::uint64_t number = 0;
};
// nullopt: it is damaged, or no segment.
std::optional<Header> DecodeHeader(std::string_view bytes);

// Writes the frame into `out`, which has FrameBytes(record.json.size()) bytes that are zero.
void EncodeFrame(const Record& record, std::uint64_t sequence, WallTime appended_at, char* out);

struct Frame {
    std::uint64_t sequence = 0;
    std::size_t bytes = 0;  // in the segment
    WallTime appended_at{};
    std::string_view json;  // borrowed from the input
    Record record;          // without its json
};

enum class Decoded {
    kFrame,
    kNeedMore,     // the input ends within a frame whose head is whole
    kDamagedBody,  // the head is whole: `frame.bytes` and `frame.sequence` are true
    kNoFrame,      // zeros, or damage
};
Decoded DecodeFrame(std::string_view bytes, Frame& frame);

}  // namespace format

// Walks over the frames of a segment's bytes, behind its header. What is damaged is stepped over,
// never an error: Next() gives every record that is whole. Every input ends in finite time, linear
// in its size. Borrows the bytes.
class FrameReader {
  public:
    explicit FrameReader(std::string_view bytes) : bytes_(bytes) {}

    // False at the end of the frames.
    bool Next(format::Frame& frame);

    // Behind the last whole frame.
    std::size_t end() const { return end_; }
    // Stretches of damage with a whole frame behind them.
    std::size_t gaps() const { return gaps_; }
    // After Next() gave false: bytes other than zero lie behind end(), the rest of a frame that was
    // never finished or has been damaged.
    bool torn() const { return torn_; }

  private:
    std::string_view bytes_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
    std::size_t gaps_ = 0;
    bool torn_ = false;
};

}  // namespace aim::ledger
