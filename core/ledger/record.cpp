#include "core/ledger/record.hpp"

#include <algorithm>

#include "core/base/error_kind.hpp"
#include "core/base/time_format.hpp"
#include "core/json/writer.hpp"

namespace aim::ledger {
namespace {

using completion::HistoryStatus;

// Names, ids and reasons: no more of any of them is of use to anybody.
constexpr std::size_t kMaxNameBytes = 4096;

std::string_view StatusName(HistoryStatus status) {
    switch (status) {
        case HistoryStatus::kSuccess:
            return "success";
        case HistoryStatus::kError:
            return "error";
        case HistoryStatus::kTimeout:
            return "timeout";
        case HistoryStatus::kCancelled:
            return "cancelled";
    }
    return "error";
}

// A text within its limit: the caller's own when it is, else a shorter copy that says so.
class Cut {
  public:
    Cut(std::string_view text, std::size_t most) : text_(text) {
        if (text.size() <= most) return;
        const std::string mark = "… [cut, " + std::to_string(text.size()) + " bytes]";
        std::size_t end = most > mark.size() ? most - mark.size() : 0;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
        shortened_.assign(text.substr(0, end)).append(mark);
        text_ = shortened_;
    }
    Cut(const Cut&) = delete;
    Cut& operator=(const Cut&) = delete;

    operator std::string_view() const { return text_; }  // NOLINT(google-explicit-constructor)
    std::size_t size() const { return text_.size(); }
    bool empty() const { return text_.empty(); }

  private:
    std::string_view text_;
    std::string shortened_;
};

// A decimal in units of 10^-9; nullopt for anything that is not a plain decimal.
std::optional<std::int64_t> ParseNano(const std::string& text) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    std::int64_t value = 0;
    int decimals = -1;
    for (const char c : text) {
        if (c == '.') {
            if (decimals >= 0) return std::nullopt;
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9') return std::nullopt;
        if (decimals == 9) continue;
        if (value > INT64_MAX / 100) return std::nullopt;
        value = value * 10 + (c - '0');
        if (decimals >= 0) ++decimals;
    }
    for (int i = std::max(decimals, 0); i < 9; ++i) {
        if (value > INT64_MAX / 10) return std::nullopt;
        value *= 10;
    }
    return value;
}

}  // namespace

std::string CostInUsd(std::optional<std::int64_t> prompt_tokens,
                      std::optional<std::int64_t> completion_tokens,
                      const std::string& input_price_per_million,
                      const std::string& output_price_per_million) {
    const auto input = ParseNano(input_price_per_million);
    const auto output = ParseNano(output_price_per_million);
    if (!prompt_tokens || !completion_tokens || !input || !output) return {};
    // 10^-9 USD for 10^6 tokens: a token costs units of 10^-15 USD.
    unsigned __int128 cost =
        static_cast<unsigned __int128>(*prompt_tokens) * static_cast<unsigned __int128>(*input) +
        static_cast<unsigned __int128>(*completion_tokens) *
            static_cast<unsigned __int128>(*output);
    std::string digits;
    for (int i = 0; i < 16 || cost > 0; ++i) {
        if (i == 15) digits.push_back('.');
        digits.push_back(static_cast<char>('0' + static_cast<int>(cost % 10)));
        cost /= 10;
    }
    std::reverse(digits.begin(), digits.end());
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
    return digits;
}

Record MakeRecord(const completion::Outcome& outcome) {
    Record record;
    record.kind = Record::Kind::kOutcome;
    record.id = outcome.id;
    record.counts = outcome.counts;
    record.success = !outcome.error.has_value();
    record.model = outcome.model_id;
    record.response_time = outcome.response_time;
    record.json.reserve(420);
    json::Writer writer(record.json);
    writer.BeginObject()
        .Field("id", outcome.id.Chars())
        .Field("request_id", Cut(outcome.request_id, kMaxNameBytes))
        .Field("model_id", outcome.model_id.Chars())
        .Field("provider", Cut(outcome.provider, kMaxNameBytes))
        .Field("outcome",
               outcome.error ? ErrorKindName(*outcome.error) : std::string_view("success"))
        .Field("counts", outcome.counts);
    // With a fraction: the average is kept in microseconds.
    writer.Key("response_time_ms")
        .Double(static_cast<double>(outcome.response_time.count()) / 1000.0);
    if (outcome.first_content) {
        writer.Field("first_content_ms", outcome.first_content->count());
    } else {
        writer.Key("first_content_ms").Null();
    }
    writer.Field("prompt_tokens", outcome.prompt_tokens)
        .Field("completion_tokens", outcome.completion_tokens);
    if (outcome.cost.empty()) {
        writer.Key("cost").Null();
    } else {
        writer.Field("cost", outcome.cost);
    }
    writer.Field("source", outcome.probe ? "probe" : "prompt")
        .Field("occurred_at", Rfc3339Chars(outcome.occurred_at))
        .EndObject();
    return record;
}

namespace {

void WriteHistory(const completion::HistoryRecord& history, std::size_t text_max,
                  std::string& json) {
    const Cut prompt(history.prompt_text, text_max);
    const Cut response(history.response_text, text_max);
    json.reserve(prompt.size() + response.size() + 640);
    json::Writer writer(json);
    const auto text_or_null = [&](std::string_view key, std::string_view text) {
        if (text.empty()) {
            writer.Key(key).Null();
        } else {
            writer.Field(key, Cut(text, kMaxNameBytes));
        }
    };
    writer.BeginObject()
        .Field("id", history.id.Chars())
        .Field("request_id", Cut(history.request_id, kMaxNameBytes));
    text_or_null("user_id", history.user_id);
    writer.Field("user_telegram_id", history.user_telegram_id);
    text_or_null("username", history.username);
    text_or_null("key_id", history.key_id);
    writer.Field("prompt_text", prompt);
    if (response.empty()) {
        writer.Key("response_text").Null();
    } else {
        writer.Field("response_text", response);
    }
    if (history.model_id) {
        writer.Field("ai_model_id", history.model_id->Chars());
    } else {
        writer.Key("ai_model_id").Null();
    }
    text_or_null("model_name", history.model_name);
    writer.Field("processing_duration_ms", history.duration.count())
        .Field("status", StatusName(history.status));
    text_or_null("error_message", history.error_message);
    writer.Field("prompt_tokens", history.prompt_tokens)
        .Field("completion_tokens", history.completion_tokens)
        .Field("attempts", history.attempts)
        .Field("created_at", Rfc3339Chars(history.created_at))
        .EndObject();
}

}  // namespace

Record MakeRecord(const completion::HistoryRecord& history, std::size_t text_max) {
    Record record;
    record.kind = Record::Kind::kHistory;
    record.id = history.id;
    WriteHistory(history, text_max, record.json);
    // A control character is six bytes of JSON: a text within its limit can still be too much.
    while (record.json.size() > kMaxRecordBytes && text_max > kMaxNameBytes) {
        text_max /= 2;
        record.json.clear();
        WriteHistory(history, text_max, record.json);
    }
    return record;
}

}  // namespace aim::ledger
