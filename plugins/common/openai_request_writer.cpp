#include "plugins/common/openai_request_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "plugins/common/openai_message_writer.hpp"

namespace aim::openai {
namespace {

using sdk::JsonValue;

constexpr std::string_view kMaxTokens = "max_tokens";
constexpr std::string_view kMaxCompletionTokens = "max_completion_tokens";

// Meaningful to OpenAI's own platform (accounts, storage, audio, caches), to nobody else.
constexpr std::array<std::string_view, 12> kPlatformFields = {"audio",
                                                              "metadata",
                                                              "modalities",
                                                              "moderation",
                                                              "prediction",
                                                              "prompt_cache_key",
                                                              "prompt_cache_retention",
                                                              "safety_identifier",
                                                              "service_tier",
                                                              "store",
                                                              "verbosity",
                                                              "web_search_options"};

template <typename List, typename Name>
bool Has(const List& list, const Name& name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

class RequestRewriter final {
  public:
    RequestRewriter(const RequestPolicy& policy, const RowSettings& row, std::string& out)
        : policy_(policy),
          row_(row),
          messages_(policy, row.omit_earlier_reasoning, out),
          out_(out) {}

    void Write(JsonValue request) {
        request_ = request;
        has_completion_limit_ = request[kMaxCompletionTokens].IsNumber();
        ObjectWriter object(out_);
        for (const JsonValue member : request) {
            if (!IsLeftOut(member.Key())) {
                TopLevel(object, member);
            }
        }
        if (!row_.extra_body.empty()) {
            sdk::JsonDocument extra;
            extra.Parse(row_.extra_body);
            for (const JsonValue member : extra.Root()) {
                if (!request[member.Key()]) {
                    object.Member(member.RawMember());
                }
            }
        }
        object.Close();
    }

  private:
    bool IsLeftOut(std::string_view name) const {
        if (!policy_.only.empty() && !Has(policy_.only, name)) {
            const bool known_otherwise =
                name == kMaxTokens || name == kMaxCompletionTokens || Renamed(name) != name;
            if (!known_otherwise) {
                return true;
            }
        }
        const bool platform =
            policy_.no_platform_fields && Has(kPlatformFields, name) && !HasValueRules(name);
        return platform || Has(policy_.left_out, name) || Has(row_.omit, name);
    }

    // A field with rules for its values is known to the provider.
    bool HasValueRules(std::string_view name) const {
        return std::any_of(policy_.values.begin(), policy_.values.end(),
                           [&](const ValueRule& rule) { return rule.field == name; });
    }

    std::string_view Renamed(std::string_view name) const {
        for (const NameRule& rule : policy_.names) {
            if (rule.from == name) {
                return rule.to;
            }
        }
        return name;
    }

    void TopLevel(ObjectWriter& object, JsonValue member) {
        const std::string_view name = member.Key();
        if (name == kMaxTokens || name == kMaxCompletionTokens) {
            TokenLimit(object, member, name);
        } else if (name == "messages" && member.IsArray()) {
            messages_.Messages(object, member);
        } else if (name == "tools" && policy_.no_strict_tools && member.IsArray()) {
            Tools(object, member);
        } else if (name == "temperature" && policy_.max_temperature > 0) {
            Temperature(object, member);
        } else if (name == "stop" && policy_.stop_as_array && member.IsString()) {
            object.Named(name).append("[").append(member.Raw()).append("]");
        } else if (policy_.logprobs_as_number &&
                   (name == "logprobs" || (name == "top_logprobs" && member.IsNumber()))) {
            Logprobs(object, member);
        } else if (const ValueRule* rule = FindRule(name, member)) {
            if (!rule->to.empty()) {
                sdk::AppendJsonString(object.Named(name), rule->to);
            }
        } else if (const std::string_view other = Renamed(name); other != name) {
            object.Named(other) += member.Raw();
        } else {
            object.Member(member.RawMember());
        }
    }

    const ValueRule* FindRule(std::string_view name, JsonValue member) const {
        for (const ValueRule& rule : policy_.values) {
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

    void Temperature(ObjectWriter& object, JsonValue member) {
        const std::optional<double> given = member.Number();
        if (!given || *given <= policy_.max_temperature) {
            object.Member(member.RawMember());
            return;
        }
        std::array<char, 32> digits{};
        const auto end =
            std::to_chars(digits.data(), digits.data() + digits.size(), policy_.max_temperature);
        object.Named("temperature").append(digits.data(), end.ptr);
    }

    // {"logprobs":true,"top_logprobs":5} is 5 to who knows no second field.
    void Logprobs(ObjectWriter& object, JsonValue member) {
        if (member.Key() == "logprobs" && member.IsTrue()) {
            const JsonValue count = request_["top_logprobs"];
            object.Named("logprobs") += count.IsNumber() ? count.Raw() : "1";
        }
    }

    void Tools(ObjectWriter& object, JsonValue tools) {
        std::string& out = object.Named("tools");
        out.push_back('[');
        bool first = true;
        for (const JsonValue tool : tools) {
            if (!first) {
                out.push_back(',');
            }
            first = false;
            if (!tool["function"]["strict"]) {
                out += tool.Raw();
                continue;
            }
            ObjectWriter item(out);
            for (const JsonValue member : tool) {
                if (member.Key() != "function") {
                    item.Member(member.RawMember());
                    continue;
                }
                ObjectWriter function(item.Named("function"));
                for (const JsonValue detail : member) {
                    if (detail.Key() != "strict") {
                        function.Member(detail.RawMember());
                    }
                }
                function.Close();
            }
            item.Close();
        }
        out.push_back(']');
    }

    const RequestPolicy& policy_;
    const RowSettings& row_;
    MessageWriter messages_;
    std::string& out_;
    JsonValue request_;
    bool has_completion_limit_ = false;
};

std::size_t CountItems(JsonValue array) {
    std::size_t count = 0;
    for ([[maybe_unused]] const JsonValue item : array) {
        ++count;
    }
    return count;
}

bool HasImageUrl(JsonValue messages) {
    for (const JsonValue message : messages) {
        const JsonValue content = message["content"];
        if (!content.IsArray()) {
            continue;
        }
        for (const JsonValue part : content) {
            const JsonValue image = part["image_url"];
            const std::string_view url = image.IsObject() ? image["url"].Text() : image.Text();
            if (!url.empty() && url.substr(0, 5) != "data:") {
                return true;
            }
        }
    }
    return false;
}

bool HasOtherTools(JsonValue tools) {
    for (const JsonValue tool : tools) {
        if (tool["type"] && tool["type"].Text() != "function") {
            return true;
        }
    }
    return false;
}

// What would be refused with a 400 there, or silently misunderstood, is refused here by name, so
// that another provider can be asked.
bool IsSupported(JsonValue request, const RequestPolicy& policy, Refusal& refusal) {
    const std::optional<std::int64_t> choices = request["n"].Integer();
    const JsonValue stop = request["stop"];
    if (policy.one_choice_only && choices && *choices != 1) {
        refusal = {"n", "this provider answers with one choice only"};
    } else if (policy.max_stops > 0 && stop.IsArray() && CountItems(stop) > policy.max_stops) {
        refusal = {"stop", "this provider takes at most " + std::to_string(policy.max_stops) +
                               " stop sequences"};
    } else if (policy.no_json_schema &&
               request["response_format"]["type"].Text() == "json_schema") {
        refusal = {"response_format", "this provider does not follow a JSON schema"};
    } else if (policy.function_tools_only && HasOtherTools(request["tools"])) {
        refusal = {"tools", "this provider knows no other tools than functions"};
    } else if (policy.images_as_data_only && HasImageUrl(request["messages"])) {
        refusal = {"messages", "this provider takes images as data URIs only"};
    } else {
        return true;
    }
    return false;
}

}  // namespace

bool ReadRowSettings(std::string_view row_settings, RowSettings& settings, Refusal& refusal) {
    sdk::JsonDocument document;
    if (!document.Parse(row_settings) || !document.Root().IsObject()) {
        refusal = {"", "the settings are not a JSON object"};
        return false;
    }
    const JsonValue row = document.Root();
    const JsonValue omit = row["omit"];
    if (omit && !omit.IsArray()) {
        refusal = {"omit", "must be an array of field names"};
        return false;
    }
    for (const JsonValue name : omit) {
        if (!name.IsString() || name.Text() == "model" || name.Text() == "messages") {
            refusal = {"omit", "must name fields of a request other than model and messages"};
            return false;
        }
        settings.omit.emplace_back(name.Text());
    }
    const JsonValue extra = row["extra_body"];
    if (extra && !extra.IsObject()) {
        refusal = {"extra_body", "must be a JSON object"};
        return false;
    }
    settings.extra_body = extra.Raw();
    const JsonValue reasoning = row["omit_earlier_reasoning"];
    if (reasoning && !reasoning.IsBool()) {
        refusal = {"omit_earlier_reasoning", "must be true or false"};
        return false;
    }
    settings.omit_earlier_reasoning = reasoning.IsTrue();
    return true;
}

bool WriteRequest(std::string_view canonical, const RequestPolicy& policy, std::string& body,
                  Refusal& refusal, const RowSettings& row) {
    sdk::JsonDocument document;
    // The host has parsed it already; a host that does not keep its word must not crash us.
    if (!document.Parse(canonical) || !document.Root().IsObject()) {
        refusal = {"", "the request is not a JSON object of at most 64 levels"};
        return false;
    }
    if (!IsSupported(document.Root(), policy, refusal)) {
        return false;
    }
    body.clear();
    body.reserve(canonical.size() + row.extra_body.size() + 32);
    RequestRewriter(policy, row, body).Write(document.Root());
    return true;
}

}  // namespace aim::openai
