#pragma once

#include <cstddef>

#include "core/completion/chat_delta.hpp"
#include "core/completion/chat_response.hpp"

namespace aim::completion {

// Puts an answer together from its deltas. Bounded: a provider that names choice or tool call
// number four billion, or sends without end, is refused, not followed.
class DeltaAccumulator {
  public:
    static constexpr std::uint32_t kMaxChoices = 128;
    static constexpr std::uint32_t kMaxToolCalls = 256;

    // `max_bytes` bounds the text that is kept in all.
    explicit DeltaAccumulator(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // False when a bound is passed; what came before stays.
    bool Add(const DeltaBatch& batch);

    const ChatResponse& response() const { return response_; }
    ChatResponse Take() { return std::move(response_); }

  private:
    bool AddOne(const DeltaBatch::Delta& delta);
    Choice* ChoiceAt(std::uint32_t choice);

    std::size_t max_bytes_;
    std::size_t bytes_ = 0;
    ChatResponse response_;
};

}  // namespace aim::completion
