// More than the gateway takes, and clients that mean harm: the others do not notice.
#include <algorithm>
#include <cstdlib>
#include <thread>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/integration/failures/failures_test_base.hpp"

namespace aim::gateway {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

long long Milliseconds(Clock::duration time) {
    return std::chrono::duration_cast<milliseconds>(time).count();
}

std::string PromptText(const std::string& model, const std::string& more = "") {
    const std::string body = R"({"prompt":"x","model":)" + Quote(model) + "}";
    return "POST /api/v1/prompts HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" + more +
           "X-API-Key: " + std::string(kCallerKey) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The slowest of so many questions to a healthy model, one after the other.
Clock::duration SlowestOf(const Service& business, const std::string& model, int questions) {
    Clock::duration slowest{0};
    for (int i = 0; i < questions; ++i) {
        const auto began = Clock::now();
        const Reply reply = AskPrompt(business, model);
        EXPECT_EQ(reply.status(), 200) << reply.answer.body;
        slowest = std::max(slowest, Clock::now() - began);
    }
    return slowest;
}

TEST_F(FailuresTest, BeyondMaxInFlightTheAnswerIsAQuick503AndTheRestIsServed) {
    const TemporaryFolder state;
    const Service business = Gateway(state.path(), {{"MAX_IN_FLIGHT", "4"}});
    AddRows({{"silent", provider().url()}, {"quick", provider().url()}});
    ASSERT_TRUE(Offers(business, 2));
    provider().Script("silent", R"({"never_answer":true})");
    provider().Script("quick", R"({"text":"Hi","delay_before_head_ms":20})");
    std::vector<HttpTestClient> held;
    for (int i = 0; i < 4; ++i) {
        held.push_back(business.Client());
        ASSERT_TRUE(held.back().Send(PromptText("silent")));
    }
    ASSERT_TRUE(Eventually([&] { return Metric(business, "aimanager_in_flight_prompts") == 4; }));
    std::vector<milliseconds> times;
    for (int i = 0; i < 50; ++i) {
        const Reply whole = AskPrompt(business, "quick");
        ExpectNative(whole.answer, 503, "overloaded");
        EXPECT_GE(std::atoi(whole.Header("Retry-After").c_str()), 1);
        const Reply streamed = AskChatStream(business, "quick");
        ExpectOpenAi(streamed.answer, 503, "overloaded");
        EXPECT_GE(std::atoi(streamed.Header("Retry-After").c_str()), 1);
        times.push_back(whole.took);
        times.push_back(streamed.took);
    }
    std::sort(times.begin(), times.end());
    std::printf("503 overloaded: median %lld ms, slowest of 100 %lld ms\n",
                static_cast<long long>(times[50].count()),
                static_cast<long long>(times.back().count()));
    EXPECT_LT(times[50], seconds(2));
    EXPECT_EQ(RequestsFor("quick"), 0U);
    held.clear();
    ASSERT_TRUE(Eventually([&] { return Metric(business, "aimanager_in_flight_prompts") == 0; }));
    // A crowd: everybody gets an answer, some of them the 503.
    std::atomic<int> answered{0};
    std::atomic<int> refused{0};
    AtOnce(std::vector<std::function<void()>>(100,
                                              [&] {
                                                  const int status =
                                                      AskPrompt(business, "quick").status();
                                                  answered += status == 200;
                                                  refused += status == 503;
                                              }),
           32);
    EXPECT_EQ(answered + refused, 100);
    EXPECT_GE(answered.load(), 4);
    EXPECT_EQ(Metric(business, "aimanager_in_flight_prompts"), 0);
}

TEST_F(FailuresTest, OneSlowProviderDoesNotSlowTheOthers) {
    const Service& business = stack().business_api;
    AddRows({{"stuck", provider().url()}, {"quick", provider().url()}});
    provider().Script("stuck", R"({"never_answer":true})");
    const Clock::duration before = SlowestOf(business, "quick", 50);
    std::vector<HttpTestClient> waiting;
    for (int i = 0; i < 300; ++i) {
        waiting.push_back(business.Client());
        ASSERT_TRUE(waiting.back().Send(PromptText("stuck")));
    }
    ASSERT_TRUE(Eventually([&] { return Metric(business, "aimanager_in_flight_prompts") == 300; },
                           seconds(60)));
    const Clock::duration beside = SlowestOf(business, "quick", 50);
    std::printf("slowest of 50: %lld ms alone, %lld ms beside 300 that wait\n",
                Milliseconds(before), Milliseconds(beside));
    EXPECT_LT(beside, seconds(10));
    waiting.clear();
    EXPECT_TRUE(Eventually([&] { return Metric(business, "aimanager_in_flight_prompts") == 0; },
                           seconds(30)));
}

TEST_F(FailuresTest, StormsOfConnectionsAndHugeHeadsHarmNobody) {
    const Service& business = stack().business_api;
    AddRows({{"quick", provider().url()}});
    const pid_t process = business.process->pid();
    SlowestOf(business, "quick", 5);
    const std::size_t files = OpenFiles(process);
    std::atomic<bool> storming{true};
    std::atomic<int> storms{0};
    std::vector<std::thread> attackers;
    for (int i = 0; i < 4; ++i) {
        attackers.emplace_back([&, i] {
            while (storming) {
                HttpTestClient client = business.Client();
                if (i == 0) client.Connect();  // and away
                if (i == 1) client.Send("POST /api/v1/prompts HTTP/1.1\r\nHos");
                if (i == 2) client.Send(PromptText("quick"));  // never reads
                if (i == 3) {
                    client.Send("GET /health HTTP/1.1\r\nHost: h\r\nX-Long: " +
                                std::string(200'000, 'x'));
                    const auto answer = client.ReadAnswer();
                    EXPECT_TRUE(!answer || answer->status == 431) << answer->status;
                }
                ++storms;
            }
        });
    }
    ASSERT_TRUE(Eventually([&] { return storms >= 400; }, seconds(60)));
    const Clock::duration slowest = SlowestOf(business, "quick", 30);
    storming = false;
    for (std::thread& attacker : attackers) attacker.join();
    std::printf("slowest of 30 in a storm of %d connections: %lld ms\n", storms.load(),
                Milliseconds(slowest));
    EXPECT_LT(slowest, seconds(10));
    const HttpAnswer huge =
        business.Client().Get("/health", {{"X-Long", std::string(100'000, 'x')}});
    EXPECT_EQ(huge.status, 431);
    HttpHeaders many;
    for (int i = 0; i < 2000; ++i) many.emplace_back("X-" + std::to_string(i), "y");
    EXPECT_EQ(business.Client().Get("/health", many).status, 431);
    EXPECT_TRUE(Eventually([&] { return OpenFiles(process) <= files + 16; }, seconds(30)))
        << OpenFiles(process) << " files, before: " << files;
    EXPECT_TRUE(Eventually([&] { return Metric(business, "aimanager_in_flight_prompts") == 0; }));
}

// AIM_IDLE_CONNECTIONS=10000 by hand; both ends' limits of open files are to be above it.
TEST_F(FailuresTest, IdleConnectionsCostNobodyAnything) {
    const char* wanted = std::getenv("AIM_IDLE_CONNECTIONS");
    const std::size_t count = wanted == nullptr ? 400 : std::strtoul(wanted, nullptr, 10);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < count + 200)
        GTEST_SKIP() << "the limit of open files, " << limit.rlim_cur << ", is below " << count;
    const Service& business = stack().business_api;
    AddRows({{"quick", provider().url()}});
    const std::size_t memory = ResidentKiB(business.process->pid());
    std::vector<HttpTestClient> idle;
    for (std::size_t i = 0; i < count; ++i) {
        idle.push_back(business.Client());
        ASSERT_TRUE(idle.back().Connect()) << i;
    }
    ASSERT_TRUE(
        Eventually([&] { return OpenFiles(business.process->pid()) >= count; }, seconds(60)));
    const Clock::duration slowest = SlowestOf(business, "quick", 30);
    const std::size_t after = ResidentKiB(business.process->pid());
    std::printf(
        "%zu idle connections: slowest of 30 prompts %lld ms, %.1f KiB of memory each\n", count,
        Milliseconds(slowest),
        (static_cast<double>(after) - static_cast<double>(memory)) / static_cast<double>(count));
    EXPECT_LT(slowest, seconds(10));
    // They are still good.
    for (const std::size_t i : {std::size_t{0}, count / 2, count - 1})
        EXPECT_EQ(idle[i].Get("/health").status, 200);
}

// A plain question and then FIN is answered; while a model works, FIN means that the client left.
TEST_F(FailuresTest, HalfClosedClientsAreUnderstood) {
    const Service& business = stack().business_api;
    AddRows({{"silent", provider().url()}});
    provider().Script("silent", R"({"never_answer":true})");
    HttpTestClient plain = business.Client();
    ASSERT_TRUE(plain.Send("GET /health HTTP/1.1\r\nHost: h\r\n\r\n"));
    plain.FinishSending();
    const auto answer = plain.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    HttpTestClient half = business.Client();
    ASSERT_TRUE(half.Send(PromptText("silent", "X-Request-Id: half-closed\r\n")));
    ASSERT_TRUE(provider().WaitForRequests(1, seconds(20)));
    half.FinishSending();
    EXPECT_TRUE(provider().WaitFor(
        [](const auto& requests) { return requests[0].client_closed_after_ms.has_value(); },
        seconds(20)));
    EXPECT_EQ(HistoryRow("half-closed").root().Get("status").StringOr(""), "cancelled");
}

// The provider has much to say and the client does not listen: the gateway stops reading, keeps
// little, and goes on where it stopped when the client listens again.
TEST_F(FailuresTest, AClientThatDoesNotReadStopsTheProvider) {
    constexpr std::size_t kChunk = 64 * 1024;
    constexpr std::size_t kChunks = 448;
    const TemporaryFolder state;
    const Service business = Gateway(state.path());
    AddRows({{"talker", provider().url()}});
    ASSERT_TRUE(Offers(business, 1));
    const std::string chunk = R"(data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\")" +
                              std::string(kChunk, 't') + R"(\"}}]}\n\n)";
    std::string step = R"({"content_type":"text/event-stream","raw":")";
    for (std::size_t i = 0; i < kChunks; ++i) step += chunk;
    step += R"(data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n)"
            R"(data: [DONE]\n\n"})";
    provider().Script("talker", step);
    const std::size_t before = ResidentKiB(business.process->pid());
    StreamReader stream(business, "/v1/chat/completions",
                        R"({"stream":true,"model":"talker","messages":[)"
                        R"({"role":"user","content":"x"}]})");
    ASSERT_EQ(stream.head().status, 200);
    // Nothing is read here until nothing moves any more.
    std::uint64_t sent = 0;
    auto since = Clock::now();
    ASSERT_TRUE(Eventually(
        [&] {
            const std::uint64_t now = provider().Counters().bytes_written.load();
            if (now != sent) since = Clock::now();
            sent = now;
            return Clock::now() - since > milliseconds(500);
        },
        seconds(60)));
    const std::size_t paused = ResidentKiB(business.process->pid());
    std::printf(
        "a client that does not read: the provider stopped after %.1f of 28 MiB, the "
        "gateway grew by %.1f MiB\n",
        static_cast<double>(sent) / 1048576,
        (static_cast<double>(paused) - static_cast<double>(before)) / 1024);
    EXPECT_LT(sent, kChunk * kChunks * 7 / 8);
    EXPECT_LT(paused, before + 24 * 1024);
    EXPECT_TRUE(stream.ReadAll());
    EXPECT_TRUE(stream.body().ends_with("data: [DONE]\n\n"));
    EXPECT_GT(stream.body().size(), kChunk * kChunks);
}

}  // namespace
}  // namespace aim::gateway
