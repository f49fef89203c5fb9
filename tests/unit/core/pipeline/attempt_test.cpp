#include "core/pipeline/attempt.hpp"

#include "tests/unit/core/pipeline/pipeline_fixture.hpp"

namespace aim::pipeline {
namespace {

// Timers, streams and clients that leave, through the service.
class AttemptTest : public PipelineFixture {
  protected:
    ScriptedAnswer Hanging(const std::vector<std::string>& events) {
        ScriptedAnswer answer = Events(events);
        answer.hang_in_body = true;
        return answer;
    }
    void Drain() { settings_.on_disconnect = OnDisconnect::kDrain; }
    Cancellation* leave_in_begin_ = nullptr;
};

TEST_F(AttemptTest, NoFirstContentInTimeFallsBackUnseen) {
    timeouts_.first_content = kSoon;
    AddModel("silent");
    timeouts_.first_content = kLong;
    AddModel("second", 1);
    ScriptedAnswer comments =
        ScriptedAnswer::Ok({": waiting\n\n", ": waiting\n\n"}, "text/event-stream");
    comments.hang_in_body = true;  // comments are no content
    client_.Add(comments);
    client_.Add(Events({"hello", "[DONE]"}));
    FakeWriter writer;
    const CompletionResult result = Run(Request(true), &writer);
    ASSERT_FALSE(result.error) << result.error->message;
    EXPECT_EQ(result.attempts.at(0).outcome, "upstream_timeout");
    EXPECT_EQ(writer.starts, 1);
    EXPECT_EQ(writer.head.headers.Find("X-AIManager-Model"), "second");
    EXPECT_EQ(writer.head.headers.Find("X-AIManager-Attempts"), "2");
    EXPECT_EQ(writer.body, "hello||");
}

TEST_F(AttemptTest, SilenceBetweenContentsEndsTheStream) {
    timeouts_.between_content = kSoon;
    AddModel("stalls");
    AddModel("second", 1);
    client_.Add(Hanging({"one", "two"}));
    FakeWriter writer;
    const CompletionResult result = Run(Request(true), &writer);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->kind, ErrorKind::kUpstreamTimeout);
    EXPECT_EQ(result.error->message, "the provider stopped sending content");
    EXPECT_EQ(client_.requests().size(), 1U);  // no restart once content was sent
    EXPECT_TRUE(writer.body.starts_with("one|"));
    const Written written = Ledger();
    EXPECT_EQ(Field(written.history.at(0), "status"), "timeout");
    EXPECT_TRUE(Field(written.history.at(0), "response_text").starts_with("one"));
}

TEST_F(AttemptTest, TheContentTimersDoNotHoldForUnstreamedAnswers) {
    timeouts_.first_content = timeouts_.between_content = kSoon;
    timeouts_.attempt = std::chrono::milliseconds(60);
    AddModel("a");
    client_.Add(Hanging({"one"}));
    const CompletionResult result = Run(Request(false));
    ASSERT_TRUE(result.error);
    const Written written = Ledger();
    EXPECT_NE(Field(written.history.at(0), "error_message").find("the attempt took too long"),
              std::string::npos)
        << Field(written.history.at(0), "error_message");
}

TEST_F(AttemptTest, OnceContentWasSentTheDeadlineGivesWayToStreamMax) {
    settings_.stream_max = kSoon;
    AddModel("a");
    client_.Add(Hanging({"one"}));
    FakeWriter writer;
    const CompletionResult result = Run(Request(true), &writer);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->message, "the attempt took too long");
    EXPECT_TRUE(writer.body.starts_with("one|")) << writer.body;
}

TEST_F(AttemptTest, AnErrorInsideA200BeforeContentFallsBackUnseen) {
    AddModel("first");
    AddModel("second", 1);
    client_.Add(Events({"[ERROR early]"}));
    client_.Add(Events({"fine", "[DONE]"}));
    FakeWriter writer;
    const CompletionResult result = Run(Request(true), &writer);
    ASSERT_FALSE(result.error);
    EXPECT_EQ(writer.starts, 1);
    EXPECT_EQ(writer.body, "fine||");
}

