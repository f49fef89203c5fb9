// A whole installation under load while parts of it fail. README.md has the faults.
#include <algorithm>
#include <cstdlib>
#include <thread>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/failures/failures_test_base.hpp"
#include "tests/integration/ledger/chaos_run.hpp"

namespace aim::gateway {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Between two questions of a client where the fault lasts, for what it delays is delivered later.
constexpr milliseconds kPause{5};

milliseconds SecondsOf(const char* variable, milliseconds shortest) {
    const char* text = std::getenv(variable);
    return text == nullptr ? shortest : std::max(shortest, milliseconds(1000L * std::atol(text)));
}

// How long a fault lasts, and how long all of them at once: as short as it says something, unless
// told otherwise.
milliseconds FaultTime(milliseconds shortest) { return SecondsOf("AIM_CHAOS_SECONDS", shortest); }
milliseconds SoakTime(milliseconds shortest) { return SecondsOf("AIM_SOAK_SECONDS", shortest); }

class ChaosTest : public LedgerTest {
  protected:
    static std::string Prefix(const char* fault) {
        return std::string(fault) + std::to_string(::getpid()) + "-";
    }

    // On the test's state folder, with no more plugins than are needed.
    Service Gateway(const std::filesystem::path& state) {
        const Environment more = {{"PLUGIN_PATH", plugins_.path().string()}, {"LOG_LEVEL", "INFO"}};
        Service business = StartBusinessApi(state, data_port_, more);
        EXPECT_TRUE(Eventually(
            [&] {
                return business.Client().Get("/api/v1/models").body.find("\"available\"") !=
                       std::string::npos;
            },
            seconds(30)))
            << business.process->output();
        return business;
    }
    Service Gateway() { return Gateway(state_.path()); }

    void SetUp() override {
        std::filesystem::copy_file(AIM_BINARY_DIR "/plugins/groq.so", plugins_.path() / "groq.so");
        std::filesystem::permissions(plugins_.path(), std::filesystem::perms(0755));
        LedgerTest::SetUp();
    }

    // Polls until the time is over and somebody was answered meanwhile.
    static void GoOnFor(const Askers& askers, milliseconds time) {
        const std::size_t before = askers.answered_so_far();
        const auto until = SteadyClock::now() + time;
        EXPECT_TRUE(Eventually(
            [&] { return SteadyClock::now() >= until && askers.answered_so_far() > before; },
            time + seconds(30)));
    }

    // A row that is not the one that is counted, rated below it.
    void AddBad(const std::string& name, const std::string& script,
                const std::string& settings = "{}") {
        const HttpAnswer answer =
            data().Post("/api/v1/models", R"({"provider":"groq","name":)" + Quote(name) +
                                              ",\"endpoint\":" + Quote(provider().url()) +
                                              ",\"settings\":" + settings + "}");
        ASSERT_EQ(answer.status, 201) << answer.body;
        provider().Script(name, script);
    }

    // Like Settle, over all models of the test: what was answered is in the history once.
    void SettleAll(const char* fault, int times, const std::string& prefix, const Askers& askers) {
        const std::string mine = " WHERE request_id LIKE '" + prefix + "%'";
        const std::string rows =
            Sql("SELECT request_id FROM prompt_history" + mine + " AND status = 'success'");
        std::map<std::string, int> history;
        for (std::size_t at = 0; at < rows.size();) {
            const std::size_t end = std::min(rows.find('\n', at), rows.size());
            if (end > at) ++history[rows.substr(at, end - at)];
            at = end + 1;
        }
        Account account;
        for (const std::string& id : askers.answered()) account.lost += history.count(id) == 0;
        for (const auto& [id, count] : history) {
            account.doubled += count > 1;
            account.invented += !askers.HasAsked(id);
        }
        std::printf("| %s | %d | %zu | %zu | %zu | %zu | %lld ms |\n", fault, times,
                    askers.answered().size(), account.lost, account.doubled, account.invented,
                    static_cast<long long>(askers.longest_outage().count()));
        EXPECT_GT(askers.answered().size(), 10U);
        EXPECT_EQ(account.lost, 0U);
        EXPECT_EQ(account.doubled, 0U);
        EXPECT_EQ(account.invented, 0U);
        // As many outcomes as attempts were told.
        EXPECT_EQ(Sql("SELECT sum((attempts::text)::int) FROM prompt_history" + mine),
                  Sql("SELECT count(*) FROM request_outcomes" + mine));
    }

