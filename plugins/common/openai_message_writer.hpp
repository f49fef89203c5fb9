// The messages of a request as one provider accepts them. Part of the request writer.
#pragma once

#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"
#include "plugins/common/openai_request_writer.hpp"

namespace aim::openai {

// Writes the members of one object, with the commas between them.
class ObjectWriter final {
  public:
    explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }

    void Member(std::string_view raw) {
        Separate();
        out_ += raw;
    }
    // `name` is a literal that needs no escaping.
    std::string& Named(std::string_view name) {
        Separate();
        out_.push_back('"');
        out_ += name;
        out_ += "\":";
        return out_;
    }
    void Close() { out_.push_back('}'); }

  private:
    void Separate() {
        if (!first_) {
            out_.push_back(',');
        }
        first_ = false;
    }

    std::string& out_;
    bool first_ = true;
};

class MessageWriter final {
  public:
    MessageWriter(const RequestPolicy& policy, bool omit_earlier_reasoning, std::string& out)
        : policy_(policy),
          reasoning_(omit_earlier_reasoning ? EarlierReasoning::kLeftOut
                                            : policy.earlier_reasoning),
          out_(out) {}

    // The member `messages` of the request; as it stands when none needs a change.
    void Messages(ObjectWriter& object, sdk::JsonValue messages);

  private:
    bool IsUnwanted(sdk::JsonValue member) const;
    bool NeedsChange(sdk::JsonValue message) const;
    bool MemberNeedsChange(sdk::JsonValue member) const;
    void Message(sdk::JsonValue message);
    void Member(ObjectWriter& object, sdk::JsonValue member);
    void ToolCalls(sdk::JsonValue calls);
    void CallId(std::string_view id);

    const RequestPolicy& policy_;
    EarlierReasoning reasoning_;
    std::string& out_;
};

// Nine letters and digits for an id that is not so already, the same for the same id.
std::string NineLetterId(std::string_view id);

}  // namespace aim::openai