TEST_F(AttemptTest, AnErrorAfterContentIsTheEndOfTheStream) {
    AddModel("first");
    AddModel("second", 1);
    client_.Add(Events({"half", "[ERROR late]"}));
    FakeWriter writer;
    const auto running = Start(Request(true), &writer);
    ASSERT_TRUE(RunUntil([&] { return running->result.has_value(); }));
    ASSERT_TRUE(running->result->error);
    const Error error = *running->result->error;
    Await(running->relay->Fail(error));
    EXPECT_TRUE(writer.body.starts_with("half|")) << writer.body;
    EXPECT_NE(writer.body.find("ERROR [ERROR late]"), std::string::npos) << writer.body;
    EXPECT_EQ(writer.body.find("END"), std::string::npos);
    EXPECT_TRUE(writer.finished);
    EXPECT_EQ(client_.requests().size(), 1U);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.history.at(0), "status"), "error");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "half");
}

TEST_F(AttemptTest, ASecretInAProvidersWordsIsBlanked) {
    plugin_.on_head = [](const aim_call* call, const aim_http_head*) {
        return aim::testing::ScriptedPlugin::FailWith(call, AIM_ERROR_UNAUTHENTICATED,
                                                      "bad key canary-key-1!");
    };
    AddModel("a");
    client_.Add(Status(401));
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_FALSE(log_.Contains("canary-key-1"));
    EXPECT_TRUE(log_.Contains("bad key ***!"));
}

TEST_F(AttemptTest, ASecretGoesToNoHostThatIsNotListed) {
    plugin_.next_request = [](const aim_call*, const aim_http_builder* builder) {
        aim::testing::ScriptedPlugin::Describe(builder, "http://thief.test/chat");
        return AIM_OK;
    };
    AddModel("a");
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.attempts.at(0).outcome, "forbidden");
    EXPECT_TRUE(client_.requests().empty());
}

TEST_F(AttemptTest, AClientThatLeavesAStreamCancelsItsProvider) {
    AddModel("a");
    client_.Add(Events({"one", "two", "three", "[DONE]"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    const CompletionResult result = Run(Request(true), &writer);
    EXPECT_TRUE(result.client_left);
    EXPECT_EQ(client_.abandoned(), 1);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.history.at(0), "status"), "cancelled");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "onetwo");
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "cancelled");
}

TEST_F(AttemptTest, DrainingReadsTheAnswerToItsEndForItsUsage) {
    Drain();
    AddModel("a");
    client_.Add(Events({"one", "two", "three", "[DONE]"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    const CompletionResult result = Run(Request(true), &writer);
    EXPECT_TRUE(result.client_left);
    EXPECT_EQ(client_.abandoned(), 0);
    EXPECT_EQ(writer.writes, 1);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "success");
    EXPECT_TRUE(written.outcomes.at(0).root().Get("counts").BoolOr(false));
    EXPECT_EQ(written.outcomes.at(0).root().Get("completion_tokens").Int64Or(0), 5);
    EXPECT_EQ(Field(written.history.at(0), "status"), "cancelled");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "onetwothree");
    EXPECT_EQ(states_.Effective(candidates_[0].row->id).successful_requests, 1);
}

TEST_F(AttemptTest, DrainingBeforeTheHeadGoesOnToo) {
    Drain();
    AddModel("a");
    AddModel("b");
    plugin_.begin = [this](const aim_call* call, const aim_chat_request*, uint64_t) {
        // The client leaves while the answer is on its way, also of an unstreamed one.
        if (leave_in_begin_ != nullptr) leave_in_begin_->Cancel(Cancellation::Reason::kClientLeft);
        static_cast<void>(call);
        return AIM_STEP_NEXT_REQUEST;
    };
    client_.Add(Events({"whole", "[DONE]"}));
    const auto running = Start(Request());
    leave_in_begin_ = &running->cancellation;
    ASSERT_TRUE(RunUntil([&] { return running->result.has_value(); }));
    EXPECT_TRUE(running->result->client_left);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "success");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "whole");
}

