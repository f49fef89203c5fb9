#include "core/dialect/openai_embeddings.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>

#include "core/dialect/field_reader.hpp"
#include "core/dialect/native_prompt.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"

namespace aim::dialect {
namespace {

using completion::EmbeddingsRequest;

constexpr std::size_t kMaxInputs = 2048;

// What each attempt sets for itself, what is ours to answer, and the gateway's own members.
constexpr std::array<std::string_view, 5> kOwnEmbeddingsMembers = {
    "model", "encoding_format", "fallback", "user_id", "username"};

Error BadInput(std::string message) { return FailField("input", std::move(message)).value(); }

bool IsTokenArray(json::Value value) {
    if (!value.IsArray() || value.size() == 0) return false;
    for (const auto& [key, id] : value) {
        const auto number = id.AsInt64();
        if (!number || *number < 0) return false;
    }
    return true;
}

std::optional<Error> ReadInput(json::Value input, EmbeddingsRequest& request) {
    if (!input.exists() || input.IsNull()) return BadInput("The field 'input' is required.");
    if (const auto text = input.AsString()) {
        request.texts.emplace_back(*text);
        request.input_count = 1;
        return std::nullopt;
    }
    constexpr const char* kForms =
        "The field 'input' must be a string, an array of strings, an array of token ids, or an "
        "array of such arrays.";
    if (!input.IsArray()) return BadInput(kForms);
    if (input.size() == 0) return BadInput("The field 'input' must not be empty.");
    const json::Value first = input.At(0);
    if (first.IsNumber()) {
        if (!IsTokenArray(input)) return BadInput(kForms);
        request.input_count = 1;
        return std::nullopt;
    }
    if (input.size() > kMaxInputs)
        return BadInput("The field 'input' must hold at most 2048 inputs.");
    const bool texts = first.IsString();
    for (const auto& [key, item] : input) {
        if (texts ? !item.IsString() : !IsTokenArray(item)) return BadInput(kForms);
        if (texts) request.texts.emplace_back(*item.AsString());
    }
    request.input_count = static_cast<std::uint32_t>(input.size());
    return std::nullopt;
}

// The shortest text that reads back as this float.
void AppendFloat(float value, std::string& out) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
}

void AppendBase64(const std::vector<float>& vector, std::string& out) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::uint32_t bits = 0;
    int held = 0;
    std::size_t written = 0;
    const auto put = [&](std::uint32_t index) {
        out.push_back(kAlphabet[index & 63]);
        ++written;
    };
    for (const float value : vector) {
        const auto word = std::bit_cast<std::uint32_t>(value);
        for (int byte = 0; byte < 4; ++byte) {
            bits = bits << 8 | (word >> 8 * byte & 0xFF);
            for (held += 8; held >= 6;) {
                held -= 6;
                put(bits >> held);
            }
        }
    }
    if (held > 0) put(bits << (6 - held));
    for (; written % 4 != 0; ++written) out.push_back('=');
}

}  // namespace

Result<EmbeddingsRequest> ReadEmbeddings(std::string_view body) {
    auto document = json::Parse(body);
    if (!document) return Unexpected(std::move(document.error()));
    const json::Value root = document->root();
    if (!root.IsObject()) return FailField("", "The body must be a JSON object.");

    EmbeddingsRequest request;
    FieldReader fields(root);
    request.model = fields.Text("model").value_or("");
    request.fallback = fields.Bool("fallback").value_or(true);
    request.username = fields.Text("username").value_or("");
    const auto user_id = fields.Text("user_id");
    const auto user = fields.Text("user");
    request.user_id = user_id ? *user_id : user.value_or("");
    request.dimensions = fields.Integer("dimensions", 1, 65'536).value_or(-1);
    const std::string format = fields.Text("encoding_format").value_or("float");
    if (fields.error()) return Unexpected(*fields.error());
    if (format != "float" && format != "base64")
        return FailField("encoding_format",
                         "The field 'encoding_format' must be 'float' or 'base64'.");
    request.base64 = format == "base64";
    if (auto error = ReadInput(root.Get("input"), request)) return Unexpected(std::move(*error));
    if (request.model == "auto") request.model.clear();
    request.user_telegram_id = TelegramId(request.user_id);

    for (const json::Member& member : document->members()) {
        const bool own = std::any_of(kOwnEmbeddingsMembers.begin(), kOwnEmbeddingsMembers.end(),
                                     [&](std::string_view name) { return member.KeyIs(name); });
        if (own) continue;
        if (!request.members.empty()) request.members.push_back(',');
        request.members.append(body.substr(member.begin, member.end - member.begin));
    }
    return request;
}

std::string WriteEmbeddings(const std::vector<std::vector<float>>& vectors,
                            const completion::Usage& usage, std::string_view model, bool base64) {
    std::string out;
    if (!vectors.empty())
        out.reserve(128 + vectors.size() * (64 + vectors.front().size() * (base64 ? 6 : 13)));
    out.append("{\"object\":\"list\",\"data\":[");
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        if (i > 0) out.push_back(',');
        out.append("{\"object\":\"embedding\",\"index\":")
            .append(std::to_string(i))
            .append(",\"embedding\":");
        if (base64) {
            out.push_back('"');
            AppendBase64(vectors[i], out);
            out.push_back('"');
        } else {
            char separator = '[';
            for (const float value : vectors[i]) {
                out.push_back(separator);
                AppendFloat(value, out);
                separator = ',';
            }
            out.push_back(']');
        }
        out.push_back('}');
    }
    out.append("],\"model\":");
    json::AppendQuoted(model, out);
    if (!usage.empty()) {
        // Of a provider that counts only one of the two the other is the same.
        const auto prompt = usage.prompt_tokens ? usage.prompt_tokens : usage.total_tokens;
        const auto total = usage.total_tokens ? usage.total_tokens : usage.prompt_tokens;
        if (prompt) {
            out.append(",\"usage\":{\"prompt_tokens\":")
                .append(std::to_string(*prompt))
                .append(",\"total_tokens\":")
                .append(std::to_string(*total))
                .append("}");
        }
    }
    out.push_back('}');
    return out;
}

}  // namespace aim::dialect
