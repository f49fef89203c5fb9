// Every row of the failure policy through business API, data API and a provider that fails so.
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error_kind.hpp"
#include "core/resilience/attempt_policy.hpp"
#include "tests/integration/failures/failures_test_base.hpp"
#include "tests/integration/failures/policy_cases.hpp"
#include "tests/support/tls_authority.hpp"

namespace aim::gateway {
namespace {

using std::chrono::seconds;

// How a case is asked. Each has a row of its own, for a failure changes the row's state.
enum Way { kPrompt, kPromptAlone, kChatAlone, kStream, kStreamAlone, kWays };
constexpr const char* kWayNames[] = {"prompt", "prompt-alone", "chat-alone", "stream",
                                     "stream-alone"};
constexpr const char* kGood = "good";

bool IsStreamed(int way) { return way >= kStream; }
std::string NameOf(const PolicyCase& failure, int way) {
    return std::string(failure.name) + "-" + kWayNames[way];
}

// A listening socket that accepts nobody and whose queue is full, so that a connect to it hangs.
class FullQueue {
  public:
    FullQueue() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 0), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        for (int& client : clients_) {
            client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            ::connect(client, reinterpret_cast<sockaddr*>(&address), size);
        }
    }
    ~FullQueue() {
        for (const int client : clients_) ::close(client);
        ::close(listener_);
    }
    FullQueue(const FullQueue&) = delete;
    FullQueue& operator=(const FullQueue&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

  private:
    int listener_ = -1;
    int clients_[4] = {-1, -1, -1, -1};
    std::uint16_t port_ = 0;
};

aim::testing::ServerOptions WithTls() {
    const aim::testing::TlsAuthority authority;
    const aim::testing::TlsCertificate leaf = authority.Issue();
    aim::testing::ServerOptions options;
    options.certificate_pem = leaf.certificate_pem;
    options.key_pem = leaf.key_pem;
    return options;
}

// All cases are asked at once, in the first test; each test looks at its own.
class FailurePolicyTest : public FailuresTest, public ::testing::WithParamInterface<PolicyCase> {
  protected:
    struct Asked {
        std::map<std::string, Reply> replies;         // by row
        std::map<std::string, std::string> states;    // of the rows, afterwards
        std::map<std::string, std::size_t> arrived;   // requests at the fake provider
        std::map<std::string, std::string> history;   // "status|attempts|model|text" by request id
        std::map<std::string, std::string> outcomes;  // by request id
    };

    void SetUp() override {
        if (!asked_) AskAll();
    }
    static void TearDownTestSuite() { asked_.reset(); }

    void AskAll();
    std::string EndpointOf(const PolicyCase& failure) const;
    void ReadRows(const std::string& sql, std::map<std::string, std::string>& into);

    static inline std::unique_ptr<Asked> asked_;

