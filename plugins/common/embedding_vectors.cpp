#include "plugins/common/embedding_vectors.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "plugins/common/single_exchange.hpp"

namespace aim::native {
namespace {

using sdk::ErrorKind;
using sdk::JsonValue;
using sdk::Step;

int ValueOf(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Floats in four bytes each, the lowest first; a rest that is no float is refused.
bool ReadBase64(std::string_view text, std::vector<float>& vector) {
    while (!text.empty() && text.back() == '=') {
        text.remove_suffix(1);
    }
    vector.reserve(text.size() * 3 / 16);
    std::uint32_t bits = 0;
    int held = 0;  // bits that were not used yet
    std::array<std::uint32_t, 4> bytes{};
    std::size_t filled = 0;
    for (const char c : text) {
        const int value = ValueOf(c);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held < 8) {
            continue;
        }
        held -= 8;
        bytes[filled++] = bits >> held & 0xFF;
        if (filled == bytes.size()) {
            filled = 0;
            vector.push_back(
                std::bit_cast<float>(bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24));
        }
    }
    return filled == 0;
}

}  // namespace

bool ReadVector(JsonValue value, std::vector<float>& vector) {
    vector.clear();
    if (value.IsString()) {
        if (!ReadBase64(value.Text(), vector)) {
            return false;
        }
    } else if (value.IsArray()) {
        for (const JsonValue item : value) {
            const std::optional<double> number = item.Number();
            if (!number) {
                return false;
            }
            vector.push_back(static_cast<float>(*number));
        }
    }
    for (const float number : vector) {
        if (!std::isfinite(number)) {
            return false;
        }
    }
    return !vector.empty();
}

bool EmbeddingVectors::Take(const sdk::Call& call, std::uint64_t index, JsonValue value) {
    if (index >= vectors_.size() || !vectors_[index].empty()) {
        FailProtocol(call, "the provider sent a vector for no input, or twice", "bad_index");
        return false;
    }
    std::vector<float>& vector = vectors_[index];
    if (!ReadVector(value, vector) || (length_ != 0 && vector.size() != length_)) {
        FailProtocol(call, "the provider sent what is no vector", "bad_vector");
        return false;
    }
    length_ = vector.size();
    return true;
}

Step EmbeddingVectors::Conclude(const sdk::Call& call) const {
    for (const std::vector<float>& vector : vectors_) {
        if (vector.empty()) {
            return FailProtocol(call, "the provider sent fewer vectors than inputs", "too_few");
        }
    }
    // Some leave the field out of account in silence; then nothing would fit the caller's index.
    if (dimensions_ >= 0 && length_ != static_cast<std::uint64_t>(dimensions_)) {
        return call.Fail({ErrorKind::kUnsupported,
                          "the model's vectors cannot have that number of dimensions",
                          "unsupported", "dimensions"});
    }
    std::uint32_t index = 0;
    for (const std::vector<float>& vector : vectors_) {
        if (!sdk::EmitEmbedding(call.out, index++, vector.data(), vector.size())) {
            return call.Fail({ErrorKind::kUnsupported, "the host takes no vectors", {}, {}});
        }
    }
    return Step::kDone;
}

}  // namespace aim::native
