#include "core/ledger/segment_format.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "core/ledger/crc32c.hpp"

namespace aim::ledger {
namespace format {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kMagic = "AIMLEDG1";
constexpr std::string_view kMark = "AIMR";
constexpr std::size_t kHeadCrcAt = 20;
constexpr std::size_t kHeaderCrcAt = 60;
constexpr unsigned char kCounts = 1;
constexpr unsigned char kSuccess = 2;

template <typename Number>
void Put(char* at, Number number) {
    static_assert(std::is_integral_v<Number>);
    std::memcpy(at, &number, sizeof number);
}

template <typename Number>
Number Get(std::string_view bytes, std::size_t at) {
    static_assert(std::is_integral_v<Number>);
    Number number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

Uuid GetUuid(std::string_view bytes, std::size_t at) {
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), bytes.data() + at, raw.size());
    return Uuid(raw);
}

}  // namespace

std::string EncodeHeader(std::uint64_t number) {
    std::string header(kHeaderBytes, '\0');
    std::memcpy(header.data(), kMagic.data(), kMagic.size());
    Put<std::uint32_t>(header.data() + 8, kVersion);
    Put<std::uint32_t>(header.data() + 12, static_cast<std::uint32_t>(kHeaderBytes));
    Put<std::uint64_t>(header.data() + 16, number);
    Put<std::uint32_t>(header.data() + kHeaderCrcAt,
                       Crc32c(std::string_view(header).substr(0, kHeaderCrcAt)));
    return header;
}

std::optional<Header> DecodeHeader(std::string_view bytes) {
    if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
    if (Get<std::uint32_t>(bytes, kHeaderCrcAt) != Crc32c(bytes.substr(0, kHeaderCrcAt)))
        return std::nullopt;
    return Header{Get<std::uint32_t>(bytes, 8), Get<std::uint64_t>(bytes, 16)};
}

void EncodeFrame(const Record& record, std::uint64_t sequence, WallTime appended_at, char* out) {
    char* body = out + kHeadBytes;
    const std::size_t body_bytes = kFixedBodyBytes + record.json.size();
    body[0] = static_cast<char>(record.kind);
    body[1] = static_cast<char>((record.counts ? kCounts : 0) | (record.success ? kSuccess : 0));
    std::memcpy(body + 8, record.id.bytes().data(), 16);
    std::memcpy(body + 24, record.model.bytes().data(), 16);
    Put<std::int64_t>(body + 40, record.response_time.count());
    Put<std::int64_t>(body + 48, appended_at.time_since_epoch().count());
    std::copy(record.json.begin(), record.json.end(), body + kFixedBodyBytes);
    std::memcpy(out, kMark.data(), kMark.size());
    Put<std::uint32_t>(out + 4, static_cast<std::uint32_t>(body_bytes));
    Put<std::uint64_t>(out + 8, sequence);
    Put<std::uint32_t>(out + 16, Crc32c({body, body_bytes}));
    Put<std::uint32_t>(out + kHeadCrcAt, Crc32c({out, kHeadCrcAt}));
}

Decoded DecodeFrame(std::string_view bytes, Frame& frame) {
    if (bytes.size() < kHeadBytes || !bytes.starts_with(kMark)) return Decoded::kNoFrame;
    if (Get<std::uint32_t>(bytes, kHeadCrcAt) != Crc32c(bytes.substr(0, kHeadCrcAt)))
        return Decoded::kNoFrame;
    const std::size_t body_bytes = Get<std::uint32_t>(bytes, 4);
    if (body_bytes < kFixedBodyBytes || body_bytes > kMaxFrameBytes - kHeadBytes)
        return Decoded::kNoFrame;
    frame.bytes = FrameBytes(body_bytes - kFixedBodyBytes);
    frame.sequence = Get<std::uint64_t>(bytes, 8);
    if (bytes.size() < frame.bytes) return Decoded::kNeedMore;
    const std::string_view body = bytes.substr(kHeadBytes, body_bytes);
    const auto kind = static_cast<unsigned char>(body[0]);
    if (Get<std::uint32_t>(bytes, 16) != Crc32c(body) ||
        kind > static_cast<unsigned char>(Record::Kind::kHistory)) {
        return Decoded::kDamagedBody;
    }
    const auto flags = static_cast<unsigned char>(body[1]);
    frame.record.kind = static_cast<Record::Kind>(kind);
    frame.record.counts = (flags & kCounts) != 0;
    frame.record.success = (flags & kSuccess) != 0;
    frame.record.id = GetUuid(body, 8);
    frame.record.model = GetUuid(body, 24);
    frame.record.response_time = std::chrono::microseconds(Get<std::int64_t>(body, 40));
    frame.appended_at = WallTime(std::chrono::microseconds(Get<std::int64_t>(body, 48)));
    frame.json = body.substr(kFixedBodyBytes);
    return Decoded::kFrame;
}

}  // namespace format

bool FrameReader::Next(format::Frame& frame) {
    bool damage = false;
    while (at_ + format::kHeadBytes <= bytes_.size()) {
        switch (format::DecodeFrame(bytes_.substr(at_), frame)) {
            case format::Decoded::kFrame:
                if (damage) ++gaps_;
                at_ += frame.bytes;
                end_ = at_;
                return true;
            case format::Decoded::kDamagedBody:
                damage = true;
                at_ += frame.bytes;
                break;
            case format::Decoded::kNeedMore:
            case format::Decoded::kNoFrame:
                // Zeros are no damage by themselves: behind them may be nothing at all.
                damage = true;
                at_ += format::kAlignment;
                break;
        }
    }
    const std::string_view rest = bytes_.substr(std::min(end_, bytes_.size()));
    torn_ = rest.find_first_not_of('\0') != std::string_view::npos;
    return false;
}

}  // namespace aim::ledger
