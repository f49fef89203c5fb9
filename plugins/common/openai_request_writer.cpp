#include "plugins/common/openai_request_writer.hpp"

#include <algorithm>
#include <optional>

namespace aim::openai {
namespace {

using sdk::JsonValue;

constexpr std::string_view kMaxTokens = "max_tokens";
constexpr std::string_view kMaxCompletionTokens = "max_completion_tokens";

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

class RequestRewriter final {
  public:
    RequestRewriter(const RequestPolicy& policy, std::string& out) : policy_(policy), out_(out) {}

    void Write(JsonValue request) {
        has_completion_limit_ = request[kMaxCompletionTokens].IsNumber();
        ObjectWriter object(out_);
        for (const JsonValue member : request) {
            TopLevel(object, member);
        }
        object.Close();
    }

  private:
    void TopLevel(ObjectWriter& object, JsonValue member) {
        const std::string_view name = member.Key();
        if (IsLeftOut(name)) {
            return;
        }
        if (name == kMaxTokens || name == kMaxCompletionTokens) {
            TokenLimit(object, member, name);
        } else if (name == "messages" && member.IsArray()) {
            Messages(object, member);
        } else if (const ValueRule* rule = FindRule(name, member)) {
            if (!rule->to.empty()) {
                sdk::AppendJsonString(object.Named(name), rule->to);
            }
        } else {
            object.Member(member.RawMember());
        }
    }

    bool IsLeftOut(std::string_view name) const {
        const std::string_view* end = policy_.left_out + policy_.left_out_count;
        return std::find(policy_.left_out, end, name) != end;
    }

    const ValueRule* FindRule(std::string_view name, JsonValue member) const {
        for (std::size_t i = 0; i < policy_.value_count; ++i) {
            const ValueRule& rule = policy_.values[i];
            if (rule.field == name && member.IsString() && member.Text() == rule.from) {
                return &rule;
            }
        }
        return nullptr;
    }

    // When both names are given, the newer one counts.
    void TokenLimit(ObjectWriter& object, JsonValue member, std::string_view name) {
        if (policy_.token_limit == TokenLimitField::kAsGiven) {
            object.Member(member.RawMember());
            return;
        }
        const bool shadowed = name == kMaxTokens && has_completion_limit_;
        if (shadowed || !member.IsNumber()) {
            return;
        }
        object.Named(policy_.token_limit == TokenLimitField::kMaxTokens ? kMaxTokens
                                                                        : kMaxCompletionTokens) +=
            member.Raw();
    }

    bool IsDeveloper(JsonValue member) const {
        return policy_.developer_is_system && member.Key() == "role" &&
               member.Text() == "developer";
    }
    bool IsUnwanted(JsonValue member) const {
        return (policy_.no_nulls_in_messages && member.IsNull()) ||
               (policy_.no_names_in_messages && member.Key() == "name");
    }
    bool NeedsChange(JsonValue message) const {
        if (!message.IsObject()) {
            return false;
        }
        for (const JsonValue member : message) {
            if (IsDeveloper(member) || IsUnwanted(member)) {
                return true;
            }
        }
        return false;
    }

    void Messages(ObjectWriter& object, JsonValue messages) {
        bool change = false;
        for (const JsonValue message : messages) {
            change = change || NeedsChange(message);
        }
        if (!change) {
            object.Member(messages.RawMember());
            return;
        }
        object.Named("messages").push_back('[');
        bool first = true;
        for (const JsonValue message : messages) {
            if (!first) {
                out_.push_back(',');
            }
            first = false;
            if (NeedsChange(message)) {
                Message(message);
            } else {
                out_ += message.Raw();
            }
        }
        out_.push_back(']');
    }

    void Message(JsonValue message) {
        ObjectWriter object(out_);
        for (const JsonValue member : message) {
            if (IsDeveloper(member)) {
                object.Named("role") += "\"system\"";
            } else if (!IsUnwanted(member)) {
                object.Member(member.RawMember());
            }
        }
        object.Close();
    }

    const RequestPolicy& policy_;
    std::string& out_;
    bool has_completion_limit_ = false;
};

}  // namespace

bool WriteRequest(std::string_view canonical, const RequestPolicy& policy, std::string& body,
                  Refusal& refusal) {
    sdk::JsonDocument document;
    // The host has parsed it already; a host that does not keep its word must not crash us.
    if (!document.Parse(canonical) || !document.Root().IsObject()) {
        refusal = {"", "the request is not a JSON object of at most 64 levels"};
        return false;
    }
    const JsonValue request = document.Root();
    const std::optional<std::int64_t> choices = request["n"].Integer();
    if (policy.one_choice_only && choices && *choices != 1) {
        refusal = {"n", "this provider answers with one choice only"};
        return false;
    }
    const JsonValue stop = request["stop"];
    if (policy.max_stops > 0 && stop.IsArray()) {
        std::size_t count = 0;
        for ([[maybe_unused]] const JsonValue item : stop) {
            ++count;
        }
        if (count > policy.max_stops) {
            refusal = {"stop", "this provider takes at most " + std::to_string(policy.max_stops) +
                                   " stop sequences"};
            return false;
        }
    }
    body.clear();
    body.reserve(canonical.size() + 32);
    RequestRewriter(policy, body).Write(request);
    return true;
}

}  // namespace aim::openai
