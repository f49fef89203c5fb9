#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/uuid.hpp"
#include "core/json/value.hpp"
#include "core/json/writer.hpp"

namespace aim::data_api {

// A row of prompt_history. Texts are clean UTF-8 within their columns' limits.
struct HistoryRow {
    Uuid id;
    std::optional<std::string> request_id;
    std::optional<std::string> key_id;
    std::optional<std::string> user_id;
    std::optional<std::int64_t> user_telegram_id;
    std::optional<std::string> username;
    std::string prompt_text;
    std::optional<std::string> response_text;
    std::optional<Uuid> ai_model_id;
    std::optional<std::string> model_name;
    std::optional<std::int64_t> processing_duration_ms;
    std::string status;
    std::optional<std::string> error_message;
    std::optional<std::int64_t> prompt_tokens;
    std::optional<std::int64_t> completion_tokens;
    std::optional<std::string> attempts;  // JSON: a number, or the attempts themselves
    WallTime created_at{};
};

struct HistoryRules {
    std::size_t text_max = 256 * 1024;
    WallTime now{};  // for a record without a time
    bool refuse_unknown_fields = true;
    bool id_required = false;
};

// Reads one record of POST /prompts/history or of the ledger's history. Long texts are cut, not
// refused; an id that is missing though it may be is left nil for the caller to make.
Result<HistoryRow> ReadHistory(json::Value record, const HistoryRules& rules);

bool IsHistoryStatus(std::string_view status);

void WriteHistory(json::Writer& writer, const HistoryRow& row);

// Where a page of the history ended; the next one goes on behind it, whatever was inserted
// meanwhile.
struct HistoryCursor {
    WallTime created_at{};
    Uuid id;

    std::string ToString() const;
    static std::optional<HistoryCursor> Parse(std::string_view text);
};

}  // namespace aim::data_api
