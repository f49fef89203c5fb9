#include "tests/support/fake_provider/stored_gzip.hpp"

#include <string_view>

namespace aim::testing {
namespace {

std::string LittleEndian(std::uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
    return text;
}

std::string StoredBlock(std::string_view bytes, bool last) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    return std::string(1, last ? '\x01' : '\x00') + LittleEndian(size, 2) +
           LittleEndian(~size & 0xFFFF, 2) + std::string(bytes);
}

}  // namespace

std::string StoredGzip::Begin() const { return std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10); }

std::string StoredGzip::Add(const std::string& bytes) {
    std::uint32_t crc = ~crc_;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
    }
    crc_ = ~crc;
    size_ += static_cast<std::uint32_t>(bytes.size());
    std::string blocks;
    for (std::size_t at = 0; at < bytes.size(); at += 0xFFFF)
        blocks += StoredBlock(std::string_view(bytes).substr(at, 0xFFFF), false);
    return blocks;
}

std::string StoredGzip::End() const {
    return StoredBlock({}, true) + LittleEndian(crc_, 4) + LittleEndian(size_, 4);
}

}  // namespace aim::testing
