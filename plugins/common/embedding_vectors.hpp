// Vectors as providers send them: arrays of numbers, or base64 of little-endian floats.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"

namespace aim::native {

// False when the value is neither, is empty, or holds a value that is not finite.
bool ReadVector(sdk::JsonValue value, std::vector<float>& vector);

// Collects the vectors of one request and gives them to the sink once all are there, so that what a
// provider leaves out or sends twice is its own failure and no broken rule of the plugin's.
class EmbeddingVectors final {
  public:
    // `dimensions` is what the caller asked for, -1 = nothing.
    EmbeddingVectors(std::uint32_t input_count, std::int64_t dimensions)
        : vectors_(input_count), dimensions_(dimensions) {}

    // The vector of one input. False after call.Fail().
    bool Take(const sdk::Call& call, std::uint64_t index, sdk::JsonValue value);

    // The last vector was taken: emits all. kDone, or kFailed after call.Fail().
    sdk::Step Conclude(const sdk::Call& call) const;

  private:
    std::vector<std::vector<float>> vectors_;
    std::int64_t dimensions_;
    std::size_t length_ = 0;
};

}  // namespace aim::native
