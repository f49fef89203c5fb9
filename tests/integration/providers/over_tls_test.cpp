// Every plugin through the whole gateway over HTTPS, with an authority that the gateway was told to
// trust: many at once with faults among them, servers that are not who they should be, redirects.
#include <cstdlib>
#include <functional>
#include <set>

#include "tests/integration/providers/providers_test_base.hpp"
#include "tests/support/tls_authority.hpp"

namespace aim::gateway {
namespace {

using aim::testing::TlsAuthority;
using aim::testing::TlsLeafRequest;

constexpr int kHintSeconds = 100;

// "Too many requests", with the hint where this provider has it.
std::string LimitedBy(std::string_view plugin) {
    const std::string seconds = std::to_string(kHintSeconds);
    if (plugin == "gemini")
        return R"({"status":429,"body":{"error":{"code":429,"message":"You exceeded your quota.",)"
               R"("status":"RESOURCE_EXHAUSTED","details":[{"@type":)"
               R"("type.googleapis.com/google.rpc.RetryInfo","retryDelay":")" +
               seconds + R"(s"}]}}})";
    if (plugin == "cloudflare")
        return R"({"status":429,"headers":{"retry-after":")" + seconds +
               R"("},"body":{"result":null,"success":false,"errors":[{"code":10429,)"
               R"("message":"Rate limited"}],"messages":[]}})";
    if (plugin == "replicate")
        return R"({"status":429,"body":{"title":"Too many requests","detail":)"
               R"("Request was throttled. Expected available in )" +
               seconds + R"( seconds.","status":429,"type":"about:blank"}})";
    return R"({"status":429,"headers":{"retry-after":")" + seconds + R"("}})";
}

// One way of asking and failing; each has a row of its own.
struct Fault {
    const char* name;
    bool streamed;
    bool may_be_cut;     // content may have gone out before it failed
    const char* script;  // null: the provider's own limit; empty: none
};
constexpr Fault kFaults[] = {
    {"limited", false, false, nullptr},
    {"limited-stream", true, false, nullptr},
    {"broken", false, false, R"({"status":503})"},
    {"broken-stream", true, false, R"({"status":500})"},
    {"half", false, false, R"({"cut_after_bytes":20})"},
    {"error", false, false, R"({"error_in_stream":{}})"},
    {"error-first", true, false, R"({"error_in_stream":{}})"},
    {"error-later", true, true,
     R"({"error_in_stream":{},"error_after_chunks":2,"split":64,"split_delay_ms":20})"},
    {"cut", true, true, R"({"cut_after_chunks":2,"split":64,"split_delay_ms":20})"},
};
// Fewer than what opens the breaker, so that each is really asked.
constexpr std::size_t kEach = 4;
constexpr std::size_t kAtOnce = 50;

class OverTlsTest : public ProvidersTest {
  protected:
    static void SetUpTestSuite() {
        authority_ = std::make_unique<TlsAuthority>();
        files_ = std::make_unique<TemporaryFolder>();
        authority_->WriteFiles(files_->path(), authority_->Issue());
        secure_ = std::make_unique<FakeProvider>(Options(*authority_, {}));
        StartGateway(AllProviders(), {{"SSL_CERT_FILE", (files_->path() / "ca.pem").string()}});
    }
    static void TearDownTestSuite() {
        StopGateway();
        secure_.reset();
        files_.reset();
        authority_.reset();
    }
    void SetUp() override {
        ProvidersTest::SetUp();
        secure_->Reset();
    }

    static aim::testing::ServerOptions Options(const TlsAuthority& authority,
                                               const TlsLeafRequest& leaf) {
        const aim::testing::TlsCertificate made = authority.Issue(leaf);
        aim::testing::ServerOptions options;
        options.certificate_pem = made.certificate_pem;
        options.key_pem = made.key_pem;
        return options;
    }

    static std::string Saying(const std::string& prompt) {
        return R"("messages":[{"role":"user","content":)" + Quote(prompt) + "}]";
    }
    // A question to this model and no other one.
    static std::function<Reply()> Alone(const std::string& name, bool streamed) {
        return [name, streamed] {
            const std::string more = R"("fallback":false,)" + Saying("Hi");
            return streamed ? AskStreamed(name, more) : Ask(name, more);
        };
    }

    // What arrived at a provider came with its own key, in its own header.
    static void ExpectOwnKeys(const FakeProvider& server) {
        for (const RecordedRequest& request : server.Requests()) {
            for (const Provider& provider : AllProviders()) {
                if (!request.path.starts_with(provider.path)) continue;
                EXPECT_EQ(request.Header(provider.header), AuthorizationOf(provider))
                    << request.path;
                if (std::string_view(provider.plugin) == "cloudflare") {
                    EXPECT_NE(request.path.find("/accounts/acct1/"), std::string::npos)
                        << request.path;
                }
            }
            EXPECT_EQ(request.path.find("canary"), std::string::npos) << request.path;
            EXPECT_EQ(request.body.find("canary"), std::string::npos) << request.path;
        }
    }

