#include "tests/integration/acceptance/acceptance_test_base.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace aim::gateway {

using std::chrono::seconds;

constexpr std::string_view kPlayedByTheTest = "Together.ai";

std::unique_ptr<Installation> AcceptanceTest::installation_;

double RatingByTheFormula(double total, double successful, double time_sum_ms) {
    if (total == 0) return 100;
    const double success_rate = successful / total * 100;
    const double speed_score = std::max(0.0, 100 - time_sum_ms / total / 50);
    return success_rate * 0.6 + speed_score * 0.4;
}

void AcceptanceTest::SetUpTestSuite() { installation_ = std::make_unique<Installation>(); }

void AcceptanceTest::TearDownTestSuite() {
    if (!installation_) return;
    const std::vector<std::string> wrong = installation_->Stop();
    for (const std::string& each : wrong) ADD_FAILURE() << each;
    std::printf("stopped, nothing is left: %s\n", wrong.empty() ? "ok" : "FAILED");
    installation_.reset();
}

void AcceptanceTest::SetUp() {
    ASSERT_NE(installation_, nullptr);
    front_ = std::make_unique<HttpTestClient>(installation().Front());
    data_ = std::make_unique<HttpTestClient>(installation().DataApi());
    installation().provider().Reset();
}

void AcceptanceTest::TearDown() {
    if (installation_) RemoveModels();
    std::printf("point %d: %s: %s\n", number_, what_, HasFailure() ? "FAILED" : "ok");
    if (!HasFailure() || !installation_) return;
    for (const char* name : {"data-api", "business-api", "health-worker", "telegram-bot"}) {
        const std::string log = installation().Log(name);
        std::fprintf(stderr, "--- %s ---\n%s\n", name,
                     log.substr(log.size() > 4000 ? log.size() - 4000 : 0).c_str());
    }
}

void AcceptanceTest::Point(int number, const char* what) {
    number_ = number;
    what_ = what;
}

void AcceptanceTest::RemoveModels() {
    const json::Document rows = Json(data().Get("/api/v1/models").body);
    for (const auto& [key, row] : rows.root()) {
        if (row.Get("provider").StringOr("") != kPlayedByTheTest) continue;
        const std::string id(row.Get("id").StringOr(""));
        EXPECT_EQ(data().Request("DELETE", "/api/v1/models/" + id).status, 204);
    }
    EXPECT_TRUE(Eventually(
        [&] {
            return front().Get("/api/v1/models").body.find(kPlayedByTheTest) == std::string::npos;
        },
        seconds(30)));
}

std::string AcceptanceTest::AddModel(const std::string& name, const std::vector<Stat>& stats,
                                     const std::string& endpoint) {
    const HttpAnswer answer = data().Post(
        "/api/v1/models", "{\"name\":" + Quote(name) + ",\"provider\":" + Quote(kPlayedByTheTest) +
                              ",\"endpoint\":" + Quote(endpoint) +
                              R"(,"settings":{"health_check":false}})");
    EXPECT_EQ(answer.status, 201) << answer.body;
    const std::string id(Json(answer.body).root().Get("id").StringOr(""));
    double successful = 0;
    double time_ms = 0;
    for (const Stat& stat : stats) {
        Tell(id, stat);
        successful += stat.success ? 1 : 0;
        time_ms += static_cast<double>(stat.response_time_ms);
    }
    const double rating =
        RatingByTheFormula(static_cast<double>(stats.size()), successful, time_ms);
    EXPECT_TRUE(Eventually(
        [&] {
            const json::Document line = Listed(name);
            return line.root().Get("state").StringOr("") == "available" &&
                   std::abs(line.root().Get("reliability_score").DoubleOr(-1) - rating) < 0.006;
        },
        seconds(30)))
        << name << " " << rating << " " << front().Get("/api/v1/models").body;
    return id;
}

json::Document AcceptanceTest::Tell(const std::string& id, const Stat& stat) {
    const HttpAnswer answer =
        data().Post("/api/v1/models/" + id + "/stats",
                    "{\"response_time_ms\":" + std::to_string(stat.response_time_ms) +
                        ",\"success\":" + (stat.success ? "true}" : "false}"));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Json(answer.body);
}

json::Document AcceptanceTest::Listed(const std::string& name) {
    const json::Document models = Json(front().Get("/api/v1/models").body);
    for (const auto& [key, model] : models.root()) {
        if (model.Get("name").StringOr("") == name) return Json(model.ToJson());
    }
    return {};
}

double AcceptanceTest::ListedScore(const std::string& name) {
    return Listed(name).root().Get("reliability_score").DoubleOr(-1);
}

HttpAnswer AcceptanceTest::Ask(const std::string& prompt, const std::string& members) {
    return front().Post(
        "/api/v1/prompts",
        "{\"prompt\":" + Quote(prompt) + (members.empty() ? "" : ",") + members + "}", Key());
}

std::size_t AcceptanceTest::RequestsFor(std::string_view model) {
    const auto requests = installation().provider().Requests();
    return static_cast<std::size_t>(
        std::count_if(requests.begin(), requests.end(),
                      [&](const RecordedRequest& each) { return each.model == model; }));
}

}  // namespace aim::gateway
