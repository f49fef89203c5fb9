#include "services/data_api/records/ledger_record.hpp"

#include "core/base/error_kind.hpp"
#include "services/data_api/records/field_reader.hpp"
#include "services/data_api/records/model_record.hpp"
#include "services/data_api/records/text_repair.hpp"

namespace aim::data_api {
namespace {

constexpr std::size_t kProviderCharacters = 100;

// What is the caller's fault says nothing about the model (design section 6); for senders that do
// not say `counts`.
bool CountsByKind(std::string_view outcome) {
    const auto kind = ParseErrorKind(outcome);
    return !kind || (*kind != ErrorKind::kInvalidRequest && *kind != ErrorKind::kContentFiltered &&
                     *kind != ErrorKind::kContextTooLong && *kind != ErrorKind::kCancelled);
}

void ReadCost(FieldReader& reader, OutcomeRow& row) {
    const json::Value cost = reader.Raw("cost");
    if (!cost.exists() || cost.IsNull() || cost.StringOr("-").empty()) return;
    const std::string text = cost.IsNumber() ? cost.ToJson() : std::string(cost.StringOr("-"));
    if (IsDecimal(text)) {
        row.cost = text;
    } else {
        reader.Fail("cost", "must be a decimal number such as \"0.000125\"");
    }
}

Result<OutcomeRow> ReadOutcome(json::Value record, WallTime now) {
    if (!record.IsObject()) return FailField("", "an outcome must be an object");
    FieldReader reader(record);
    OutcomeRow row;
    const auto id = reader.Id("id");
    reader.Require("id", id.has_value());
    row.id = id.value_or(Uuid());
    row.request_id = reader.Text("request_id", kIdCharacters);
    const auto model_id = reader.Id("model_id");
    reader.Require("model_id", model_id.has_value());
    row.model_id = model_id.value_or(Uuid());
    row.provider = reader.Text("provider", kProviderCharacters);
    const auto outcome = reader.LongText("outcome");
    reader.Require("outcome", outcome.has_value());
    row.outcome = outcome.value_or("");
    if (row.outcome != "success" && !ParseErrorKind(row.outcome))
        reader.Fail("outcome", "must be success or an error kind");
    row.counts = reader.Flag("counts").value_or(CountsByKind(row.outcome));
    row.response_time_us = reader.Duration("response_time_ms");
    if (const auto first = reader.Duration("first_content_ms"))
        row.first_content_ms = (*first + 500) / 1000;
    row.prompt_tokens = reader.Count("prompt_tokens");
    row.completion_tokens = reader.Count("completion_tokens");
    ReadCost(reader, row);
    const std::string_view source = reader.LongText("source").value_or("prompt");
    if (source != "prompt" && source != "probe") reader.Fail("source", "must be prompt or probe");
    row.probe = source == "probe";
    row.occurred_at = reader.Time("occurred_at").value_or(now);
    if (reader.error()) return Unexpected(*reader.error());
    return row;
}

Rejected Reject(json::Value record, const Error& error) {
    return {std::string(FirstCharacters(record.Get("id").StringOr(""), kIdCharacters)),
            error.message};
}

}  // namespace

Result<LedgerBatch> ReadLedger(json::Value body, std::size_t text_max, WallTime now) {
    if (!body.IsObject()) return FailField("", "the body must be an object");
    const json::Value outcomes = body.Get("outcomes");
    const json::Value history = body.Get("history");
    const auto is_list = [](json::Value list) {
        return !list.exists() || list.IsNull() || list.IsArray();
    };
    if (!is_list(outcomes)) return FailField("outcomes", "outcomes must be an array");
    if (!is_list(history)) return FailField("history", "history must be an array");
    if (outcomes.size() + history.size() > LedgerBatch::kMostRecords) {
        return FailField(
            outcomes.size() > LedgerBatch::kMostRecords ? "outcomes" : "history",
            "a batch holds at most " + std::to_string(LedgerBatch::kMostRecords) + " records");
    }
    LedgerBatch batch;
    for (const auto& [key, record] : outcomes) {
        if (auto row = ReadOutcome(record, now)) {
            batch.outcomes.push_back(std::move(*row));
        } else {
            batch.rejected.push_back(Reject(record, row.error()));
        }
    }
    const HistoryRules rules{
        .text_max = text_max, .now = now, .refuse_unknown_fields = false, .id_required = true};
    for (const auto& [key, record] : history) {
        if (auto row = ReadHistory(record, rules)) {
            batch.history.push_back(std::move(*row));
        } else {
            batch.rejected.push_back(Reject(record, row.error()));
        }
    }
    return batch;
}

}  // namespace aim::data_api