    static inline std::unique_ptr<TlsAuthority> authority_;
    static inline std::unique_ptr<TemporaryFolder> files_;
    static inline std::unique_ptr<FakeProvider> secure_;
};

class NativeOverTlsTest : public OverTlsTest, public ::testing::WithParamInterface<Provider> {};

// Each answer is the one to its own prompt: whole, or cut and said to be. None is lost.
TEST_P(NativeOverTlsTest, FiftyAtOnceWithFaultsAreEachAnsweredRight) {
    const Provider& provider = GetParam();
    const std::string plugin = provider.plugin;
    const std::string endpoint = Origin(*secure_) + provider.path;
    const std::string good = plugin + "-good";
    std::vector<Row> rows = {{good, provider.column, endpoint}};
    for (const Fault& fault : kFaults) {
        const std::string name = plugin + "-" + fault.name;
        rows.push_back({name, provider.column, endpoint, true});
        secure_->Script(name, fault.script == nullptr ? LimitedBy(plugin) : fault.script);
    }
    AddRows(rows);

    // Never asked before, also when the test is repeated.
    static int run = 0;
    const std::string mark = plugin + "-" + std::to_string(++run) + "-";
    struct Asked {
        std::string model;
        std::string prompt;
        bool streamed;
        bool may_be_cut;
    };
    std::vector<Asked> asked;
    for (std::size_t i = 0; i < kAtOnce; ++i) {
        const std::string prompt = "Say " + mark + std::to_string(i * 7919 + 10'000) + " !";
        // The good ones between the others.
        const std::size_t fault = i % (kAtOnce / kEach);
        if (fault < std::size(kFaults) && i < kEach * (kAtOnce / kEach)) {
            const Fault& way = kFaults[fault];
            asked.push_back({plugin + "-" + way.name, prompt, way.streamed, way.may_be_cut});
        } else {
            asked.push_back({good, prompt, i % 2 == 0, false});
        }
    }
    std::vector<std::function<Reply()>> questions;
    for (const Asked& one : asked) {
        questions.emplace_back([&one] {
            return one.streamed ? AskStreamed(one.model, Saying(one.prompt))
                                : Ask(one.model, Saying(one.prompt));
        });
    }
    const std::vector<Reply> replies = AtOnce(questions);
    ASSERT_EQ(replies.size(), kAtOnce);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const Reply& reply = replies[i];
        SCOPED_TRACE(asked[i].model + ": " + reply.body);
        const std::string answer = "echo: " + asked[i].prompt;
        EXPECT_EQ(reply.status, 200);
        if (!reply.error) {
            EXPECT_EQ(reply.text, answer);
            EXPECT_TRUE(reply.done);
            EXPECT_EQ(reply.finish, "stop");
            EXPECT_EQ(reply.total_tokens, 8);
            EXPECT_EQ(reply.model, good);
        } else {
            EXPECT_TRUE(asked[i].may_be_cut);
            EXPECT_EQ(reply.model, asked[i].model);
            EXPECT_FALSE(reply.done);
            EXPECT_FALSE(reply.text.empty());
            EXPECT_LT(reply.text.size(), answer.size());
            EXPECT_TRUE(answer.starts_with(reply.text));
        }
    }
    // Each once in the history, as itself.
    const std::string mine = " FROM prompt_history WHERE prompt_text LIKE 'Say " + mark + "%'";
    EXPECT_TRUE(Eventually([&] { return Sql("SELECT count(*)" + mine) == "50"; }))
        << Sql("SELECT count(*)" + mine);
    EXPECT_EQ(Sql("SELECT count(DISTINCT prompt_text)" + mine), "50");
    EXPECT_EQ(Sql("SELECT count(*)" + mine +
                  " AND status = 'success' AND response_text = 'echo: ' || prompt_text"),
              Sql("SELECT count(*)" + mine + " AND status = 'success'"));

    // The hint was understood, in the form that this provider has.
    const Reply limited = Ask(plugin + "-limited", R"("fallback":false,)" + Saying("Hi"));
    EXPECT_EQ(limited.status, 429) << limited.body;
    const int hint = std::atoi(limited.retry_after.c_str());
    EXPECT_GT(hint, 10) << limited.body;
    EXPECT_LE(hint, kHintSeconds) << limited.body;

    EXPECT_GT(secure_->Counters().tls_handshakes, 0U);
    std::set<std::string> seen;
    for (const RecordedRequest& request : secure_->Requests()) seen.insert(request.model);
    for (const Row& row : rows) EXPECT_EQ(seen.count(row.name), 1U) << row.name;
    ExpectOwnKeys(*secure_);
}

INSTANTIATE_TEST_SUITE_P(Natives, NativeOverTlsTest, ::testing::ValuesIn(kNatives),
                         [](const auto& info) { return std::string(info.param.plugin); });

