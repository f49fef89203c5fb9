// Points 11 to 19: the worker, the choice of models and what is stored.
#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "core/base/time_format.hpp"
#include "tests/integration/acceptance/acceptance_test_base.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kWorker = "health-worker";
constexpr std::size_t kSeededModels = 9;

WallTime TimeOf(const json::Document& line) {
    const auto time = ParseRfc3339(line.root().Get("timestamp").StringOr(""));
    EXPECT_TRUE(time) << line.root().ToJson();
    return time.value_or(WallTime());
}

std::string ModelOf(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    return std::string(Json(answer.body).root().Get("model_used").Get("name").StringOr(""));
}

// "name outcome" of each attempt.
std::vector<std::string> AttemptsOf(const HttpAnswer& answer) {
    const json::Document document = Json(answer.body);
    std::vector<std::string> attempts;
    for (const auto& [key, attempt] : document.root().Get("attempts")) {
        attempts.push_back(std::string(attempt.Get("model").StringOr("")) + " " +
                           std::string(attempt.Get("outcome").StringOr("")));
    }
    return attempts;
}

// How many models nobody has asked anything, once that is none, or for too long some.
std::string NotChecked(const Installation& installation) {
    std::string count;
    Eventually(
        [&] {
            count = installation.Sql(
                "SELECT count(*) FROM ai_models WHERE last_check_at IS NULL OR total_requests = 0");
            return count == "0";
        },
        seconds(60));
    return count;
}

TEST_F(AcceptanceTest, Point11_TheWorkerStartsWithoutErrors) {
    Point(11, "the worker starts without errors");
    EXPECT_EQ(installation().Events(kWorker, "started").size(), 1U);
    EXPECT_THAT(installation().Log(kWorker), Not(HasSubstr("\"level\":\"ERROR\"")));
    EXPECT_THAT(installation().Log(kWorker), Not(HasSubstr("\"level\":\"CRITICAL\"")));
    EXPECT_EQ(installation().Worker().Get("/ready").status, 200);
}

TEST_F(AcceptanceTest, Point12_TheFirstRoundRunsAtOnce) {
    Point(12, "the worker's first round runs at once");
    ASSERT_TRUE(
        Eventually([&] { return !installation().Events(kWorker, "health_round_finished").empty(); },
                   seconds(60)))
        << installation().Log(kWorker);
    const json::Document begun =
        std::move(installation().Events(kWorker, "health_round_started").front());
    const json::Document started = std::move(installation().Events(kWorker, "started").front());
    // By the worker's own clock, and before the first moment of the schedule would be there.
    EXPECT_LT(TimeOf(begun) - TimeOf(started), Installation::kHealthCheckInterval);
    // Every seeded model was asked in it.
    const json::Document finished =
        std::move(installation().Events(kWorker, "health_round_finished").front());
    const json::Value sums = finished.root();
    EXPECT_EQ(sums.Get("request_id").StringOr("a"), begun.root().Get("request_id").StringOr("b"));
    EXPECT_EQ(sums.Get("models").Int64Or(0), kSeededModels);
    EXPECT_EQ(sums.Get("answered").Int64Or(0) + sums.Get("failed").Int64Or(0), kSeededModels);
    std::set<std::string> asked;
    for (const json::Document& line : installation().Events(kWorker, "health_check")) {
        if (line.root().Get("request_id").StringOr("") == sums.Get("request_id").StringOr(""))
            asked.insert(std::string(line.root().Get("model").StringOr("")));
    }
    EXPECT_EQ(asked.size(), kSeededModels);
    // And what came of it has arrived at the rows.
    EXPECT_TRUE(Eventually([&] {
        return installation().Sql(
                   "SELECT count(*) FROM ai_models WHERE last_check_at IS NULL OR "
                   "total_requests = 0") == "0";
    })) << data().Get("/api/v1/models").body;
}

TEST_F(AcceptanceTest, Point13_FurtherRoundsRunBySchedule) {
    Point(13, "the worker's further rounds run by schedule");
    ASSERT_TRUE(Eventually(
        [&] { return installation().Events(kWorker, "health_round_started").size() >= 2; },
        seconds(60)))
        << installation().Log(kWorker);
    const auto rounds = installation().Events(kWorker, "health_round_started");
    // One may begin late, none early: not before its predecessor's moment is over. By the wall's
    // clock.
    const auto span = TimeOf(rounds.back()) - TimeOf(rounds.front());
    EXPECT_GT(span, Installation::kHealthCheckInterval * (static_cast<int>(rounds.size()) - 2));
    const std::string metrics = installation().Worker().Get("/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("\naimanager_health_interval_seconds " +
                                   std::to_string(Installation::kHealthCheckInterval.count())));
    EXPECT_THAT(metrics, Not(HasSubstr("\naimanager_health_rounds_total 1\n")));
}

