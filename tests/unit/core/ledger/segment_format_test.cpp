#include "core/ledger/segment_format.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/ledger/crc32c.hpp"

namespace aim::ledger {
namespace {

Record Sample(std::string json) {
    Record record;
    record.kind = Record::Kind::kHistory;
    record.id = *Uuid::Parse("0199b1c2-0000-7000-8000-000000000001");
    record.model = *Uuid::Parse("a3bb189e-8bf9-4c3a-9f1e-2b8d1c6f4e5a");
    record.counts = true;
    record.response_time = std::chrono::microseconds(123456);
    record.json = std::move(json);
    return record;
}

std::string Encoded(const std::string& json, std::uint64_t sequence) {
    std::string bytes(format::FrameBytes(json.size()), '\0');
    format::EncodeFrame(Sample(json), sequence, WallTime(std::chrono::microseconds(77)),
                        bytes.data());
    return bytes;
}

struct Read {
    std::vector<std::string> texts;
    std::size_t end = 0;
    std::size_t gaps = 0;
    bool torn = false;
};

Read ReadAll(std::string_view bytes) {
    FrameReader reader(bytes);
    format::Frame frame;
    Read read;
    while (reader.Next(frame)) read.texts.emplace_back(frame.json);
    read.end = reader.end();
    read.gaps = reader.gaps();
    read.torn = reader.torn();
    return read;
}

TEST(SegmentFormat, AFrameComesBackAsItWasWritten) {
    const std::string bytes = Encoded(R"({"a":1})", 41);
    EXPECT_EQ(bytes.size() % format::kAlignment, 0u);
    format::Frame frame;
    ASSERT_EQ(format::DecodeFrame(bytes, frame), format::Decoded::kFrame);
    const Record sample = Sample("");
    EXPECT_EQ(frame.sequence, 41u);
    EXPECT_EQ(frame.bytes, bytes.size());
    EXPECT_EQ(frame.json, R"({"a":1})");
    EXPECT_EQ(frame.record.id, sample.id);
    EXPECT_EQ(frame.record.model, sample.model);
    EXPECT_EQ(frame.record.kind, sample.kind);
    EXPECT_TRUE(frame.record.counts);
    EXPECT_FALSE(frame.record.success);
    EXPECT_EQ(frame.record.response_time, sample.response_time);
    EXPECT_EQ(frame.appended_at.time_since_epoch().count(), 77);
}

// The layout is what an older file has: these bytes never change.
TEST(SegmentFormat, TheLayoutIsWhatTheHeaderSays) {
    const std::string frame = Encoded("{}", 0x0102030405060708);
    EXPECT_EQ(frame.substr(0, 4), "AIMR");
    EXPECT_EQ(frame.substr(4, 4), std::string("\x3a\0\0\0", 4));
    EXPECT_EQ(frame.substr(8, 8), "\x08\x07\x06\x05\x04\x03\x02\x01");
    EXPECT_EQ(frame[24], 1);
    EXPECT_EQ(frame[25], 1);
    EXPECT_EQ(frame.substr(80, 2), "{}");
    EXPECT_EQ(frame.size(), 88u);
    const std::string header = format::EncodeHeader(9);
    EXPECT_EQ(header.size(), 64u);
    EXPECT_EQ(header.substr(0, 8), "AIMLEDG1");
    ASSERT_TRUE(format::DecodeHeader(header));
    EXPECT_EQ(format::DecodeHeader(header)->number, 9u);
    EXPECT_EQ(format::DecodeHeader(header)->version, 1u);
    for (std::size_t i = 0; i < header.size(); ++i) {
        std::string damaged = header;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
        EXPECT_FALSE(format::DecodeHeader(damaged)) << i;
        EXPECT_FALSE(format::DecodeHeader(header.substr(0, i))) << i;
    }
}

TEST(FrameReader, NoChangedByteOfAFrameIsEverDeliveredAndNoNeighbourIsLost) {
    const std::string first = Encoded(R"({"n":1})", 1);
    const std::string second = Encoded(R"({"n":2,"text":"AIMR AIMR"})", 2);
    const std::string third = Encoded(R"({"n":3})", 3);
    for (std::size_t i = 0; i < second.size(); ++i) {
        for (const int flip : {0x01, 0x80, 0xff}) {
            std::string damaged = second;
            damaged[i] = static_cast<char>(damaged[i] ^ flip);
            const Read read = ReadAll(first + damaged + third + std::string(64, '\0'));
            const std::size_t text_end = 24 + 56 + 26;
            if (i >= text_end) {  // padding means nothing
                EXPECT_EQ(read.texts.size(), 3u) << i;
                continue;
            }
            ASSERT_EQ(read.texts.size(), 2u) << i;
            EXPECT_EQ(read.texts[0], R"({"n":1})");
            EXPECT_EQ(read.texts[1], R"({"n":3})");
            EXPECT_EQ(read.gaps, 1u);
            EXPECT_FALSE(read.torn);
        }
    }
}

TEST(FrameReader, ATailThatWasCutAnywhereEndsAtTheLastWholeFrame) {
    const std::string first = Encoded(R"({"n":1})", 1);
    const std::string second = Encoded(R"({"n":22222})", 2);
    const std::string whole = first + second;
    const std::size_t needed = first.size() + 24 + 56 + 11;
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        for (const bool padded : {false, true}) {
            std::string bytes = whole.substr(0, cut);
            if (padded) bytes.resize(whole.size() + 200, '\0');
            const Read read = ReadAll(bytes);
            const std::size_t frames = (padded ? cut >= needed : cut >= whole.size())          ? 2
                                       : cut >= first.size() || (padded && cut >= 24 + 56 + 7) ? 1
                                                                                               : 0;
            ASSERT_EQ(read.texts.size(), frames) << cut << padded;
            EXPECT_EQ(read.end, frames == 2 ? whole.size() : frames == 1 ? first.size() : 0u);
            const bool more = bytes.find_first_not_of('\0', read.end) != std::string::npos;
            EXPECT_EQ(read.torn, more) << cut << padded;
        }
    }
}

TEST(FrameReader, NothingAtAllIsNotDamage) {
    for (const std::size_t size : {0u, 1u, 23u, 24u, 4096u}) {
        const Read read = ReadAll(std::string(size, '\0'));
        EXPECT_TRUE(read.texts.empty());
        EXPECT_EQ(read.gaps, 0u);
        EXPECT_FALSE(read.torn);
    }
}

TEST(FrameReader, AnImpossibleSizeWithARightCheckIsDamage) {
    for (const std::uint32_t size : {0u, 55u, 5u << 20, 0xffffffffu}) {
        std::string bytes = Encoded("{}", 1);
        std::memcpy(bytes.data() + 4, &size, sizeof size);
        const std::uint32_t crc = Crc32c(std::string_view(bytes).substr(0, 20));
        std::memcpy(bytes.data() + 20, &crc, sizeof crc);
        format::Frame frame;
        EXPECT_EQ(format::DecodeFrame(bytes, frame), format::Decoded::kNoFrame) << size;
    }
}

}  // namespace
}  // namespace aim::ledger
