// Brings the tool calls of one choice into the form that the sink wants, whatever the provider
// sends: whole calls, fragments, no index, ids repeated with every fragment, one index for two
// calls, names that come late, arguments as an object or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aim/sdk/emitter.hpp"
#include "aim/sdk/json.hpp"

namespace aim::openai {

class ToolCallAssembler final {
  public:
    explicit ToolCallAssembler(std::uint32_t choice) : choice_(choice) {}

    // One item of `tool_calls`, of a delta or of a whole message.
    void Take(const sdk::Emitter& out, sdk::JsonValue item);

    // Closes the calls: one that never had arguments gets "{}". False when a call never got a name,
    // which no caller could answer.
    bool Close(const sdk::Emitter& out);

    bool Empty() const { return calls_.empty(); }

  private:
    struct ToolCall {
        std::int64_t provider_index = -1;
        std::string id;
        std::string held_back;  // arguments that came before the name
        std::uint32_t index = 0;
        bool announced = false;
        bool has_arguments = false;
    };

    ToolCall* Find(std::int64_t provider_index, std::string_view id, std::string_view name);

    std::uint32_t choice_;
    std::uint32_t announced_count_ = 0;
    std::vector<ToolCall> calls_;
};

}  // namespace aim::openai
