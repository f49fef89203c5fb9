#include "services/business_api/handlers/models.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/time_format.hpp"
#include "core/data_client/model_reader.hpp"
#include "core/http/url.hpp"
#include "core/json/writer.hpp"
#include "core/rating/reliability.hpp"

namespace aim::business_api {
namespace {

using routing::Candidate;
using TablePtr = std::shared_ptr<const routing::RoutingTable>;

// How long a page about the last day waits for the database's count before it goes without.
constexpr std::chrono::milliseconds kCountTimeout{2000};

struct Line {
    const Candidate* candidate;
    rating::Counters counters;
    rating::Reliability figures;
};

std::vector<Line> BestFirst(const routing::RoutingTable& table,
                            const routing::ModelStates& states) {
    std::vector<Line> lines;
    lines.reserve(table.candidates().size());
    for (const Candidate& candidate : table.candidates()) {
        const rating::Counters counters = states.Effective(candidate.row->id);
        lines.push_back({&candidate, counters, rating::ComputeReliability(counters)});
    }
    std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
        return rating::Rank::Better(
            {a.figures.reliability_score, a.counters.total_requests, a.candidate->row->name},
            {b.figures.reliability_score, b.counters.total_requests, b.candidate->row->name});
    });
    return lines;
}

void PutTime(json::Writer& writer, std::string_view key, const std::optional<WallTime>& time) {
    if (time) {
        writer.Field(key, FormatRfc3339(*time));
    } else {
        writer.Key(key).Null();
    }
}

// Of now; the row in the table may be older.
std::optional<WallTime> LastCheck(const Candidate& candidate) {
    const WallTime time = candidate.state->last_check;
    if (time == WallTime()) return std::nullopt;
    return time;
}

http::Response ListModels(const pipeline::PipelineShared& shared) {
    const TablePtr table = shared.tables.Get();
    const MonotonicTime now = shared.clock.Now();
    std::string body;
    json::Writer writer(body);
    writer.BeginArray();
    for (const Line& line : BestFirst(*table, shared.states)) {
        const completion::ModelRecord& row = *line.candidate->row;
        writer.BeginObject()
            .Field("id", row.id.ToString())
            .Field("name", row.name)
            .Field("provider", row.provider);
        writer.Key("reliability_score").Decimal(line.figures.reliability_score.ToDouble());
        writer.Field("avg_response_time_ms", line.figures.avg_response_time_ms);
        writer.Key("error_rate_percent").Decimal(line.figures.error_rate_percent.ToDouble());
        writer.Field("total_requests", line.counters.total_requests)
            .Field("is_active", row.is_active);
        PutTime(writer, "last_check_at", LastCheck(*line.candidate));
        writer.Field("state", StateName(*line.candidate, now));
        if (!line.candidate->unavailable_reason.empty())
            writer.Field("state_reason", line.candidate->unavailable_reason);
        writer.Field("played_by_mock", line.candidate->played_by_mock).EndObject();
    }
    writer.EndArray();
    return http::Response::Json(200, std::move(body));
}

using DayCounts = std::unordered_map<Uuid, std::int64_t>;

void PutStats(json::Writer& writer, const Line& line, const DayCounts& day) {
    const completion::ModelRecord& row = *line.candidate->row;
    writer.BeginObject()
        .Field("model_id", row.id.ToString())
        .Field("name", row.name)
        .Field("provider", row.provider);
    writer.Field("total_requests", line.counters.total_requests)
        .Field("successful_requests", line.counters.successful_requests)
        .Field("failed_requests", line.counters.failed_requests);
    writer.Key("success_rate").Decimal(line.figures.success_rate.ToDouble());
    writer.Field("avg_response_time_ms", line.figures.avg_response_time_ms);
    writer.Key("reliability_score").Decimal(line.figures.reliability_score.ToDouble());
    const auto count = day.find(row.id);
    if (count == day.end()) {
        writer.Key("last_24h_requests").Null();
    } else {
        writer.Field("last_24h_requests", count->second);
    }
    PutTime(writer, "last_check_at", LastCheck(*line.candidate));
    writer.EndObject();
}

// What only the database knows; empty when it does not say in time.
Task<DayCounts> CountLastDay(LoopServices& services) {
    std::string path = "/api/v1/models?include=last_24h";
    auto body = co_await services.data_api().Get(std::move(path), kCountTimeout);
    DayCounts counts;
    if (!body) co_return counts;
    std::size_t skipped = 0;
    auto models = data_client::ReadModels(*body, skipped);
    if (!models) co_return counts;
    for (const completion::ModelRecord& model : *models) {
        if (model.last_24h_requests) counts.emplace(model.id, *model.last_24h_requests);
    }
    co_return counts;
}

Task<> AnswerStats(http::Exchange& exchange, LoopServices& services,
                   pipeline::PipelineShared& shared) {
    const DayCounts day = co_await CountLastDay(services);
    const TablePtr table = shared.tables.Get();
    std::string body;
    json::Writer writer(body);
    writer.BeginArray();
    for (const Line& line : BestFirst(*table, shared.states)) PutStats(writer, line, day);
    writer.EndArray();
    http::Response response = http::Response::Json(200, std::move(body));
    co_await exchange.writer.Send(std::move(response));
}