TEST_F(AcceptanceTest, Point14_TheModelWithTheHighestRatingIsChosen) {
    Point(14, "the model with the highest rating is chosen");
    AddModel("llama-2-7b", {{3000, true}});
    const std::string best = AddModel("mistral-7b", {{100, true}});
    AddModel("llama-3-8b", {{1000, true}});
    EXPECT_EQ(ModelOf(Ask("Who answers?")), "mistral-7b");
    EXPECT_EQ(RequestsFor("mistral-7b"), 1U);
    EXPECT_EQ(installation().provider().Requests().size(), 1U);
    // By the rating and not by the name: as it falls, another one is the best.
    for (int i = 0; i < 3; ++i) Tell(best, {100, false});
    ASSERT_TRUE(Eventually([&] { return ListedScore("mistral-7b") < ListedScore("llama-3-8b"); }));
    EXPECT_EQ(ModelOf(Ask("And now?")), "llama-3-8b");
    EXPECT_EQ(installation().provider().Requests().size(), 2U);
}

TEST_F(AcceptanceTest, Point15_TheNextBestAnswersForOneThatIsNotAvailable) {
    Point(15, "when the best is not available the next best answers");
    AddModel("llama-2-7b", {{3000, true}});
    AddModel("llama-3-8b", {{1000, true}});
    // Nobody listens at the discard port.
    AddModel("mistral-7b", {{100, true}}, "http://127.0.0.1:9/v1");
    installation().provider().Script("llama-3-8b", R"({"status":503})");
    const double rating = ListedScore("mistral-7b");
    const HttpAnswer answer = Ask("Is anybody there?");
    EXPECT_EQ(ModelOf(answer), "llama-2-7b");
    EXPECT_THAT(AttemptsOf(answer), ElementsAre("mistral-7b upstream_failure",
                                                "llama-3-8b overloaded", "llama-2-7b success"));
    EXPECT_EQ(answer.Header("X-AIManager-Attempts"), "3");
    // The failure has cost it its place.
    EXPECT_LT(ListedScore("mistral-7b"), rating - 10);
    EXPECT_EQ(RequestsFor("llama-3-8b"), 1U);
}

TEST_F(AcceptanceTest, Point16_EveryRequestMovesTheRating) {
    Point(16, "the rating moves with every request");
    const std::string id = AddModel("mistral-7b");
    installation().provider().Script(
        "mistral-7b", R"([{"delay_before_head_ms":150,"text":"Hi"},{"status":500},{"text":"Hi"}])");
    const auto ask = [&](int request, int status) {
        const HttpAnswer answer = Ask("Hi", R"("model":"mistral-7b","fallback":false)");
        EXPECT_EQ(answer.status, status) << answer.body;
        const double rating = ListedScore("mistral-7b");
        if (status == 200) {
            const json::Document document = Json(answer.body);
            EXPECT_EQ(document.root().Get("model_used").Get("reliability_score").DoubleOr(-1),
                      rating);
        }
        // The same in the database, soon.
        EXPECT_TRUE(Eventually([&] {
            const json::Document row = Json(data().Get("/api/v1/models/" + id).body);
            return row.root().Get("total_requests").Int64Or(0) == request &&
                   row.root().Get("reliability_score").DoubleOr(-1) == rating;
        })) << rating
            << data().Get("/api/v1/models/" + id).body;
        return rating;
    };
    EXPECT_EQ(ListedScore("mistral-7b"), 100);
    const double after_slow = ask(1, 200);
    EXPECT_LT(after_slow, 99);
    // However slow the first was, a failure costs more than the speed of it brings.
    const double after_failure = ask(2, 502);
    EXPECT_LT(after_failure, after_slow - 9);
    EXPECT_NE(ask(3, 200), after_failure);
}