    // Of the models that began with nothing.
    void ExpectCountersAreSums() {
        EXPECT_EQ(Sql("SELECT count(*) FROM (SELECT m.total_requests - count(o.id) FILTER (WHERE "
                      "o.counts) AS d, m.successful_requests - count(o.id) FILTER (WHERE o.counts "
                      "AND o.outcome = 'success') AS s FROM ai_models m LEFT JOIN request_outcomes "
                      "o ON o.model_id = m.id GROUP BY m.id) x WHERE d <> 0 OR s <> 0"),
                  "0");
    }

    const TemporaryFolder plugins_;
};

// The bad ones begin with the best rating there is, so that each is tried until it is found out,
// and again whenever its breaker or cooldown lets it.
TEST_F(ChaosTest, ProvidersThatFailInEveryWay) {
    Service data_api = DataApi();
    AddBad("breaks", R"([{"status":500},{"reset":true},{"garbage":true},{"status":502,"body":"x"},
                         {"text":"a b","cut_after_bytes":10},{"body":"{\"choices\":[{"},
                         {"error_in_stream":{"message":"no","type":"server_error"}},
                         {"text":"Fine."}])");
    AddBad("limits", R"([{"text":"Fine."},{"status":429,"headers":{"retry-after":"1"}}])");
    AddBad("stalls", R"([{"never_answer":true},{"text":"Fine."}])",
           R"({"attempt_timeout_ms":100,"first_content_timeout_ms":100})");
    const Service business = Gateway();
    const std::string prefix = Prefix("pf");
    Askers askers(prefix, 4);
    askers.Aim(business.port);
    const pid_t process = business.process->pid();
    // What is needed for the load is there after a part of it; from then on nothing may grow.
    const milliseconds time = SoakTime(milliseconds(2000));
    GoOnFor(askers, time / 4);
    const std::size_t memory = ResidentKiB(process);
    const std::size_t files = OpenFiles(process);
    const std::size_t threads = Threads(process);
    GoOnFor(askers, time * 3 / 4);
    const std::size_t memory_after = ResidentKiB(process);
    std::printf(
        "soak of %lld s: memory %zu -> %zu KiB (%+.1f %%), files %zu -> %zu, threads %zu "
        "-> %zu\n",
        static_cast<long long>(std::chrono::duration_cast<seconds>(time).count()), memory,
        memory_after, (static_cast<double>(memory_after) / static_cast<double>(memory) - 1) * 100,
        files, OpenFiles(process), threads, Threads(process));
    EXPECT_EQ(Threads(process), threads);
    EXPECT_LE(OpenFiles(process), files + 32);
    // Figures for people in a long run; a sanitizer's memory grows by itself.
    EXPECT_LT(memory_after, memory * 3 + 256 * 1024);
    askers.Stop();
    AwaitDelivery(business);
    EXPECT_TRUE(askers.refusals().empty()) << *askers.refusals().begin();
    SettleAll("providers fail in every way", 1, prefix, askers);
    ExpectCountersAreSums();
}

