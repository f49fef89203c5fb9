// Writes a conversation for providers whose two roles take turns: what neighbours of one role say
// becomes one turn, {"role":…,"<content key>":[…]}.
#pragma once

#include <string_view>

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

}  // namespace aim::native
