// Writes a conversation for providers whose two roles take turns: what neighbours of one role say
// becomes one turn, {"role":…,"<content key>":[…]}.
#pragma once

#include <string_view>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/json_writer.hpp"

namespace aim::native {

// The writer and the texts given must outlive it.
class TurnWriter final {
  public:
    TurnWriter(JsonWriter& writer, std::string_view content_key)
        : writer_(writer), content_key_(content_key) {}

    // What is written next belongs to a turn of this role.
    void Speak(std::string_view role) {
        if (role == role_) {
            return;
        }
        End();
        role_ = role;
        writer_.BeginObject().Key("role").Text(role).Key(content_key_).BeginArray();
    }

    void End() {
        if (!role_.empty()) {
            writer_.EndArray().EndObject();
        }
        role_ = {};
    }

  private:
    JsonWriter& writer_;
    std::string_view content_key_;
    std::string_view role_;
};

// All messages but the system's, as turns. `writer` has WriteUser, WriteAssistant and
// WriteToolResult, each of a message, which speak through `turns`.
template <typename Writer>
void WriteTurns(sdk::JsonValue messages, TurnWriter& turns, Writer& writer) {
    for (const sdk::JsonValue message : messages) {
        switch (SpeakerOf(message)) {
            case Speaker::kSystem:
                break;
            case Speaker::kUser:
                writer.WriteUser(message);
                break;
            case Speaker::kAssistant:
                writer.WriteAssistant(message);
                break;
            case Speaker::kTool:
                writer.WriteToolResult(message);
                break;
        }
    }
    turns.End();
}

}  // namespace aim::native