TEST_F(ChaosTest, BusinessApisThatAreReplacedOneByOne) {
    Service data_api = DataApi();
    const TemporaryFolder second_state;
    const auto start = [&](bool second) {
        return std::make_unique<Service>(Gateway(second ? second_state.path() : state_.path()));
    };
    std::unique_ptr<Service> pair[2] = {start(false), start(true)};
    // What a balancer does: a request goes to one that is up; who goes is asked no more once it
    // says so, and what it has begun it finishes.
    std::atomic<int> target{0};
    std::atomic<std::uint16_t> ports[2] = {pair[0]->port, pair[1]->port};
    std::atomic<int> answered{0};
    std::atomic<int> lost{0};
    std::atomic<int> refused{0};
    const std::string request =
        "POST /api/v1/prompts HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        "X-API-Key: " +
        std::string(kCallerKey) + "\r\nContent-Length: 21\r\n\r\n{\"prompt\":\"count me\"}";
    std::vector<std::jthread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                HttpTestClient client(ports[target.load()].load(), seconds(30));
                if (!client.Connect()) continue;  // not a request yet
                const auto connected = SteadyClock::now();
                client.Send(request);
                // Who says nothing for long after it has connected is not waited for.
                const bool late = SteadyClock::now() - connected > milliseconds(100);
                const auto answer = client.ReadAnswer();
                if (answer && answer->status == 200) ++answered;
                if (answer && answer->status != 200) ++refused;
                if (!answer && !late) ++lost;
            }
        });
    }
    const int rounds = std::min(ChaosRounds(), 30) / 3 + 1;
    for (int round = 0; round < rounds; ++round) {
        const int going = round % 2;
        const int before = answered;
        target = going;  // the load is on the one that goes
        EXPECT_TRUE(Eventually([&] { return answered > before + 20; }));
        pair[going]->process->Signal(SIGTERM);
        EXPECT_TRUE(pair[going]->process->WaitForOutput("\"event\":\"draining\""));
        target = 1 - going;
        EXPECT_EQ(pair[going]->process->WaitForExit(seconds(40)), 0);
        pair[going].reset();
        pair[going] = start(going == 1);
        ports[going] = pair[going]->port;
    }
    clients.clear();
    AwaitDelivery(*pair[0]);
    AwaitDelivery(*pair[1]);
    std::printf("| SIGTERM business API | %d | %d | %d | - | - | - |\n", rounds, answered.load(),
                lost.load());
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(refused, 0);
    EXPECT_EQ(Sql("SELECT count(*) - count(DISTINCT request_id), count(*) >= " +
                  std::to_string(answered) + " FROM prompt_history WHERE ai_model_id = '" +
                  model_id_ + "' AND status = 'success'"),
              "0|t");
    ExpectCountersAreSums();
}

TEST_F(ChaosTest, ADataApiThatIsReplaced) {
    auto data_api = std::make_unique<Service>(DataApi());
    const Service business = Gateway();
    Askers askers(Prefix("td"), 2, kPause);
    askers.Aim(business.port);
    const int rounds = std::min(ChaosRounds(), 30) / 3 + 1;
    for (int round = 0; round < rounds; ++round) {
        GoOnFor(askers, milliseconds(200));
        EXPECT_EQ(data_api->process->Terminate(), 0);
        GoOnFor(askers, milliseconds(200));
        data_api = std::make_unique<Service>(DataApi());
    }
    askers.Stop();
    EXPECT_TRUE(askers.refusals().empty());
    AwaitDelivery(business);
    Settle("SIGTERM data API", rounds, askers);
}

TEST_F(ChaosTest, APostgresThatIsSilent) {
    Service data_api = DataApi();
    const Service business = Gateway();
    Askers askers(Prefix("pz"), 2, kPause);
    askers.Aim(business.port);
    ASSERT_TRUE(Eventually([&] { return askers.answered_so_far() > 20; }));
    test::PostgresFixture::Shared().Freeze();
    GoOnFor(askers, FaultTime(seconds(2)));
    test::PostgresFixture::Shared().Thaw();
    askers.Stop();
    EXPECT_TRUE(askers.refusals().empty());
    AwaitDelivery(business);
    Settle("PostgreSQL silent (SIGSTOP)", 1, askers);
}