TEST_F(AttemptTest, AFailureWhileDrainingCountsAndTriesNobodyElse) {
    Drain();
    AddModel("a");
    AddModel("b", 1);
    client_.Add(Events({"one", "two", "[ERROR late]"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    const CompletionResult result = Run(Request(true), &writer);
    EXPECT_TRUE(result.client_left);
    EXPECT_EQ(client_.requests().size(), 1U);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "upstream_failure");
    EXPECT_TRUE(written.outcomes.at(0).root().Get("counts").BoolOr(false));
    EXPECT_EQ(Field(written.history.at(0), "status"), "cancelled");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "onetwo");
}

TEST_F(AttemptTest, DrainingEndsWhenTheProcessDoes) {
    Drain();
    AddModel("a");
    client_.Add(Hanging({"one", "two", "three"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    const auto running = Start(Request(true), &writer);
    ASSERT_TRUE(RunUntil([&] { return shared_.drains.inside() == 1; }));
    Settle();
    EXPECT_FALSE(running->result.has_value());
    shared_.drains.Close();
    ASSERT_TRUE(RunUntil([&] { return running->result.has_value(); }));
    Await(running->relay->Close());
    const Written written = Ledger();
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "cancelled");
    EXPECT_FALSE(written.outcomes.at(0).root().Get("counts").BoolOr(true));
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "onetwothree");
}

TEST_F(AttemptTest, DrainingIsBoundedInTime) {
    Drain();
    AddModel("a");
    client_.Add(Hanging({"one", "two"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    // Only once the stream runs: before, the same time would end the attempt itself.
    candidates_[0].timeouts.attempt = std::chrono::milliseconds(300);
    const CompletionResult result = Run(Request(true), &writer);
    EXPECT_TRUE(result.client_left);
    EXPECT_EQ(Field(Ledger().outcomes.at(0), "outcome"), "cancelled");
}

TEST_F(AttemptTest, DrainingIsBoundedInText) {
    Drain();
    settings_.drain_text_bytes = 4;
    AddModel("a");
    client_.Add(Events({"one", "two", "three", "four", "five", "[DONE]"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    const CompletionResult result = Run(Request(true), &writer);
    EXPECT_TRUE(result.client_left);
    EXPECT_EQ(client_.abandoned(), 1);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "cancelled");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "onetwothree");
}

TEST_F(AttemptTest, DrainingIsBoundedInNumber) {
    Drain();
    settings_.max_drains = 1;
    AddModel("a");
    client_.Add(Hanging({"one", "two"}));
    client_.Add(Hanging({"one", "two"}));
    FakeWriter first_writer;
    first_writer.leaves_after = 1;
    const auto first = Start(Request(true), &first_writer);
    ASSERT_TRUE(RunUntil([&] { return shared_.drains.inside() == 1; }));
    FakeWriter second_writer;
    second_writer.leaves_after = 1;
    const CompletionResult second = Run(Request(true), &second_writer);
    EXPECT_TRUE(second.client_left);
    EXPECT_FALSE(first->result.has_value());
    EXPECT_EQ(shared_.drains.inside(), 1U);
    shared_.drains.Close();
    ASSERT_TRUE(RunUntil([&] { return first->result.has_value(); }));
    Await(first->relay->Close());
}

TEST_F(AttemptTest, AShutdownIsNotDrained) {
    Drain();
    AddModel("a");
    client_.Add(Hanging({"one"}));
    FakeWriter writer;
    const auto running = Start(Request(true), &writer);
    ASSERT_TRUE(RunUntil([&] { return writer.writes == 1; }));
    running->cancellation.Cancel(Cancellation::Reason::kShutdown);
    ASSERT_TRUE(RunUntil([&] { return running->result.has_value(); }));
    Await(running->relay->Close());
    EXPECT_EQ(Field(Ledger().outcomes.at(0), "outcome"), "cancelled");
}

}  // namespace
}  // namespace aim::pipeline
