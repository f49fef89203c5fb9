// What the number of models costs an engine thread:
//
//     choice_bench [models...]
//
// For each number (default 10 100 1000 10000) one line of JSON: the catalogue read from the data
// API's JSON, joined into a table and put in order; a choice while nothing changes, after every
// outcome, and with half of the models at rest. Times are of the thread's CPU, the least of some
// rounds; memory is what malloc has given out.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>

#include "core/base/random.hpp"
#include "core/data_client/model_reader.hpp"
#include "core/routing/chooser.hpp"

namespace {

using namespace aim;
using namespace aim::routing;

constexpr int kRounds = 5;

double ThreadCpuNanoseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// The least CPU of one call of `work`, which is called `calls` times a round.
template <typename Work>
double Least(int calls, Work work) {
    double least = 1e18;
    for (int round = 0; round < kRounds; ++round) {
        const double begin = ThreadCpuNanoseconds();
        for (int i = 0; i < calls; ++i) work();
        least = std::min(least, (ThreadCpuNanoseconds() - begin) / calls);
    }
    return least;
}

double AllocatedBytes() { return static_cast<double>(::mallinfo2().uordblks); }

// As GET /api/v1/models writes them.
std::string CatalogueJson(int models, Random& random) {
    std::string text = "[";
    for (int n = 0; n < models; ++n) {
        const std::string number = std::to_string(n);
        const std::string requests = std::to_string(n * 7 % 1000);
        text.append(n == 0 ? "{" : ",{");
        text.append("\"id\":\"").append(Uuid::MakeV7(WallTime{}, random).ToString());
        text.append("\",\"name\":\"model-").append(number);
        text.append("\",\"provider\":\"groq\",\"endpoint\":\"https://api.groq.com/openai/v1\",");
        text.append("\"upstream_model\":\"upstream-").append(number);
        text.append(
            "\",\"is_active\":true,\"settings\":{\"health_check\":true},\"context_window\":"
            "131072,");
        text.append(
            "\"capabilities\":[\"stream\",\"tools\"],\"input_price_per_million\":\"0.59\",");
        text.append(
            "\"output_price_per_million\":\"0.79\",\"has_api_key\":false,\"reliability_score\":95."
            "5,");
        text.append("\"avg_response_time_ms\":1234,\"error_rate_percent\":0,\"total_requests\":")
            .append(requests);
        text.append(",\"successful_requests\":")
            .append(requests)
            .append(",\"failed_requests\":0,\"timed_requests\":");
        text.append(requests)
            .append(",\"response_time_sum_us\":")
            .append(std::to_string(n * 7 % 1000 * 1000 * (n % 4000)));
        text.append(
            ",\"last_check_at\":null,\"last_success_at\":null,\"created_at\":\"2026-11-21T10:00:00."
            "000Z\",");
        text.append("\"updated_at\":\"2026-11-21T10:00:00.000Z\",\"version\":")
            .append(std::to_string(n + 1))
            .append("}");
    }
    return text.append("]");
}

void Measure(int models) {
    const auto random = MakeSeededRandom(1);
    const std::string body = CatalogueJson(models, *random);
    const double before = AllocatedBytes();
    ModelStates states;
    Chooser chooser(states);
    std::vector<std::shared_ptr<const completion::ModelRecord>> rows;
    std::size_t skipped = 0;
    const double parse = Least(1, [&] {
        auto read = data_client::ReadModels(body, skipped);
        if (!read || skipped > 0 || read->size() != static_cast<std::size_t>(models)) std::abort();
        rows.clear();
        for (completion::ModelRecord& record : *read)
            rows.push_back(std::make_shared<const completion::ModelRecord>(std::move(record)));
    });
    std::vector<std::shared_ptr<const RoutingTable>> tables;
    const double join = Least(1, [&] {
        std::vector<Candidate> candidates;
        candidates.reserve(rows.size());
        for (const auto& row : rows) {
            states.ApplyRow(data_client::StoredRowOf(*row));
            Candidate candidate;
            candidate.row = row;
            candidate.state = states.Get(row->id);
            candidate.availability = Availability::kAvailable;
            candidate.has_real_secret = true;
            candidates.push_back(std::move(candidate));
        }
        tables.push_back(std::make_shared<const RoutingTable>(std::move(candidates)));
    });
    const double order = Least(1, [&] {
        chooser.Use(tables.back());
        tables.pop_back();
    });
    const double bytes = AllocatedBytes() - before;

    const MonotonicTime now = SystemClock().Now();
    const Wanted wanted;
    const double quiet = Least(100'000, [&] {
        if (chooser.Best(wanted, now).candidate == nullptr) std::abort();
    });
    // The best gets an outcome and may have to go; what it costs to write the outcome down is part
    // of it.
    const double after_outcome = Least(20'000, [&] {
        const Candidate* best = chooser.Best(wanted, now).candidate;
        states.AddOutcome(best->row->id, random->Next() % 8 != 0,
                          std::chrono::microseconds(random->Next() % 2'000'000));
    });
    for (int n = 0; n < models / 2; ++n) {
        const Candidate* best = chooser.Best(wanted, now).candidate;
        best->state->cooldown.Park(now, std::nullopt);
    }
    const double half_resting = Least(200, [&] {
        if (chooser.Best(wanted, now).candidate == nullptr) std::abort();
    });
    std::printf(
        "{\"models\":%d,\"json_bytes\":%zu,\"parse_us\":%.1f,\"join_us\":%.1f,\"order_us\":%.1f,"
        "\"bytes_a_model\":%.0f,"
        "\"choice_ns\":%.1f,\"choice_and_outcome_ns\":%.1f,\"choice_half_resting_ns\":%.1f}\n",
        models, body.size(), parse / 1e3, join / 1e3, order / 1e3, bytes / models, quiet,
        after_outcome, half_resting);
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<int> sizes;
    for (int i = 1; i < count; ++i)
        sizes.push_back(std::clamp(std::atoi(arguments[i]), 1, 1'000'000));
    if (sizes.empty()) sizes = {10, 100, 1'000, 10'000};
    for (const int models : sizes) Measure(models);
    return 0;
}