Task<> AnswerOneStats(http::Exchange& exchange, LoopServices& services,
                      pipeline::PipelineShared& shared, const http::ErrorWriter& errors) {
    http::ErrorAnswer refusal;
    const auto id = Uuid::Parse(exchange.parameters.Get("id"));
    const TablePtr table = shared.tables.Get();
    const Candidate* candidate = id ? table->FindById(*id) : nullptr;
    if (candidate == nullptr) {
        refusal.code = id ? "not_found" : "invalid_id";
        refusal.message = id ? "There is no model with this id." : "The id is not a UUID.";
        refusal.field = "id";
        http::Response response =
            errors.Write(http::Protocol::kNative, exchange.request.request_id, refusal);
        co_await exchange.writer.Send(std::move(response));
        co_return;
    }
    const DayCounts day = co_await CountLastDay(services);
    const rating::Counters counters = shared.states.Effective(*id);
    std::string body;
    json::Writer writer(body);
    PutStats(writer, {candidate, counters, rating::ComputeReliability(counters)}, day);
    http::Response response = http::Response::Json(200, std::move(body));
    co_await exchange.writer.Send(std::move(response));
}

void PutOpenAiModel(json::Writer& writer, std::string_view id, std::int64_t created,
                    std::string_view owner) {
    writer.BeginObject()
        .Field("id", id)
        .Field("object", "model")
        .Field("created", created)
        .Field("owned_by", owner)
        .EndObject();
}

std::int64_t CreatedAt(const Candidate& candidate) {
    const auto created = candidate.row->created_at.value_or(WallTime{});
    return std::chrono::duration_cast<std::chrono::seconds>(created.time_since_epoch()).count();
}

constexpr std::int64_t kAutoCreated = 1'763'683'200;

http::Response ListOpenAiModels(const pipeline::PipelineShared& shared) {
    const TablePtr table = shared.tables.Get();
    std::string body;
    json::Writer writer(body);
    writer.BeginObject().Field("object", "list").Key("data").BeginArray();
    PutOpenAiModel(writer, "auto", kAutoCreated, "aimanager");
    for (const Line& line : BestFirst(*table, shared.states)) {
        if (line.candidate->availability == routing::Availability::kInactive) continue;
        PutOpenAiModel(writer, line.candidate->row->name, CreatedAt(*line.candidate),
                       line.candidate->row->provider);
    }
    writer.EndArray().EndObject();
    return http::Response::Json(200, std::move(body));
}

http::Response OneOpenAiModel(const pipeline::PipelineShared& shared,
                              const http::ErrorWriter& errors, const http::Request& request,
                              std::string_view name) {
    std::string body;
    json::Writer writer(body);
    const TablePtr table = shared.tables.Get();
    if (name == "auto") {
        PutOpenAiModel(writer, "auto", kAutoCreated, "aimanager");
        return http::Response::Json(200, std::move(body));
    }
    const Candidate* candidate = table->FindByName(name);
    if (candidate == nullptr || candidate->availability == routing::Availability::kInactive) {
        http::ErrorAnswer refusal;
        refusal.code = "model_not_found";
        refusal.message = "There is no active model of this name.";
        refusal.field = "model";
        return errors.Write(http::Protocol::kOpenAi, request.request_id, refusal);
    }
    PutOpenAiModel(writer, candidate->row->name, CreatedAt(*candidate), candidate->row->provider);
    return http::Response::Json(200, std::move(body));
}

}  // namespace

std::string_view StateName(const Candidate& candidate, MonotonicTime now) {
    switch (candidate.availability) {
        case routing::Availability::kInactive:
            return "inactive";
        case routing::Availability::kNoPlugin:
            return "no_plugin";
        case routing::Availability::kNotConfigured:
            return "not_configured";
        case routing::Availability::kAvailable:
            break;
    }
    switch (candidate.state->cooldown.state(now)) {
        case resilience::RestState::kCoolingDown:
            return "cooling_down";
        case resilience::RestState::kParked:
            return "parked";
        case resilience::RestState::kNone:
            break;
    }
    return candidate.state->breaker.state(now) == resilience::BreakerState::kClosed ? "available"
                                                                                    : "open";
}

void AddModelRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                    pipeline::PipelineShared& shared, const http::ErrorWriter& errors) {
    http::RoutePolicy open;
    open.open = true;
    router.Add(
        http::Method::kGet, "/api/v1/models",
        [&shared](const http::Request&, const http::PathParameters&) { return ListModels(shared); },
        open);
    router.AddStream(
        http::Method::kGet, "/api/v1/models/stats",
        [services, &shared](http::Exchange& exchange) {
            return AnswerStats(exchange, *services, shared);
        },
        open);
    router.AddStream(
        http::Method::kGet, "/api/v1/models/{id}/stats",
        [services, &shared, &errors](http::Exchange& exchange) {
            return AnswerOneStats(exchange, *services, shared, errors);
        },
        open);

    http::RoutePolicy openai;
    openai.protocol = http::Protocol::kOpenAi;
    router.Add(
        http::Method::kGet, "/v1/models",
        [&shared](const http::Request&, const http::PathParameters&) {
            return ListOpenAiModels(shared);
        },
        openai);
    router.Add(
        http::Method::kGet, "/v1/models/{id...}",
        [&shared, &errors](const http::Request& request, const http::PathParameters& parameters) {
            return OneOpenAiModel(shared, errors, request, parameters.Get("id"));
        },
        openai);
}

}  // namespace aim::business_api