TEST_F(AcceptanceTest, Point17_PromptsAreKeptInPostgresql) {
    Point(17, "prompts are kept in PostgreSQL's history");
    const std::string id = AddModel("mistral-7b");
    installation().provider().Script("mistral-7b", R"({"text":"It's kept."})");
    const HttpAnswer answer = Ask("Keep this", R"("user_id":"api_client_123","username":"anna")");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const std::string request_id(Json(answer.body).root().Get("request_id").StringOr(""));
    const std::string query =
        "SELECT user_id, username, prompt_text, response_text, ai_model_id, model_name, status, "
        "processing_duration_ms >= 0 FROM prompt_history WHERE request_id = '" +
        request_id + "'";
    EXPECT_TRUE(Eventually([&] { return !installation().Sql(query).empty(); }));
    EXPECT_EQ(installation().Sql(query),
              "api_client_123|anna|Keep this|It's kept.|" + id + "|mistral-7b|success|t");
    const json::Document page =
        Json(data().Get("/api/v1/prompts/history?user_id=api_client_123&model_id=" + id).body);
    ASSERT_EQ(page.root().Get("items").size(), 1U);
    const json::Value row = page.root().Get("items").At(0);
    EXPECT_EQ(row.Get("request_id").StringOr(""), request_id);
    EXPECT_EQ(row.Get("response_text").StringOr(""), "It's kept.");
}

TEST_F(AcceptanceTest, Point18_StatisticsCountWhatHappened) {
    Point(18, "the statistics count what happened");
    const std::string id = AddModel("mistral-7b");
    installation().provider().Script("mistral-7b", R"([{"delay_before_head_ms":60,"text":"Hi"},
        {"status":500},{"text":"Hi"},{"text":"Hi"}])");
    for (const int status : {200, 502, 200, 200})
        EXPECT_EQ(Ask("Hi", R"("model":"mistral-7b","fallback":false)").status, status);
    const std::string counted =
        "SELECT total_requests, successful_requests, failed_requests FROM ai_models WHERE id = '" +
        id + "'";
    EXPECT_TRUE(Eventually([&] { return installation().Sql(counted) == "4|3|1"; }))
        << installation().Sql(counted);
    EXPECT_EQ(installation().Sql("SELECT count(*), count(*) FILTER (WHERE outcome = 'success') "
                                 "FROM request_outcomes WHERE source = 'prompt' AND model_id = '" +
                                 id + "'"),
              "4|3");
    const double average = std::stod(installation().Sql(
        "SELECT response_time_sum_us / 1000.0 / timed_requests FROM ai_models WHERE id = '" + id +
        "'"));
    EXPECT_GE(average, 60.0 / 4);
    json::Document stats;
    EXPECT_TRUE(Eventually([&] {
        stats = Json(front().Get("/api/v1/models/" + id + "/stats").body);
        return stats.root().Get("last_24h_requests").Int64Or(0) == 4 &&
               stats.root().Get("last_check_at").IsString();
    })) << stats.root().ToJson();
    EXPECT_EQ(stats.root().Get("model_id").StringOr(""), id);
    EXPECT_EQ(stats.root().Get("total_requests").Int64Or(0), 4);
    EXPECT_EQ(stats.root().Get("successful_requests").Int64Or(0), 3);
    EXPECT_EQ(stats.root().Get("failed_requests").Int64Or(0), 1);
    EXPECT_EQ(stats.root().Get("success_rate").DoubleOr(0), 75);
    EXPECT_NEAR(stats.root().Get("avg_response_time_ms").DoubleOr(0), average, 1);
    EXPECT_EQ(Listed("mistral-7b").root().Get("error_rate_percent").DoubleOr(0), 25);
}

TEST_F(AcceptanceTest, Point19_TheScoreIsTheFormulas) {
    Point(19, "reliability_score is what the formula gives");
    // From slow to so slow that the speed counts nothing, with failures between.
    const std::vector<Stat> outcomes = {{1234, true},   {5000, false}, {20000, true}, {1, true},
                                        {77777, false}, {0, true},     {333, true}};
    const std::string id = AddModel("mistral-7b");
    double total = 0;
    double successful = 0;
    double time_ms = 0;
    for (const Stat& outcome : outcomes) {
        total += 1;
        successful += outcome.success ? 1 : 0;
        time_ms += static_cast<double>(outcome.response_time_ms);
        const json::Document row = Tell(id, outcome);
        EXPECT_EQ(row.root().Get("total_requests").DoubleOr(0), total);
        EXPECT_EQ(row.root().Get("successful_requests").DoubleOr(0), successful);
        EXPECT_NEAR(row.root().Get("reliability_score").DoubleOr(-1),
                    RatingByTheFormula(total, successful, time_ms), 0.0051);
    }
    // The gateway chooses by the same number.
    EXPECT_TRUE(Eventually([&] {
        return std::abs(ListedScore("mistral-7b") -
                        RatingByTheFormula(total, successful, time_ms)) < 0.0051;
    })) << ListedScore("mistral-7b");
    EXPECT_EQ(NotChecked(installation()), "0");
    // And all the others, whose counters come from probes and prompts. Half a millisecond of the
    // shown average is 0.004 of the score.
    const json::Document rows = Json(data().Get("/api/v1/models").body);
    EXPECT_EQ(rows.root().size(), kSeededModels + 1);
    for (const auto& [key, row] : rows.root()) {
        const double requests = row.Get("total_requests").DoubleOr(0);
        EXPECT_GT(requests, 0) << row.ToJson();
        EXPECT_NEAR(row.Get("reliability_score").DoubleOr(-1),
                    RatingByTheFormula(requests, row.Get("successful_requests").DoubleOr(0),
                                       row.Get("avg_response_time_ms").DoubleOr(0) * requests),
                    0.0095)
            << row.ToJson();
    }
}

}  // namespace
}  // namespace aim::gateway
