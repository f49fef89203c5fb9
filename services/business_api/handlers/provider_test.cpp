#include "services/business_api/handlers/provider_test.hpp"

#include <algorithm>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "core/pipeline/conclusion.hpp"
#include "core/probe/prober.hpp"
#include "services/business_api/handlers/models.hpp"

namespace aim::business_api {
namespace {

using probe::ProbeResult;
using routing::Candidate;
using Verdict = ProbeResult::Verdict;

constexpr std::size_t kMostAtOnce = 16;
constexpr std::size_t kMostNames = 100;
constexpr std::size_t kMostModels = 500;
constexpr std::size_t kLongestName = 100;
constexpr const char* kField = "providers";

// One of the kMostProviderTests places, held until the answer is made.
class Place {
  public:
    explicit Place(std::atomic<int>& under_way) : under_way_(under_way) {
        taken_ = under_way_.fetch_add(1, std::memory_order_relaxed) < kMostProviderTests;
    }
    ~Place() { under_way_.fetch_sub(1, std::memory_order_relaxed); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool taken() const { return taken_; }

  private:
    std::atomic<int>& under_way_;
    bool taken_;
};

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

std::string WriteResults(const std::vector<ProbeResult>& results, MonotonicTime now) {
    std::string body;
    json::Writer writer(body);
    std::size_t tested = 0;
    std::size_t succeeded = 0;
    writer.BeginObject().Key("results").BeginArray();
    for (const ProbeResult& result : results) {
        const bool success = result.verdict == Verdict::kAnswered;
        const bool asked = success || result.verdict == Verdict::kFailed;
        tested += asked ? 1 : 0;
        succeeded += success ? 1 : 0;
        const completion::ModelRecord& row = *result.candidate->row;
        writer.BeginObject()
            .Field("provider", row.provider)
            .Field("model", row.name)
            .Field("success", success);
        if (asked) {
            writer.Field("response_time_ms", result.duration.count());
        } else {
            writer.Key("response_time_ms").Null();
        }
        if (success) {
            writer.Key("error").Null();
        } else {
            writer.Field("error", result.reason);
        }
        writer.Field("state", StateName(*result.candidate, now)).EndObject();
    }
    writer.EndArray().Field("tested", tested).Field("succeeded", succeeded).EndObject();
    return body;
}

// What one loop's route works with.
struct Tools {
    Tools(std::shared_ptr<LoopServices> loop_services, runtime::ModelRuntime& model_runtime,
          std::atomic<int>& tests, const http::ErrorWriter& error_writer)
        : services(std::move(loop_services)),
          prober({model_runtime.options().synthetic_test_prompt, kMostAtOnce},
                 model_runtime.shared(), services->client(), services->loop().timers()),
          runtime(model_runtime),
          under_way(tests),
          errors(error_writer) {}