    FakeProvider tls_{WithTls()};
    FullQueue full_;
    const std::uint16_t nobody_ = test::FreePort();
};

std::string FailurePolicyTest::EndpointOf(const PolicyCase& failure) const {
    const std::string port = std::to_string(provider().port());
    switch (failure.place) {
        case Place::kFake:
            return provider().url();
        case Place::kMock:
            return "mock://fails";
        case Place::kRefused:
            return "http://127.0.0.1:" + std::to_string(nobody_) + "/v1";
        case Place::kNoName:
            // A label may have 63 characters, so that no name server is asked.
            return "http://" + std::string(70, 'n') + ".localhost/v1";
        case Place::kUntrusted:
            return tls_.url();
        case Place::kTlsToPlain:
            return "https://127.0.0.1:" + port + "/openai/v1";
        case Place::kPlainToTls:
            return "http://127.0.0.1:" + std::to_string(tls_.port()) + "/openai/v1";
        case Place::kFull:
            return full_.url();
    }
    return {};
}

void FailurePolicyTest::ReadRows(const std::string& sql, std::map<std::string, std::string>& into) {
    std::istringstream rows(Sql(sql));
    for (std::string line; std::getline(rows, line);) {
        const std::size_t bar = line.find('|');
        if (bar != std::string::npos) into[line.substr(0, bar)] = line.substr(bar + 1);
    }
}

void FailurePolicyTest::AskAll() {
    FailuresTest::SetUp();
    asked_ = std::make_unique<Asked>();
    const Service& business = stack().business_api;
    std::vector<Row> rows = {{kGood, provider().url()}};
    provider().Script(kGood, R"({"text":"From good."})");
    std::vector<std::function<void()>> questions;
    for (const PolicyCase& failure : PolicyCases()) {
        for (int way = 0; way < kWays; ++way) {
            Row row;
            row.name = NameOf(failure, way);
            row.endpoint = EndpointOf(failure);
            row.settings = IsStreamed(way) ? failure.stream_settings : failure.whole_settings;
            row.worst = true;
            if (failure.place == Place::kMock) {
                row.provider = "mock";
                row.settings = failure.script;
            } else if (failure.place != Place::kFake) {
                row.provider = "openai_compatible";  // no key, so that no rule about hosts applies
            } else {
                provider().Script(row.name, failure.script);
            }
            const std::string name = row.name;
            rows.push_back(std::move(row));
            Reply& reply = asked_->replies[name];
            questions.emplace_back([&reply, &business, name, way] {
                if (way == kPrompt) reply = AskPrompt(business, name);
                if (way == kPromptAlone) reply = AskPrompt(business, name, kAlone);
                if (way == kChatAlone) reply = AskChat(business, name, kAlone);
                if (way == kStream) reply = AskChatStream(business, name);
                if (way == kStreamAlone) reply = AskChatStream(business, name, kAlone);
            });
        }
    }
    AddRows(rows);
    AtOnce(questions, 24);
    asked_->states = States(business);
    for (const RecordedRequest& request : provider().Requests()) ++asked_->arrived[request.model];
    AwaitDelivery(business);
    ReadRows(
        "SELECT request_id, status || '|' || attempts || '|' || coalesce(model_name, '') || '|' || "
        "coalesce(response_text, '') FROM prompt_history",
        asked_->history);
    ReadRows(
        "SELECT o.request_id, string_agg(m.name || ':' || o.outcome, ' ' ORDER BY o.id) FROM "
        "request_outcomes o JOIN ai_models m ON m.id = o.model_id GROUP BY 1",
        asked_->outcomes);
}

TEST_P(FailurePolicyTest, IsFollowed) {
    const PolicyCase& failure = GetParam();
    for (int way = 0; way < kWays; ++way) {
        const std::string name = NameOf(failure, way);
        SCOPED_TRACE(name);
        const Reply& reply = asked_->replies[name];
        SCOPED_TRACE(reply.answer.body.substr(0, 2000));
        const bool streamed = IsStreamed(way);
        const bool alone = way != kPrompt && way != kStream;
        const bool cut = streamed && failure.after_content;
        const bool falls_back = failure.falls_back && !alone && !cut;
        const std::string outcome = streamed ? failure.streamed_outcome : failure.outcome;
        const bool timed_out = outcome == "upstream_timeout";
        EXPECT_TRUE(reply.finished);

        std::string history;
        std::string outcomes = name + ":" + outcome;
        if (falls_back) {
            EXPECT_EQ(reply.status(), 200);
            EXPECT_EQ(reply.Header("X-AIManager-Model"), kGood);
            EXPECT_EQ(reply.Header("X-AIManager-Attempts"), "2");
            if (streamed) {
                EXPECT_EQ(reply.text, "From good.");
                EXPECT_TRUE(reply.done);
                EXPECT_EQ(reply.answer.body.find("\"error\""), std::string::npos);
            } else {
                const json::Document document = Json(reply.answer.body);
                EXPECT_EQ(document.root().Get("response").StringOr(""), "From good.");
                const json::Value attempts = document.root().Get("attempts");
                EXPECT_EQ(attempts.size(), 2U);
                EXPECT_EQ(attempts.At(0).Get("model").StringOr(""), name);
                EXPECT_EQ(attempts.At(0).Get("outcome").StringOr(""), outcome);
                EXPECT_EQ(attempts.At(1).Get("model").StringOr(""), kGood);
                EXPECT_EQ(attempts.At(1).Get("outcome").StringOr(""), "success");
            }
            history = "success|2|good|From good.";
            outcomes += " good:success";
        } else if (cut) {
            // Content was sent: an error event, no terminator, nothing of another model.
            EXPECT_EQ(reply.status(), 200);
            EXPECT_EQ(reply.Header("X-AIManager-Model"), name);
            EXPECT_TRUE(reply.text.starts_with("a")) << reply.text;
            EXPECT_FALSE(reply.done);
            EXPECT_EQ(reply.answer.body.find("[DONE]"), std::string::npos);
            ASSERT_FALSE(reply.events.empty());
            const json::Document last = Json(reply.events.back());
            EXPECT_FALSE(last.root().Get("error").Get("message").StringOr("").empty());
            history =
                std::string(timed_out ? "timeout" : "error") + "|1|" + name + "|" + reply.text;
        } else {
            EXPECT_EQ(reply.status(), failure.status);
            EXPECT_EQ(reply.Code(), failure.code);
            EXPECT_EQ(reply.Header("X-AIManager-Attempts"), "1");
            if (failure.status == 200) {
                // A safety rule's refusal is an answer.
                EXPECT_NE(reply.answer.body.find("\"finish_reason\":\"content_filter\""),
                          std::string::npos);
                EXPECT_EQ(reply.done, streamed);
            }
            if (failure.status == 429) {
                EXPECT_GE(std::atoi(reply.Header("Retry-After").c_str()), 1);
            }
            if (failure.status == 502) {
                EXPECT_EQ(reply.Header("X-Should-Retry"), "false");
                if (way == kPromptAlone) {
                    const json::Document document = Json(reply.answer.body);
                    const json::Value attempts = document.root().Get("context").Get("attempts");
                    EXPECT_EQ(attempts.size(), 1U);
                    EXPECT_EQ(attempts.At(0).Get("outcome").StringOr(""), outcome);
                }
            }
            history = failure.status == 200
                          ? "success|1|" + name + "|"
                          : std::string(timed_out ? "timeout" : "error") + "|1|" + name + "|";
        }
        EXPECT_EQ(asked_->history[reply.request_id()], history);
        EXPECT_EQ(asked_->outcomes[reply.request_id()], outcomes);
        EXPECT_EQ(asked_->states[name], failure.state);
        // Asked once; a kept connection that ends before the first byte of an answer is taken for a
        // stale one, and the request is sent again.
        if (failure.place == Place::kFake) {
            EXPECT_GE(asked_->arrived[name], 1U);
            EXPECT_LE(asked_->arrived[name], 2U);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, FailurePolicyTest,
                         ::testing::ValuesIn(PolicyCases().begin(), PolicyCases().end()),
                         [](const auto& info) { return std::string(info.param.name); });

// The page names each kind and each case, and nothing that is not tested.
TEST(FailurePolicyPage, NamesEveryKindAndEveryCase) {
    std::ostringstream text;
    text << std::ifstream(AIM_SOURCE_DIR "/core/docs/failure_policy.md").rdbuf();
    const std::string page = text.str();
    for (const resilience::FailureRule& rule : resilience::kFailurePolicy) {
        const std::string kind(ErrorKindName(rule.kind));
        EXPECT_NE(page.find("`" + kind + "`"), std::string::npos) << kind;
    }
    std::size_t named = 0;
    for (const PolicyCase& failure : PolicyCases()) {
        const bool found = page.find("`" + std::string(failure.name) + "`") != std::string::npos;
        EXPECT_TRUE(found) << failure.name;
        named += found;
    }
    EXPECT_EQ(named, PolicyCases().size());
}

// Five of a kind that counts open the breaker, five of another do not.
TEST_F(FailuresTest, FiveInARowOpenTheBreakerForTheKindsThatCount) {
    std::vector<Row> rows;
    std::vector<std::function<void()>> questions;
    const Service& business = stack().business_api;
    for (const resilience::FailureRule& rule : resilience::kFailurePolicy) {
        const std::string kind(ErrorKindName(rule.kind));
        const std::string name = "five-" + kind;
        rows.push_back({name, "mock://fails", "mock",
                        R"({"error_rate":1,"error_kind":")" + kind + "\"}", true});
        // A short limit would be waited out; the case status_429 has it.
        if (rule.action == resilience::ModelAction::kCoolDown) continue;
        questions.emplace_back([&business, name] {
            for (int i = 0; i < 5; ++i) AskPrompt(business, name, kAlone);
        });
    }
    AddRows(rows);
    AtOnce(questions);
    auto states = States(business);
    for (const resilience::FailureRule& rule : resilience::kFailurePolicy) {
        const std::string kind(ErrorKindName(rule.kind));
        std::string expected = rule.breaker_counts ? "open" : "available";
        if (rule.action == resilience::ModelAction::kPark) expected = "parked";
        // A provider that says so has failed (kind_cancelled).
        if (rule.kind == ErrorKind::kCancelled) expected = "open";
        EXPECT_EQ(states["five-" + kind], expected) << kind;
    }
    // What is not the provider's fault leaves its figures alone.
    AwaitDelivery(business);
    for (const char* kind : {"invalid_request", "content_filtered", "context_too_long"}) {
        EXPECT_EQ(Sql("SELECT total_requests FROM ai_models WHERE name = 'five-" +
                      std::string(kind) + "'"),
                  "1")
            << kind;  // the one that made it the worst
    }
}

}  // namespace
}  // namespace aim::gateway
