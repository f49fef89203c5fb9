// Read-only C++ views of what the host hands to a plugin. They copy nothing and live no longer than
// the call that they were made in. Any thread that may make that call may use them.
#ifndef AIM_SDK_VIEWS_HPP
#define AIM_SDK_VIEWS_HPP

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "aim/abi/aim_abi.h"

namespace aim::sdk {

inline std::string_view View(aim_str text) {
    return text.data == nullptr ? std::string_view()
                                : std::string_view(text.data, static_cast<std::size_t>(text.size));
}
inline std::string_view View(aim_bytes bytes) {
    return bytes.data == nullptr ? std::string_view()
                                 : std::string_view(reinterpret_cast<const char*>(bytes.data),
                                                    static_cast<std::size_t>(bytes.size));
}
constexpr aim_str Str(std::string_view text) { return aim_str{text.data(), text.size()}; }
inline aim_bytes Bytes(std::string_view bytes) {
    return aim_bytes{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

enum class Role : std::int32_t {
    kOther = AIM_ROLE_OTHER,
    kSystem = AIM_ROLE_SYSTEM,
    kDeveloper = AIM_ROLE_DEVELOPER,
    kUser = AIM_ROLE_USER,
    kAssistant = AIM_ROLE_ASSISTANT,
    kTool = AIM_ROLE_TOOL,
};

// How an answer's body ended.
enum class Ending : std::int32_t {
    kComplete = AIM_END_COMPLETE,
    kTruncated = AIM_END_TRUNCATED,
    kTooLarge = AIM_END_TOO_LARGE,
    kMalformed = AIM_END_MALFORMED,
    kNotConnected = AIM_END_NOT_CONNECTED,  // no head came: of a second or later request only
};

// A model row's settings and the settings of the descriptor that are no secrets.
class Config final {
  public:
    explicit Config(const aim_config* raw) : raw_(raw) {}

    // One JSON object, "{}" when the row has no settings.
    std::string_view RowSettings() const {
        const std::string_view text = View(raw_->row_settings);
        return text.empty() ? std::string_view("{}") : text;
    }
    std::optional<std::string_view> Setting(std::string_view name) const {
        aim_str value{nullptr, 0};
        if (!AIM_HAS(raw_, aim_config, setting) || raw_->setting == nullptr ||
            raw_->setting(raw_, Str(name), &value) != AIM_OK) {
            return std::nullopt;
        }
        return View(value);
    }

  private:
    const aim_config* raw_;
};

struct ChatMessage {
    Role role = Role::kOther;
    std::uint32_t flags = 0;  // AIM_MESSAGE_…
    std::string_view text;
    std::string_view tool_call_id;
};

class ChatRequest final {
  public:
    explicit ChatRequest(const aim_chat_request* raw) : raw_(raw) {}

    std::string_view Json() const { return View(raw_->json); }
    std::string_view Model() const { return View(raw_->model); }
    std::string_view Endpoint() const { return View(raw_->endpoint); }
    bool Has(std::uint32_t flag) const { return (raw_->flags & flag) != 0; }
    bool Stream() const { return Has(AIM_CHAT_STREAM); }

    std::optional<std::int64_t> MaxTokens() const {
        return raw_->max_tokens < 0 ? std::nullopt : std::optional(raw_->max_tokens);
    }
    std::optional<double> Temperature() const { return Given(raw_->temperature); }
    std::optional<double> TopP() const { return Given(raw_->top_p); }

    std::uint32_t MessageCount() const { return raw_->message_count; }
    // An empty message of role kOther for an index out of range.
    ChatMessage Message(std::uint32_t i) const {
        const aim_chat_message* message = raw_->message(raw_, i);
        if (message == nullptr) {
            return {};
        }
        return {static_cast<Role>(message->role), message->flags, View(message->text),
                View(message->tool_call_id)};
    }

  private:
    static std::optional<double> Given(double value) {
        return std::isnan(value) ? std::nullopt : std::optional(value);
    }

    const aim_chat_request* raw_;
};

class EmbeddingsRequest final {
  public:
    explicit EmbeddingsRequest(const aim_embeddings_request* raw) : raw_(raw) {}

    std::string_view Json() const { return View(raw_->json); }
    std::string_view Model() const { return View(raw_->model); }
    std::string_view Endpoint() const { return View(raw_->endpoint); }
    // The inputs are arrays of token ids, which stand in the JSON only.
    bool HasTokens() const { return (raw_->flags & AIM_EMBEDDINGS_HAS_TOKENS) != 0; }
    std::optional<std::int64_t> Dimensions() const {
        return raw_->dimensions < 0 ? std::nullopt : std::optional(raw_->dimensions);
    }

    std::uint32_t InputCount() const { return raw_->input_count; }
    // Nullopt for an index out of range and for token ids.
    std::optional<std::string_view> Input(std::uint32_t i) const {
        aim_str text{nullptr, 0};
        if (raw_->input(raw_, i, &text) != AIM_OK) {
            return std::nullopt;
        }
        return View(text);
    }

  private:
    const aim_embeddings_request* raw_;
};

class HttpHead final {
  public:
    explicit HttpHead(const aim_http_head* raw) : raw_(raw) {}

    int Status() const { return static_cast<int>(raw_->status); }
    bool Ok() const { return raw_->status >= 200 && raw_->status < 300; }

    std::optional<std::string_view> Find(std::string_view name) const {
        aim_str value{nullptr, 0};
        if (raw_->find(raw_, Str(name), &value) != AIM_OK) {
            return std::nullopt;
        }
        return View(value);
    }
    // Calls visit(name, value) for every header in the order of arrival.
    template <typename Visitor>
    void ForEach(Visitor&& visit) const {
        for (std::uint32_t i = 0; i < raw_->header_count; ++i) {
            aim_str name{nullptr, 0};
            aim_str value{nullptr, 0};
            if (raw_->header(raw_, i, &name, &value) == AIM_OK) {
                visit(View(name), View(value));
            }
        }
    }

  private:
    const aim_http_head* raw_;
};

// One piece of a body, cut by the framing that the request asked for.
class HttpData final {
  public:
    explicit HttpData(const aim_http_data* raw) : raw_(raw) {}

    std::string_view Bytes() const { return View(raw_->bytes); }
    std::string_view Event() const { return View(raw_->event); }
    std::string_view Id() const { return View(raw_->id); }

  private:
    const aim_http_data* raw_;
};

}  // namespace aim::sdk

#endif  // AIM_SDK_VIEWS_HPP