    const std::shared_ptr<LoopServices> services;
    probe::Prober prober;
    runtime::ModelRuntime& runtime;
    std::atomic<int>& under_way;
    const http::ErrorWriter& errors;
};

Task<> Refuse(http::Exchange& exchange, const Tools& tools, Error error) {
    http::Response refusal =
        tools.errors.Write(http::Protocol::kNative, exchange.request.request_id, error);
    co_await exchange.writer.Send(std::move(refusal));
}

Task<> AnswerTest(http::Exchange& exchange, std::shared_ptr<Tools> tools) {
    pipeline::PipelineShared& shared = tools->runtime.shared();
    auto names = ReadProviderNames(exchange.request.body);
    if (!names) {
        co_await Refuse(exchange, *tools, std::move(names.error()));
        co_return;
    }
    const Place place(tools->under_way);
    if (!place.taken() || shared.ledger.full()) {
        Error refusal = place.taken() ? pipeline::LedgerFull() : pipeline::Overloaded();
        if (!place.taken()) refusal.message = "Other tests of the providers are under way.";
        co_await Refuse(exchange, *tools, std::move(refusal));
        co_return;
    }
    const auto table = shared.tables.Get();
    const plugin::PluginSetPtr plugins = tools->runtime.registry().Snapshot();
    auto candidates = SelectByProvider(*table, *plugins, *names);
    if (!candidates) {
        co_await Refuse(exchange, *tools, std::move(candidates.error()));
        co_return;
    }
    const MonotonicTime deadline = exchange.request.received_at + shared.settings.request_timeout;
    std::string request_id = exchange.request.request_id;
    const auto results = co_await tools->prober.ProbeAll(
        std::move(*candidates), std::move(request_id), deadline, exchange.cancellation);
    if (exchange.cancellation.IsCancelled()) {
        exchange.writer.Abort();
        co_return;
    }
    http::Response response = http::Response::Json(200, WriteResults(results, shared.clock.Now()));
    co_await exchange.writer.Send(std::move(response));
}

}  // namespace

Result<std::vector<std::string>> ReadProviderNames(std::string_view body) {
    std::vector<std::string> names;
    if (body.empty()) return names;
    auto document = json::Parse(body);
    if (!document) return Unexpected(std::move(document.error()));
    if (!document->root().IsObject()) return FailField("", "The body must be a JSON object.");
    const json::Value list = document->root().Get(kField);
    if (!list.exists() || list.IsNull()) return names;
    const char* const rule =
        "The field 'providers' must be an array of one to 100 names of providers.";
    if (!list.IsArray() || list.size() == 0 || list.size() > kMostNames)
        return FailField(kField, rule);
    for (const auto& [key, name] : list) {
        const auto text = name.AsString();
        if (!text || text->empty()) return FailField(kField, rule);
        names.emplace_back(*text);
    }
    return names;
}

Result<std::vector<const Candidate*>> SelectByProvider(const routing::RoutingTable& table,
                                                       const plugin::PluginSet& plugins,
                                                       const std::vector<std::string>& names) {
    struct Wanted {
        std::string_view name;
        const plugin::GenerationPtr* plugin;
        bool known;
    };
    std::vector<Wanted> wanted;
    for (const std::string& name : names) {
        const plugin::GenerationPtr* plugin = plugins.Find(name);
        wanted.push_back({name, plugin, plugin != nullptr});
    }
    std::vector<const Candidate*> candidates;
    for (const Candidate& candidate : table.candidates()) {
        const std::string& provider = candidate.row->provider;
        const plugin::GenerationPtr* plugin = wanted.empty() ? nullptr : plugins.Find(provider);
        bool taken = wanted.empty();
        for (Wanted& one : wanted) {
            if (!EqualIgnoringCase(one.name, provider) &&
                (plugin == nullptr || one.plugin != plugin))
                continue;
            one.known = true;
            taken = true;
        }
        if (taken && candidate.availability != routing::Availability::kInactive)
            candidates.push_back(&candidate);
    }
    for (const Wanted& one : wanted) {
        if (one.known) continue;
        return FailField(kField, "There is no provider named '" +
                                     std::string(TruncateUtf8(one.name, kLongestName)) + "'.");
    }
    if (candidates.size() > kMostModels) {
        return FailField(kField, "These are " + std::to_string(candidates.size()) +
                                     " models, and at most 500 are tested at a time.");
    }
    return candidates;
}

void AddProviderTestRoute(http::Router& router, const std::shared_ptr<LoopServices>& services,
                          runtime::ModelRuntime& runtime, std::atomic<int>& under_way,
                          const http::ErrorWriter& errors) {
    const auto tools = std::make_shared<Tools>(services, runtime, under_way, errors);
    http::RoutePolicy policy;
    policy.rate_limited = true;
    policy.scope = security::Scope::kAdmin;
    router.AddStream(
        http::Method::kPost, "/api/v1/providers/test",
        [tools](http::Exchange& exchange) { return AnswerTest(exchange, tools); }, policy);
}

}  // namespace aim::business_api
