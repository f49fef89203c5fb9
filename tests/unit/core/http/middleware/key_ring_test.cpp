#include "core/http/middleware/key_ring.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace aim::http {
namespace {

using security::Scope;
using security::ScopeSet;
using Verdict = KeyVerifier::Verdict;

security::ApiKeyEntry Entry(const std::string& id, const std::string& secret) {
    security::ApiKeyEntry entry;
    entry.id = id;
    entry.digest = security::Sha256(secret);
    entry.scopes = static_cast<ScopeSet>(Scope::kPrompts);
    entry.use = std::make_shared<security::ApiKeyUse>();
    return entry;
}

std::shared_ptr<const security::ApiKeyTable> TableOf(std::vector<security::ApiKeyEntry> entries) {
    return std::make_shared<const security::ApiKeyTable>(std::move(entries));
}

class KeyRingTest : public ::testing::Test {
  protected:
    KeyRingTest() { ring_->AddConfigured("bootstrap", SecretString("the-bootstrap-key")); }

    // The status of a request with this key to a route that needs the scope; 200 when it passes.
    int Ask(const std::string& key, Scope scope = Scope::kPrompts) {
        AuthMiddleware auth(ring_);
        const Route route{Method::kPost, "/x", {.scope = scope}, PlainHandler()};
        request_ = Request();
        request_.target = "/x";
        request_.headers.Add("X-API-Key", key);
        auto refused = auth.Before(request_, &route);
        answer_ = refused ? std::move(*refused) : Response{};
        return answer_.status;
    }

    aim::testing::FakeClock clock_;
    std::shared_ptr<KeyRing> ring_ = std::make_shared<KeyRing>(clock_);
    Request request_;
    Response answer_;
};

TEST_F(KeyRingTest, WithoutATableOnlyConfiguredKeysCanBeVerified) {
    EXPECT_EQ(Ask("the-bootstrap-key", Scope::kAdmin), 200);
    EXPECT_EQ(request_.key_id, "bootstrap");
    EXPECT_FALSE(request_.key_rate_limit);
    EXPECT_EQ(Ask("unknown"), 503);
    EXPECT_THAT(answer_.body, ::testing::HasSubstr("cannot_verify_key"));
    ring_->Publish(TableOf({}));
    EXPECT_EQ(Ask("unknown"), 401);
    EXPECT_EQ(Ask("the-bootstrap-key"), 200);
}

TEST_F(KeyRingTest, AKeyIsValidFromItsTableUntilTheNext) {
    ring_->Publish(TableOf({Entry("one", "secret-one"), Entry("two", "secret-two")}));
    EXPECT_EQ(Ask("secret-one"), 200);
    EXPECT_EQ(request_.key_id, "one");
    ring_->Publish(TableOf({Entry("two", "secret-two")}));
    EXPECT_EQ(Ask("secret-one"), 401);
    EXPECT_EQ(request_.key_id, "");
    EXPECT_EQ(Ask("secret-two"), 200);
}

TEST_F(KeyRingTest, TwoRingsAreNotTakenForEachOther) {
    KeyRing other(clock_);
    ring_->Publish(TableOf({Entry("one", "secret-one")}));
    other.Publish(TableOf({Entry("two", "secret-two")}));
    EXPECT_EQ(ring_->Verify("secret-one").verdict, Verdict::kValid);
    EXPECT_EQ(other.Verify("secret-one").verdict, Verdict::kInvalid);
    EXPECT_EQ(other.Verify("secret-two").verdict, Verdict::kValid);
    EXPECT_EQ(ring_->Verify("secret-two").verdict, Verdict::kInvalid);
}

TEST_F(KeyRingTest, AScopeThatIsMissingIsNamed) {
    ring_->Publish(TableOf({Entry("one", "secret-one")}));
    EXPECT_EQ(Ask("secret-one", Scope::kNone), 200);
    EXPECT_EQ(Ask("secret-one", Scope::kPrompts), 200);
    EXPECT_EQ(Ask("secret-one", Scope::kHistory), 403);
    EXPECT_THAT(answer_.body, ::testing::HasSubstr("\"forbidden\""));
    EXPECT_THAT(answer_.body, ::testing::HasSubstr(R"("scope":"history")"));
    EXPECT_EQ(answer_.headers.Find("WWW-Authenticate"), "");
    EXPECT_EQ(Ask("secret-one", Scope::kAdmin), 403);
    EXPECT_THAT(answer_.body, ::testing::HasSubstr(R"("scope":"admin")"));
}

TEST_F(KeyRingTest, AKeyEndsWhenItsTimeIsOver) {
    security::ApiKeyEntry entry = Entry("one", "secret-one");
    entry.valid_until = clock_.WallNow() + std::chrono::seconds(10);
    ring_->Publish(TableOf({entry}));
    EXPECT_EQ(Ask("secret-one"), 200);
    clock_.Advance(std::chrono::seconds(9));
    EXPECT_EQ(Ask("secret-one"), 200);
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_EQ(Ask("secret-one"), 401);
}

TEST_F(KeyRingTest, UseAndLimitOfAKeyAreKnown) {
    security::ApiKeyEntry entry = Entry("one", "secret-one");
    entry.rate_limit_per_minute = 0;
    ring_->Publish(TableOf({entry}));
    EXPECT_EQ(entry.use->last_ms(), 0);
    EXPECT_EQ(Ask("secret-one"), 200);
    EXPECT_EQ(request_.key_rate_limit, 0U);
    EXPECT_EQ(entry.use->last_ms(), std::chrono::duration_cast<std::chrono::milliseconds>(
                                        clock_.WallNow().time_since_epoch())
                                        .count());
}

TEST_F(KeyRingTest, AConfiguredKeyMayHaveALimitOfItsOwnAndNeverBeEmpty) {
    ring_->AddConfigured("bot", SecretString("the-bots-key"), 0);
    ring_->AddConfigured("nobody", SecretString());
    EXPECT_EQ(Ask("the-bots-key"), 200);
    EXPECT_EQ(request_.key_id, "bot");
    EXPECT_EQ(request_.key_rate_limit, 0U);
    EXPECT_EQ(ring_->Verify("").verdict, Verdict::kCannotVerify);
}

TEST_F(KeyRingTest, ThreadsSeeOneTableOrTheOther) {
    ring_->Publish(TableOf({Entry("one", "secret-one")}));
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 3; ++i) {
        callers.emplace_back([&] {
            while (!stop.load()) {
                const auto answer = ring_->Verify("secret-one");
                wrong += answer.verdict != Verdict::kValid || answer.key_id != "one";
                wrong += ring_->Verify("unknown").verdict != Verdict::kInvalid;
            }
        });
    }
    for (int i = 0; i < 200; ++i)
        ring_->Publish(TableOf({Entry("one", "secret-one"), Entry("n", std::to_string(i))}));
    stop = true;
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace aim::http
