#include "services/data_api/handlers/history_handlers.hpp"

#include <charconv>
#include <span>

#include "core/json/writer.hpp"
#include "services/data_api/database/history_repository.hpp"

namespace aim::data_api {
namespace {

constexpr int kMostRows = 200;
// A page ends early rather than grow far beyond this: texts may be long, and the answer is written
// by a handler's thread.
constexpr std::size_t kPageBytes = 8 * 1024 * 1024;

Result<database::history::Query> ReadQuery(const http::Request& request) {
    database::history::Query query;
    const auto value = [&](std::string_view key) -> std::optional<std::string> {
        const std::vector<std::string> values = QueryValues(request.query(), key);
        return values.empty() ? std::nullopt : std::optional(values.front());
    };
    query.user_id = value("user_id");
    query.key_id = value("key_id");
    query.status = value("status");
    if (query.status && !IsHistoryStatus(*query.status))
        return FailField("status", "status must be success, error, timeout or cancelled");
    if (const auto text = value("model_id")) {
        query.model_id = Uuid::Parse(*text);
        if (!query.model_id) return FailField("model_id", "model_id must be a UUID", "invalid_id");
    }
    if (const auto text = value("limit")) {
        const auto [end, error] =
            std::from_chars(text->data(), text->data() + text->size(), query.limit);
        if (error != std::errc() || end != text->data() + text->size() || query.limit < 1 ||
            query.limit > kMostRows) {
            return FailField("limit", "limit must be 1 to 200");
        }
    }
    if (const auto text = value("cursor")) {
        query.after = HistoryCursor::Parse(*text);
        if (!query.after)
            return FailField("cursor", "cursor must be a next_cursor of an earlier page");
    }
    return query;
}

http::Response RowResponse(int status, const HistoryRow& row) {
    std::string body;
    json::Writer writer(body);
    WriteHistory(writer, row);
    return http::Response::Json(status, std::move(body));
}

}  // namespace

http::Response HistoryHandlers::List(const http::Request& request) const {
    auto query = ReadQuery(request);
    if (!query) return context_.Fail(request, query.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const std::size_t wanted = static_cast<std::size_t>(query->limit);
    ++query->limit;  // one more tells whether there is a next page
    const auto rows = database::history::List(*lease, *query);
    if (!rows) return context_.Fail(request, rows.error());
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Key("items").BeginArray();
    std::size_t written = 0;
    while (written < rows->size() && written < wanted && (written == 0 || body.size() < kPageBytes))
        WriteHistory(writer, (*rows)[written++]);
    writer.EndArray().Key("next_cursor");
    if (written < rows->size()) {
        const HistoryRow& last = (*rows)[written - 1];
        writer.String(HistoryCursor{last.created_at, last.id}.ToString());
    } else {
        writer.Null();
    }
    writer.EndObject();
    return http::Response::Json(200, std::move(body));
}

http::Response HistoryHandlers::Store(const http::Request& request) const {
    const auto body = ReadBody(request, true);
    if (!body) return context_.Fail(request, body.error());
    const HistoryRules rules{.text_max = context_.history_text_max, .now = SystemClock().WallNow()};
    auto row = ReadHistory(body->root(), rules);
    if (!row) return context_.Fail(request, row.error());
    if (row->id.IsNil()) row->id = Uuid::MakeV7(rules.now, ThreadRandom());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    const database::Command insert = database::history::InsertCommand(std::span(&*row, 1));
    const auto inserted = lease->Run(std::span(&insert, 1));
    if (!inserted) return context_.Fail(request, inserted.error());
    const auto stored = database::history::Find(*lease, row->id);
    if (!stored) return context_.Fail(request, stored.error());
    return RowResponse(inserted->front().affected() > 0 ? 201 : 200, *stored ? **stored : *row);
}

}  // namespace aim::data_api
