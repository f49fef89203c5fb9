#include "services/data_api/handlers/ledger_handler.hpp"

#include "core/json/writer.hpp"
#include "services/data_api/database/ledger_repository.hpp"

namespace aim::data_api {

http::Response LedgerHandler::Apply(const http::Request& request) const {
    if (request.body.size() > LedgerBatch::kMostBytes) {
        return context_.Fail(request, "body_too_large", "A batch of the ledger is at most 4 MiB.");
    }
    const auto body = ReadBody(request, true);
    if (!body) return context_.Fail(request, body.error());
    const auto batch = ReadLedger(body->root(), context_.history_text_max, SystemClock().WallNow());
    if (!batch) return context_.Fail(request, batch.error());
    auto lease = context_.Lease();
    if (!lease) return context_.Fail(request, lease.error());
    auto applied = database::ledger::Apply(*lease, *batch, ThreadRandom());
    if (!applied) return context_.Fail(request, applied.error());

    applied->rejected.insert(applied->rejected.begin(), batch->rejected.begin(),
                             batch->rejected.end());
    counters_.applied.Increment(static_cast<std::uint64_t>(applied->applied));
    counters_.duplicates.Increment(static_cast<std::uint64_t>(applied->duplicates));
    counters_.rejected.Increment(applied->rejected.size());
    for (const Rejected& rejected : applied->rejected) {
        context_.logger.Warning("ledger_record_rejected", "A record of the ledger was rejected",
                                {{telemetry::kRequestIdField, request.request_id},
                                 {"record_id", rejected.id},
                                 {"reason", rejected.reason}});
    }
    std::string answer;
    json::Writer writer(answer);
    writer.BeginObject().Key("models").BeginArray();
    for (const ModelRow& row : applied->models) WriteModel(writer, row);
    writer.EndArray();
    writer.Field("applied", applied->applied).Field("duplicates", applied->duplicates);
    writer.Key("rejected").BeginArray();
    for (const Rejected& rejected : applied->rejected) {
        writer.BeginObject().Key("id");
        if (rejected.id.empty()) {
            writer.Null();
        } else {
            writer.String(rejected.id);
        }
        writer.Field("reason", rejected.reason).EndObject();
    }
    writer.EndArray().EndObject();
    return http::Response::Json(200, std::move(answer));
}

}  // namespace aim::data_api
