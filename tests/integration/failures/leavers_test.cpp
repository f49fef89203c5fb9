// Clients that leave: the provider's call ends with them, and nothing of them stays.
#include "tests/integration/failures/failures_test_base.hpp"

namespace aim::gateway {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string RequestText(bool streamed, const std::string& model, const std::string& id) {
    std::string body = streamed ? R"({"stream":true,"messages":[{"role":"user","content":"x"}])"
                                : R"({"prompt":"x")";
    body += ",\"model\":" + Quote(model) + "}";
    std::string text = streamed ? "POST /v1/chat/completions" : "POST /api/v1/prompts";
    text += " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-API-Key: ";
    text.append(kCallerKey);
    text += "\r\nX-Request-Id: " + id + "\r\nContent-Length: " + std::to_string(body.size());
    return text + "\r\n\r\n" + body;
}

TEST_F(FailuresTest, AClientThatLeavesEndsItsUpstreamCallAtOnce) {
    const Service& business = stack().business_api;
    AddRows({{"silent", provider().url()}, {"streaming", provider().url()}});
    provider().Script("silent", R"({"never_answer":true})");
    provider().Script("streaming", R"({"text":"a b c d","stall_after_chunks":2})");
    std::size_t asked = 0;
    const auto expect_cancelled = [&](const std::string& id, const std::string& model,
                                      const std::string& text, Clock::time_point left) {
        SCOPED_TRACE(id);
        EXPECT_TRUE(provider().WaitFor(
            [&](const auto& requests) {
                return requests.size() == asked &&
                       requests.back().client_closed_after_ms.has_value();
            },
            seconds(20)));
        const auto after =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - left);
        std::printf("a client of %s left: upstream cancelled after %.1f ms\n", model.c_str(),
                    static_cast<double>(after.count()) / 1000);
        EXPECT_LT(after, seconds(10));
        const json::Document row = HistoryRow(id);
        EXPECT_EQ(row.root().Get("status").StringOr(""), "cancelled");
        EXPECT_EQ(row.root().Get("response_text").StringOr(""), text);
        AwaitDelivery(business);
        EXPECT_EQ(Outcomes(id), model + ":cancelled");
    };
    for (const char* model : {"silent", "streaming"}) {
        for (const bool streamed : {false, true}) {
            if (streamed && std::string(model) == "streaming") continue;
            const std::string id = std::string("gone-") + model + (streamed ? "-stream" : "-whole");
            HttpTestClient client = business.Client();
            ASSERT_TRUE(client.Send(RequestText(streamed, model, id)));
            ++asked;
            ASSERT_TRUE(provider().WaitForRequests(asked, seconds(20)));
            const auto left = Clock::now();
            client.Close();
            expect_cancelled(id, model, "", left);
        }
    }
    // What was produced is kept.
    StreamReader stream(
        business, "/v1/chat/completions",
        R"({"stream":true,"model":"streaming","messages":[{"role":"user","content":"x"}]})");
    ++asked;
    ASSERT_TRUE(stream.ReadUntil("\" b\"")) << stream.body();
    const auto left = Clock::now();
    stream.Leave();
    expect_cancelled(stream.head().Header("X-Request-Id"), "streaming", "a b", left);
    EXPECT_EQ(Metric(business, "aimanager_in_flight_prompts"), 0);
    // It is nobody's fault.
    EXPECT_EQ(Sql("SELECT sum(total_requests) FROM ai_models"), "0");
}

// Half of them streamed, half whole, all with an answer pending.
TEST_F(FailuresTest, AThousandClientsThatLeaveAtOnceLeaveNothingBehind) {
    constexpr int kClients = 1000;
    const TemporaryFolder state;
    const Service business = Gateway(state.path(), {{"LOG_LEVEL", "INFO"}});
    AddRows({{"silent", provider().url()}, {"warm", provider().url()}});
    ASSERT_TRUE(Offers(business, 2));
    provider().Script("silent", R"({"never_answer":true})");
    provider().Script("warm", R"({"text":"Hi"})");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(AskPrompt(business, "warm").status(), 200);
    const pid_t process = business.process->pid();
    const std::size_t files = OpenFiles(process);
    const std::size_t threads = Threads(process);
    const std::uint64_t upstream = provider().Counters().connections_open.load();
    std::vector<HttpTestClient> clients;
    for (int i = 0; i < kClients; ++i) {
        clients.push_back(business.Client());
        ASSERT_TRUE(
            clients.back().Send(RequestText(i % 2 == 0, "silent", "crowd-" + std::to_string(i))));
    }
    ASSERT_TRUE(Eventually(
        [&] { return Metric(business, "aimanager_in_flight_prompts") == kClients; }, seconds(60)))
        << Metric(business, "aimanager_in_flight_prompts");
    const auto left = Clock::now();
    clients.clear();
    EXPECT_TRUE(Eventually([&] { return Metric(business, "aimanager_in_flight_prompts") == 0; },
                           seconds(30)))
        << Metric(business, "aimanager_in_flight_prompts");
    std::printf("1,000 clients left: all slots free after %lld ms\n",
                static_cast<long long>(
                    std::chrono::duration_cast<milliseconds>(Clock::now() - left).count()));
    EXPECT_TRUE(Eventually(
        [&] { return provider().Counters().connections_open.load() <= upstream; }, seconds(30)));
    // A few more than before may be there: connections of these questions themselves.
    EXPECT_TRUE(Eventually([&] { return OpenFiles(process) <= files + 8; }, seconds(30)))
        << OpenFiles(process) << " files, before: " << files;
    EXPECT_EQ(Threads(process), threads);
    AwaitDelivery(business);
    EXPECT_EQ(Sql("SELECT status, count(*), count(DISTINCT request_id) FROM prompt_history WHERE "
                  "request_id LIKE 'crowd-%' GROUP BY 1"),
              "cancelled|1000|1000");
    EXPECT_EQ(AskPrompt(business, "warm").status(), 200);
}

}  // namespace
}  // namespace aim::gateway
