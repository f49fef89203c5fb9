#include "core/pipeline/stream_relay.hpp"

#include "tests/unit/core/pipeline/pipeline_fixture.hpp"

namespace aim::pipeline {
namespace {

class StreamRelayTest : public PipelineFixture {
  protected:
    void SetUp() override { AddModel("m"); }

    StreamRelay& relay() {
        if (!relay_) {
            relay_ = std::make_unique<StreamRelay>(writer_, std::make_unique<PlainFormat>(),
                                                   timers_, settings_, loop_.get_executor());
        }
        return *relay_;
    }
    bool Forward(std::string_view text) {
        std::optional<bool> written;
        completion::DeltaBatch batch;
        batch.AddText(completion::DeltaKind::kText, 0, text);
        boost::asio::co_spawn(loop_, relay().Forward(candidates_[0], batch),
                              [&](std::exception_ptr, bool value) { written = value; });
        EXPECT_TRUE(RunUntil([&] { return written.has_value(); }));
        return written.value_or(false);
    }
    std::size_t Comments() const {
        std::size_t count = 0;
        for (std::size_t at = writer_.body.find(kComment); at != std::string::npos;
             at = writer_.body.find(kComment, at + 1)) {
            ++count;
        }
        return count;
    }

    static constexpr std::string_view kComment = ": keep-alive\n\n";
    FakeWriter writer_;
    std::unique_ptr<StreamRelay> relay_;
};

TEST_F(StreamRelayTest, TheHeadComesWithTheFirstContentAndSaysWhoAnswers) {
    StreamRelay::AttemptFacts facts;
    facts.attempts = 3;
    facts.score = 95.5;
    facts.overhead = std::chrono::microseconds(42);
    relay().OnAttempt(facts);
    Settle();
    EXPECT_EQ(writer_.starts, 0);
    ASSERT_TRUE(Forward("a"));
    ASSERT_TRUE(Forward("b"));
    Await(relay().End({}));
    EXPECT_EQ(writer_.starts, 1);
    EXPECT_EQ(writer_.head.status, 200);
    EXPECT_EQ(writer_.head.headers.Find("X-AIManager-Model"), "m");
    EXPECT_EQ(writer_.head.headers.Find("X-AIManager-Attempts"), "3");
    EXPECT_EQ(writer_.head.headers.Find("X-AIManager-Score"), "95.5");
    EXPECT_EQ(writer_.head.headers.Find("X-AIManager-Overhead-Us"), "42");
    EXPECT_EQ(writer_.body, "a|b|END");
    EXPECT_TRUE(writer_.finished);
}

TEST_F(StreamRelayTest, CommentsComeWhileNothingElseDoes) {
    settings_.stream_comment = kSoon;
    ASSERT_TRUE(Forward("a"));
    ASSERT_TRUE(RunUntil([&] { return Comments() >= 3; }));
    ASSERT_TRUE(Forward("b"));
    Await(relay().End({}));
    // A comment stands between whole pieces, never inside one, and none comes after the end.
    EXPECT_TRUE(writer_.body.starts_with("a|: keep-alive\n\n: keep-alive\n\n")) << writer_.body;
    EXPECT_TRUE(writer_.body.ends_with("END")) << writer_.body;
    EXPECT_NE(writer_.body.find("b|"), std::string::npos);
    const std::string after = writer_.body;
    EXPECT_EQ(timers_.size(), 0U);  // nothing is armed any more
    Settle();
    EXPECT_EQ(writer_.body, after);
}

TEST_F(StreamRelayTest, NoCommentGoesOutBeforeTheHead) {
    settings_.stream_comment = kSoon;
    relay();
    EXPECT_EQ(timers_.size(), 0U);
    Await(relay().Close());
    EXPECT_EQ(writer_.starts, 0);
    EXPECT_TRUE(writer_.body.empty());
}

TEST_F(StreamRelayTest, AnEarlyHeadGoesOutWithACommentAndLeavesTheModelOut) {
    settings_.early_stream_head = kSoon;
    relay();
    ASSERT_TRUE(RunUntil([&] { return Comments() == 1; }));
    EXPECT_TRUE(relay().started());
    EXPECT_EQ(writer_.head.status, 200);
    EXPECT_TRUE(writer_.head.headers.Find("X-AIManager-Model").empty());
    ASSERT_TRUE(Forward("late"));
    EXPECT_EQ(writer_.starts, 1);
    Await(relay().End({}));
    EXPECT_EQ(writer_.body, std::string(kComment) + "late|END");
}

TEST_F(StreamRelayTest, AFailureAfterAnEarlyHeadIsAnErrorEventWithoutTheTerminator) {
    settings_.early_stream_head = kSoon;
    relay();
    ASSERT_TRUE(RunUntil([&] { return Comments() == 1; }));
    Error error;
    error.message = "all failed";
    Await(relay().Fail(error));
    EXPECT_EQ(writer_.body, std::string(kComment) + "ERROR all failed");
    EXPECT_TRUE(writer_.finished);
}

TEST_F(StreamRelayTest, AContentBeforeTheEarlyTimeMakesTheHeadItself) {
    settings_.early_stream_head = kLong;
    ASSERT_TRUE(Forward("quick"));
    EXPECT_EQ(writer_.head.headers.Find("X-AIManager-Model"), "m");
    EXPECT_EQ(timers_.size(), 1U);  // the next comment; the early head is no longer due
    Await(relay().End({}));
}

TEST_F(StreamRelayTest, NothingIsWrittenToAClientThatIsGone) {
    writer_.leaves_after = 1;
    ASSERT_TRUE(Forward("a"));
    EXPECT_FALSE(Forward("b"));
    EXPECT_FALSE(Forward("c"));
    Await(relay().End({}));
    EXPECT_EQ(writer_.body, "a|");
    EXPECT_FALSE(writer_.finished);
    EXPECT_EQ(timers_.size(), 0U);
}

}  // namespace
}  // namespace aim::pipeline
