#include "services/data_api/records/history_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/time_format.hpp"
#include "core/security/encoding.hpp"
#include "services/data_api/records/field_reader.hpp"
#include "services/data_api/records/text_repair.hpp"

namespace aim::data_api {
namespace {

// Indexed texts stay far below what an index entry can hold.
constexpr std::size_t kUsernameCharacters = 100;
constexpr std::size_t kAttemptsBytes = 64 * 1024;
constexpr std::array<std::string_view, 17> kFields = {"id",
                                                      "request_id",
                                                      "key_id",
                                                      "user_id",
                                                      "user_telegram_id",
                                                      "username",
                                                      "prompt_text",
                                                      "response_text",
                                                      "ai_model_id",
                                                      "model_name",
                                                      "processing_duration_ms",
                                                      "status",
                                                      "error_message",
                                                      "prompt_tokens",
                                                      "completion_tokens",
                                                      "attempts",
                                                      "created_at"};

// "telegram_123456" is the user 123456 of Telegram.
std::optional<std::int64_t> TelegramId(std::string_view user_id) {
    constexpr std::string_view kPrefix = "telegram_";
    if (!user_id.starts_with(kPrefix)) return std::nullopt;
    user_id.remove_prefix(kPrefix.size());
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(user_id.data(), user_id.data() + user_id.size(), id);
    if (error != std::errc() || end != user_id.data() + user_id.size() || user_id.empty())
        return std::nullopt;
    return id;
}

std::optional<std::string> Cut(std::optional<std::string_view> text, std::size_t limit) {
    if (!text) return std::nullopt;
    return CutText(*text, limit);
}

void ReadAttempts(FieldReader& reader, HistoryRow& row) {
    const json::Value attempts = reader.Raw("attempts");
    if (!attempts.exists() || attempts.IsNull()) return;
    if (!attempts.IsArray() && attempts.AsInt64().value_or(-1) < 0) {
        reader.Fail("attempts", "must be a number, 0 or more, or an array");
        return;
    }
    row.attempts = attempts.ToJson();
    if (row.attempts->size() > kAttemptsBytes) row.attempts = std::to_string(attempts.size());
}

}  // namespace

bool IsHistoryStatus(std::string_view status) {
    return status == "success" || status == "error" || status == "timeout" || status == "cancelled";
}

Result<HistoryRow> ReadHistory(json::Value record, const HistoryRules& rules) {
    if (!record.IsObject()) return FailField("", "a history record must be an object");
    FieldReader reader(record);
    HistoryRow row;
    const auto id = reader.Id("id");
    if (rules.id_required) reader.Require("id", id.has_value());
    row.id = id.value_or(Uuid());
    row.request_id = reader.Text("request_id", kIdCharacters);
    row.key_id = reader.Text("key_id", kIdCharacters);
    row.user_id = reader.Text("user_id", kIdCharacters);
    row.user_telegram_id = reader.Integer("user_telegram_id");
    if (!row.user_telegram_id && row.user_id) row.user_telegram_id = TelegramId(*row.user_id);
    row.username = reader.Text("username", kUsernameCharacters);
    const auto prompt = reader.LongText("prompt_text");
    reader.Require("prompt_text", prompt.has_value());
    row.prompt_text = CutText(prompt.value_or(""), rules.text_max);
    row.response_text = Cut(reader.LongText("response_text"), rules.text_max);
    row.ai_model_id = reader.Id("ai_model_id");
    row.model_name = reader.Text("model_name", kIdCharacters);
    row.processing_duration_ms = reader.Count("processing_duration_ms");
    const auto status = reader.LongText("status");
    reader.Require("status", status.has_value());
    row.status = status.value_or("");
    if (!IsHistoryStatus(row.status))
        reader.Fail("status", "must be success, error, timeout or cancelled");
    row.error_message = Cut(reader.LongText("error_message"), rules.text_max);
    row.prompt_tokens = reader.Count("prompt_tokens");
    row.completion_tokens = reader.Count("completion_tokens");
    ReadAttempts(reader, row);
    row.created_at = reader.Time("created_at").value_or(rules.now);
    if (rules.refuse_unknown_fields) reader.RefuseOthers(kFields);
    if (reader.error()) return Unexpected(*reader.error());
    return row;
}

void WriteHistory(json::Writer& writer, const HistoryRow& row) {
    writer.BeginObject();
    writer.Field("id", row.id.ToString())
        .Field("request_id", row.request_id)
        .Field("key_id", row.key_id);
    writer.Field("user_id", row.user_id)
        .Field("user_telegram_id", row.user_telegram_id)
        .Field("username", row.username);
    writer.Field("prompt_text", row.prompt_text).Field("response_text", row.response_text);
    writer.Key("ai_model_id");
    if (row.ai_model_id) {
        writer.String(row.ai_model_id->ToString());
    } else {
        writer.Null();
    }
    writer.Field("model_name", row.model_name)
        .Field("processing_duration_ms", row.processing_duration_ms);
    writer.Field("status", row.status).Field("error_message", row.error_message);
    writer.Field("prompt_tokens", row.prompt_tokens)
        .Field("completion_tokens", row.completion_tokens);
    writer.Key("attempts");
    if (row.attempts) {
        writer.Raw(*row.attempts);
    } else {
        writer.Null();
    }
    writer.Field("created_at", FormatRfc3339(row.created_at));
    writer.EndObject();
}

std::string HistoryCursor::ToString() const {
    return security::Base64UrlEncode(std::to_string(created_at.time_since_epoch().count()) + " " +
                                     id.ToString());
}

std::optional<HistoryCursor> HistoryCursor::Parse(std::string_view text) {
    const auto decoded = security::Base64UrlDecode(text);
    if (!decoded) return std::nullopt;
    const std::size_t space = decoded->find(' ');
    if (space == std::string::npos || space == 0) return std::nullopt;
    std::int64_t micros = 0;
    const auto [end, error] = std::from_chars(decoded->data(), decoded->data() + space, micros);
    const auto id = Uuid::Parse(std::string_view(*decoded).substr(space + 1));
    // Within what a timestamp and its arithmetic can hold.
    constexpr std::int64_t kLimit = 4'000'000'000'000'000;
    if (error != std::errc() || end != decoded->data() + space || !id || micros > kLimit ||
        micros < -kLimit)
        return std::nullopt;
    return HistoryCursor{WallTime(std::chrono::microseconds(micros)), *id};
}

}  // namespace aim::data_api