// The better model is away while a worse one answers. A slow client's clock runs meanwhile: both
// need some fifteen seconds.
TEST_F(ChaosTest, AProviderThatComesBackAndClientsThatAreSlow) {
    Service data_api = DataApi();
    AddBad("better", R"({"status":500})");
    const std::string better = Sql("SELECT id FROM ai_models WHERE name = 'better'");
    // Rated better whatever happens in these seconds: the other one is slow and fails at times.
    Sql("UPDATE ai_models SET total_requests = 1000000, successful_requests = 1000000 WHERE id = "
        "'" +
        better + "'");
    Sql("UPDATE ai_models SET total_requests = 1000000, successful_requests = 500000, "
        "failed_requests = 500000 WHERE id = '" +
        model_id_ + "'");
    const Service business = Gateway();
    ASSERT_TRUE(Eventually([&] {
        const json::Document models = Json(business.Client().Get("/api/v1/models").body);
        return models.root().At(0).Get("name").StringOr("") == "better" &&
               models.root().At(0).Get("total_requests").Int64Or(0) >= 1000000;
    })) << business.Client().Get("/api/v1/models").body;

    // Clients that never come to an end, from the beginning on.
    std::vector<HttpTestClient> slow_heads;
    std::vector<HttpTestClient> silent;
    for (int i = 0; i < 100; ++i) {
        slow_heads.push_back(business.Client());
        ASSERT_TRUE(slow_heads.back().Send("POST /api/v1/prompts HTTP/1.1\r\nHost: h\r\n"));
        silent.push_back(business.Client());
        ASSERT_TRUE(silent.back().Connect());
    }
    HttpTestClient slow_body = business.Client();
    ASSERT_TRUE(slow_body.Send(
        "POST /api/v1/prompts HTTP/1.1\r\nHost: h\r\nX-API-Key: " + std::string(kCallerKey) +
        "\r\nContent-Type: application/json\r\nContent-Length: "
        "1000\r\n\r\n{\"prompt\""));
    std::jthread drip([&](const std::stop_token& stop) {  // a byte at a time resets nothing
        while (!stop.stop_requested()) {
            for (HttpTestClient& client : slow_heads)
                ::send(client.socket(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            std::this_thread::sleep_for(milliseconds(200));
        }
    });

    const std::string prefix = Prefix("cb");
    Askers askers(prefix, 2, kPause);
    askers.Aim(business.port);
    EXPECT_TRUE(Eventually([&] { return StateIn(business, "better") == "open"; }));
    const auto opened = SteadyClock::now();
    provider().Script("better", R"({"text":"Back."})");
    const std::string answers = R"(aimanager_attempts_total{model="better",outcome="success"})";
    const bool back = Eventually([&] { return Metric(business, answers) > 5; }, seconds(60));
    const auto recovered = std::chrono::duration_cast<milliseconds>(SteadyClock::now() - opened);
    EXPECT_TRUE(back);
    std::printf("a provider that was away: traffic is back on it %lld ms after its fault ended\n",
                static_cast<long long>(recovered.count()));
    // The promise is 30 s; a machine that is busy with something else gets more.
    EXPECT_LT(recovered, seconds(45));
    EXPECT_GE(recovered, seconds(10));  // the breaker kept it away meanwhile
    askers.Stop();
    AwaitDelivery(business);
    SettleAll("a provider is away and comes back", 1, prefix, askers);

    drip.request_stop();
    drip.join();
    for (HttpTestClient& client : slow_heads) EXPECT_TRUE(client.WaitForClose(seconds(30)));
    EXPECT_TRUE(slow_body.WaitForClose(seconds(30)));
    // Between requests a connection may be silent for longer.
    EXPECT_EQ(silent.front().Get("/health").status, 200);
    std::printf("| slow heads and bodies | %zu | - | 0 | 0 | 0 | - |\n", slow_heads.size() + 1);
}

}  // namespace
}  // namespace aim::gateway