TEST_F(OverTlsTest, TheFamilyAnswersEachItsOwnPrompt) {
    std::vector<Row> rows;
    for (const Provider& family : kFamily)
        rows.push_back(
            {family.plugin + std::string("-tls"), family.column, Origin(*secure_) + family.path});
    AddRows(rows);
    std::vector<std::string> prompts;
    for (std::size_t i = 0; i < 5 * rows.size(); ++i)
        prompts.push_back("Say family-" + std::to_string(i * 7919 + 10'000) + " !");
    std::vector<std::function<Reply()>> questions;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        questions.emplace_back([&, i] {
            const std::string& model = rows[i % rows.size()].name;
            const std::string more = R"("fallback":false,)" + Saying(prompts[i]);
            return i % 2 == 0 ? AskStreamed(model, more) : Ask(model, more);
        });
    }
    const std::vector<Reply> replies = AtOnce(questions);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        SCOPED_TRACE(rows[i % rows.size()].name + ": " + replies[i].body);
        EXPECT_EQ(replies[i].status, 200);
        EXPECT_EQ(replies[i].text, "echo: " + prompts[i]);
        EXPECT_TRUE(replies[i].done);
    }
    ExpectOwnKeys(*secure_);
}

// Refused in the handshake: not one byte of a request is sent, so no key either.
TEST_F(OverTlsTest, AServerThatIsNotWhoItShouldBeGetsNothing) {
    using std::chrono::hours;
    const TlsAuthority stranger;
    struct Case {
        const char* name;
        FakeProvider server;
        const char* reason;
    };
    Case cases[] = {
        {"name",
         FakeProvider(Options(*authority_, {.names = {"other.test"}, .addresses = {"127.0.0.9"}})),
         "mismatch"},
        {"expired",
         FakeProvider(Options(*authority_, {.valid_from = hours(-48), .valid_until = hours(-24)})),
         "expired"},
        {"future",
         FakeProvider(Options(*authority_, {.valid_from = hours(24), .valid_until = hours(48)})),
         "not yet valid"},
        {"stranger", FakeProvider(Options(stranger, {})), "certificate"},
    };
    std::vector<Row> rows;
    std::vector<std::function<Reply()>> questions;
    for (const Case& c : cases) {
        for (const Provider& provider : AllProviders()) {
            const std::string name = provider.plugin + std::string("-") + c.name;
            rows.push_back({name, provider.column, Origin(c.server) + provider.path});
            const bool streamed = rows.size() % 2 == 0;
            questions.push_back(Alone(name, streamed));
        }
    }
    AddRows(rows);
    const std::vector<Reply> replies = AtOnce(questions);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        SCOPED_TRACE(rows[i].name + ": " + replies[i].body);
        EXPECT_EQ(replies[i].status, 502);
        EXPECT_NE(replies[i].body.find("all_models_failed"), std::string::npos);
        EXPECT_NE(replies[i].body.find("upstream_failure"), std::string::npos);
        EXPECT_EQ(replies[i].body.find("canary"), std::string::npos);
    }
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_GT(c.server.Counters().connections_total, 0U);
        EXPECT_EQ(c.server.Counters().requests, 0U);
        EXPECT_TRUE(c.server.Requests().empty());
        // The operator is told why.
        EXPECT_TRUE(Eventually([&] {
            const std::string output = gateway_->process->output();
            return output.find(c.reason) != std::string::npos;
        }));
    }
    EXPECT_NE(gateway_->process->output().find("\"code\":\"tls_failure\""), std::string::npos);
}

// None is followed, so the key stays where it was meant to go; the caller gets an error.
TEST_F(OverTlsTest, ARedirectIsNotFollowedAndCarriesNoKeyAway) {
    const FakeProvider elsewhere(Options(*authority_, {}));
    const FakeProvider plain;
    std::vector<Row> rows;
    std::vector<std::function<Reply()>> questions;
    for (const int status : {301, 302, 303, 307, 308}) {
        for (const Provider& provider : AllProviders()) {
            const std::string name = provider.plugin + std::string("-") + std::to_string(status);
            rows.push_back({name, provider.column, Origin(*secure_) + provider.path});
            const bool streamed = rows.size() % 2 == 0;
            const std::string target =
                Origin(rows.size() % 3 == 0 ? plain : elsewhere) + provider.path;
            secure_->Script(name, R"({"status":)" + std::to_string(status) +
                                      R"(,"headers":{"location":)" + Quote(target) +
                                      R"(},"body":""})");
            questions.push_back(Alone(name, streamed));
        }
    }
    AddRows(rows);
    const std::vector<Reply> replies = AtOnce(questions);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        SCOPED_TRACE(rows[i].name + ": " + replies[i].body);
        EXPECT_EQ(replies[i].status, 502);
        EXPECT_NE(replies[i].body.find("all_models_failed"), std::string::npos);
    }
    EXPECT_EQ(secure_->Requests().size(), rows.size());
    EXPECT_EQ(elsewhere.Counters().connections_total, 0U);
    EXPECT_EQ(plain.Counters().connections_total, 0U);
    ExpectOwnKeys(*secure_);
}

}  // namespace
}  // namespace aim::gateway
