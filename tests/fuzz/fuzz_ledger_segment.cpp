// A segment may hold anything: the reader ends, stays inside, and never delivers a record that was
// not written. The input is both the raw bytes of a segment and a recipe for damaging a whole one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include "core/ledger/segment_format.hpp"

namespace {

using aim::ledger::FrameReader;
namespace format = aim::ledger::format;

void Check(bool holds) {
    if (!holds) std::abort();
}

void ReadAnything(std::string_view bytes) {
    FrameReader reader(bytes);
    format::Frame frame;
    std::size_t before = 0;
    while (reader.Next(frame)) {
        Check(reader.end() > before && reader.end() <= bytes.size());
        Check(frame.bytes == format::FrameBytes(frame.json.size()));
        Check(frame.json.data() >= bytes.data() &&
              frame.json.data() + frame.json.size() <= bytes.data() + bytes.size());
        before = reader.end();
    }
    Check(!reader.Next(frame));
    (void)format::DecodeHeader(bytes);
}

// Eight records whose texts come from the input, then stretches of other bytes on top.
void DamageAndRead(const std::uint8_t* data, std::size_t size) {
    std::string segment;
    std::set<std::string> written;
    // JSON has no raw NUL; with one, a text could hold a frame, and damage before it could show it.
    std::string text(reinterpret_cast<const char*>(data), size);
    std::replace(text.begin(), text.end(), '\0', '0');
    for (std::uint64_t sequence = 1; sequence <= 8; ++sequence) {
        aim::ledger::Record record;
        record.json = std::to_string(sequence) + text.substr(0, size / sequence);
        written.insert(record.json);
        std::string frame(format::FrameBytes(record.json.size()), '\0');
        format::EncodeFrame(record, sequence, aim::WallTime(), frame.data());
        segment += frame;
    }
    {
        FrameReader reader(segment);
        format::Frame frame;
        std::size_t whole = 0;
        while (reader.Next(frame)) ++whole;
        Check(whole == 8 && reader.gaps() == 0 && !reader.torn());
    }
    for (std::size_t at = 0; at + 6 <= size; at += 6) {
        std::uint32_t place = 0;
        std::memcpy(&place, data + at, sizeof place);
        const std::size_t length = 1 + data[at + 4] % 64;
        for (std::size_t i = 0; i < length; ++i)
            segment[(place + i) % segment.size()] ^= static_cast<char>(data[at + 5] + i);
    }
    FrameReader reader(segment);
    format::Frame frame;
    std::uint64_t last = 0;
    while (reader.Next(frame)) {
        Check(written.count(std::string(frame.json)) == 1);
        Check(frame.sequence > last);
        last = frame.sequence;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ReadAnything({reinterpret_cast<const char*>(data), size});
    if (size < 2048) DamageAndRead(data, size);
    return 0;
}
