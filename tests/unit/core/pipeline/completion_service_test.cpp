#include "core/pipeline/completion_service.hpp"

#include <gmock/gmock.h>

#include "tests/unit/core/pipeline/pipeline_fixture.hpp"

namespace aim::pipeline {
namespace {

class CompletionServiceTest : public PipelineFixture {};

TEST_F(CompletionServiceTest, AnswersWithTheBestAndWritesItDown) {
    AddModel("slow", 1);
    AddModel("best");
    client_.Add(Events({"It ", "is.", "[DONE]"}));
    const CompletionResult result = Run(Request());
    ASSERT_FALSE(result.error) << result.error->message;
    EXPECT_EQ(result.response.text(), "It is.");
    EXPECT_EQ(result.candidate->row->name, "best");
    ASSERT_EQ(result.attempts.size(), 1U);
    EXPECT_EQ(result.attempts[0].outcome, "success");
    ASSERT_EQ(client_.requests().size(), 1U);
    EXPECT_EQ(client_.requests()[0].headers.Find("Authorization"), "Bearer canary-key-1");

    const Written written = Ledger();
    ASSERT_EQ(written.outcomes.size(), 1U);
    EXPECT_EQ(Field(written.outcomes[0], "outcome"), "success");
    EXPECT_TRUE(written.outcomes[0].root().Get("counts").BoolOr(false));
    EXPECT_EQ(written.outcomes[0].root().Get("completion_tokens").Int64Or(0), 5);
    ASSERT_EQ(written.history.size(), 1U);
    EXPECT_EQ(Field(written.history[0], "status"), "success");
    EXPECT_EQ(Field(written.history[0], "request_id"), "request-1");
    EXPECT_EQ(Field(written.history[0], "prompt_text"), "What is it?");
    EXPECT_EQ(Field(written.history[0], "response_text"), "It is.");
    EXPECT_EQ(Field(written.history[0], "model_name"), "best");
    EXPECT_NE(Field(written.history[0], "id"), Field(written.outcomes[0], "id"));
    EXPECT_EQ(states_.Effective(result.candidate->row->id).successful_requests, 1);
    EXPECT_EQ(log_.Count("prompt_processed"), 1U);
    EXPECT_FALSE(log_.Contains("canary-key-1"));
    EXPECT_TRUE(MetricsHave("aimanager_prompts_total{status=\"success\"} 1"))
        << metrics_.RenderText();
}

TEST_F(CompletionServiceTest, FallsBackOnFailureBeforeContent) {
    AddModel("best");
    AddModel("second", 1);
    client_.Add(Status(500));
    client_.Add(Events({"ok", "[DONE]"}));
    const CompletionResult result = Run(Request());
    ASSERT_FALSE(result.error);
    EXPECT_EQ(result.candidate->row->name, "second");
    ASSERT_EQ(result.attempts.size(), 2U);
    EXPECT_EQ(result.attempts[0].outcome, "upstream_failure");
    EXPECT_EQ(result.attempts[1].outcome, "success");
    EXPECT_EQ(states_.Effective(candidates_[0].row->id).failed_requests, 1);
    EXPECT_EQ(Ledger().outcomes.size(), 2U);
}

TEST_F(CompletionServiceTest, ANamedModelComesFirstEvenWhenItIsWorse) {
    AddModel("best");
    AddModel("worse", 1);
    client_.Add(Events({"ok", "[DONE]"}));
    completion::ChatRequest request = Request();
    request.model = "worse";
    EXPECT_EQ(Run(request).candidate->row->name, "worse");
}

// Also when no model was named, and also after the one failure from which the model comes back.
TEST_F(CompletionServiceTest, WithoutFallbackALimitedModelIsNotRoutedAround) {
    AddModel("best");
    AddModel("other", 1);
    client_.Add(Status(429));
    client_.Add(Events({"never", "[DONE]"}));
    completion::ChatRequest request = Request();
    request.fallback = false;
    const CompletionResult result = Run(request);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "rate_limited");
    EXPECT_TRUE(result.error->retry_after.has_value());
    EXPECT_EQ(client_.requests().size(), 1U);
}

TEST_F(CompletionServiceTest, WithoutFallbackTheFirstFailureIsTheEnd) {
    AddModel("named");
    AddModel("other");
    client_.Add(Status(500));
    client_.Add(Events({"never", "[DONE]"}));
    completion::ChatRequest request = Request();
    request.model = "named";
    request.fallback = false;
    const CompletionResult result = Run(request);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "all_models_failed");
    EXPECT_FALSE(result.should_retry);
    EXPECT_EQ(client_.requests().size(), 1U);
}

TEST_F(CompletionServiceTest, AllFailedNamesEveryAttempt) {
    AddModel("a");
    AddModel("b");
    client_.Add(Status(500));
    client_.Add(Status(500));
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "all_models_failed");
    const auto context = json::Parse(result.context_json);
    ASSERT_TRUE(context) << result.context_json;
    EXPECT_EQ(context->root().Get("attempts").size(), 2U);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.history.at(0), "status"), "error");
    EXPECT_EQ(log_.Count("attempt_failed"), 2U);
}

TEST_F(CompletionServiceTest, TriesNoMoreThanMaxAttempts) {
    settings_.max_attempts = 2;
    for (const char* name : {"a", "b", "c"}) AddModel(name);
    for (int i = 0; i < 3; ++i) client_.Add(Status(500));
    const CompletionResult result = Run(Request());
    EXPECT_EQ(result.attempts.size(), 2U);
    EXPECT_EQ(client_.requests().size(), 2U);
}

TEST_F(CompletionServiceTest, TheCallersFaultIsToldInTheProvidersWordsAndCountsForNobody) {
    AddModel("a");
    AddModel("b");
    client_.Add(Status(400));
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "invalid_request");
    EXPECT_EQ(result.error->message, "temperature is too high");
    EXPECT_TRUE(result.context_json.empty());
    EXPECT_EQ(client_.requests().size(), 1U);
    EXPECT_EQ(states_.Effective(candidates_[0].row->id).total_requests, 0);
    EXPECT_FALSE(Ledger().outcomes.at(0).root().Get("counts").BoolOr(true));
}

TEST_F(CompletionServiceTest, AContentFilterIsAnAnswer) {
    AddModel("a");
    AddModel("b");
    client_.Add(Events({"[FILTER]"}));
    const CompletionResult result = Run(Request());
    ASSERT_FALSE(result.error);
    ASSERT_EQ(result.response.choices.size(), 1U);
    EXPECT_EQ(result.response.choices[0].finish, completion::FinishReason::kContentFilter);
    EXPECT_EQ(client_.requests().size(), 1U);
}

TEST_F(CompletionServiceTest, AContentFilterAfterContentEndsTheAnswerAsOne) {
    AddModel("a");
    AddModel("b");
    client_.Add(Events({"said before", "[FILTER]"}));
    FakeWriter writer;
    const CompletionResult result = Run(Request(true), &writer);
    ASSERT_FALSE(result.error);
    ASSERT_EQ(result.response.choices.size(), 1U);
    EXPECT_EQ(result.response.choices[0].text, "said before");
    EXPECT_EQ(result.response.choices[0].finish, completion::FinishReason::kContentFilter);
    // The batch with the finish reason, which this format leaves out.
    EXPECT_THAT(writer.body, ::testing::AllOf(::testing::StartsWith("said before|"),
                                              ::testing::Not(::testing::HasSubstr("END"))));
    EXPECT_EQ(client_.requests().size(), 1U);
    const Written written = Ledger();
    EXPECT_EQ(Field(written.history.at(0), "status"), "success");
    EXPECT_EQ(Field(written.history.at(0), "response_text"), "said before");
    EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "content_filtered");
}

TEST_F(CompletionServiceTest, AContentFilterAfterContentWhenNobodyReadsIsALeaver) {
    AddModel("a");
    client_.Add(Events({"said before", "[FILTER]"}));
    FakeWriter writer;
    writer.leaves_after = 1;
    const CompletionResult result = Run(Request(true), &writer);
    EXPECT_TRUE(result.client_left);
    EXPECT_EQ(Field(Ledger().history.at(0), "status"), "cancelled");
}

TEST_F(CompletionServiceTest, WhenAllAreRateLimitedTheSmallestRestIsTold) {
    AddModel("a");
    AddModel("b");
    client_.Add(Status(429));
    client_.Add(Status(429));
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "rate_limited");
    ASSERT_TRUE(result.error->retry_after);
    EXPECT_GT(*result.error->retry_after, std::chrono::seconds(5));
    EXPECT_LE(*result.error->retry_after, std::chrono::seconds(7));
    EXPECT_EQ(client_.requests().size(), 2U);
    // They rest now: nobody hammers them.
    const CompletionResult again = Run(Request());
    ASSERT_TRUE(again.error);
    EXPECT_EQ(again.error->code, "rate_limited");
    EXPECT_TRUE(again.attempts.empty());
    EXPECT_EQ(client_.requests().size(), 2U);
}

TEST_F(CompletionServiceTest, AnUnknownModelIsNotTriedWithAnother) {
    AddModel("a");
    completion::ChatRequest request = Request();
    request.model = "nobody";
    const CompletionResult result = Run(request);
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "model_not_found");
    EXPECT_EQ(result.error->field, "model");
    EXPECT_TRUE(client_.requests().empty());
}

TEST_F(CompletionServiceTest, WithoutModelsThereIsNoAnswer) {
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "no_model_available");
    EXPECT_EQ(Ledger().history.size(), 1U);
}

TEST_F(CompletionServiceTest, TheRequestsTimeEndsASilentAttempt) {
    settings_.request_timeout = kSoon;
    AddModel("a");
    AddModel("b");
    ScriptedAnswer silent;
    silent.hang_before_head = true;
    client_.Add(silent);
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "deadline_exceeded");
    EXPECT_LE(client_.requests().size(), 1U);  // on a slow machine not even the first began
    EXPECT_EQ(Field(Ledger().history.at(0), "status"), "timeout");
}

// The caller's library would repeat it, each time for the request's whole time.
TEST_F(CompletionServiceTest, WhoseTimeEndsAfterSeveralAttemptsNeedNotRepeatIt) {
    settings_.request_timeout = std::chrono::seconds(1);
    AddModel("a");
    AddModel("b");
    client_.Add(Status(500));
    ScriptedAnswer silent;
    silent.hang_before_head = true;
    client_.Add(silent);
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "deadline_exceeded");
    ASSERT_EQ(result.attempts.size(), 2U);
    EXPECT_FALSE(result.should_retry);
    EXPECT_NE(result.context_json.find("\"upstream_timeout\""), std::string::npos)
        << result.context_json;
}

TEST_F(CompletionServiceTest, BeyondMaxInFlightPromptsAreRefusedAndTheSlotComesBack) {
    settings_.max_in_flight = 1;
    AddModel("a");
    ScriptedAnswer silent;
    silent.hang_before_head = true;
    client_.Add(silent);
    const auto first = Start(Request());
    ASSERT_TRUE(RunUntil([&] { return client_.requests().size() == 1; }));
    EXPECT_EQ(shared_.in_flight.load(), 1);
    for (int i = 0; i < 3; ++i) {
        const CompletionResult refused = Run(Request());
        ASSERT_TRUE(refused.error);
        EXPECT_EQ(refused.error->code, "overloaded");
        EXPECT_TRUE(refused.attempts.empty());
    }
    EXPECT_EQ(shared_.in_flight.load(), 1);
    EXPECT_TRUE(MetricsHave("aimanager_prompts_refused_total{reason=\"overloaded\"} 3"))
        << metrics_.RenderText();
    EXPECT_EQ(Ledger().history.size(), 0U);
    first->cancellation.Cancel(Cancellation::Reason::kClientLeft);
    ASSERT_TRUE(RunUntil([&] { return first->result.has_value(); }));
    EXPECT_EQ(shared_.in_flight.load(), 0);
    client_.Add(Events({"ok", "[DONE]"}));
    EXPECT_FALSE(Run(Request()).error);
}

TEST_F(CompletionServiceTest, AFullLedgerTakesNoNewPrompts) {
    AddModel("a");
    ledger::Record big;
    big.json.assign(2u << 20, 'x');
    std::vector<ledger::Record> records;
    records.push_back(std::move(big));
    ledger_.Append(std::move(records));
    const CompletionResult result = Run(Request());
    ASSERT_TRUE(result.error);
    EXPECT_EQ(result.error->code, "ledger_full");
    EXPECT_TRUE(client_.requests().empty());
    EXPECT_TRUE(MetricsHave("aimanager_prompts_refused_total{reason=\"ledger_full\"} 1"));
}

TEST_F(CompletionServiceTest, WhoLeavesEndsTheAttemptAndIsNobodysFault) {
    AddModel("a");
    AddModel("b");
    for (const bool in_body : {false, true}) {
        SCOPED_TRACE(in_body);
        ScriptedAnswer silent = Events({});
        silent.hang_before_head = !in_body;
        silent.hang_in_body = in_body;
        client_.Add(silent);
        const std::size_t before = client_.requests().size();
        const auto running = Start(Request());
        ASSERT_TRUE(RunUntil([&] {
            return client_.requests().size() == before + 1 && (!in_body || client_.open() == 1);
        }));
        running->cancellation.Cancel(Cancellation::Reason::kClientLeft);
        ASSERT_TRUE(RunUntil([&] { return running->result.has_value(); }));
        EXPECT_TRUE(running->result->client_left);
        EXPECT_EQ(client_.open(), 0);
        EXPECT_EQ(client_.requests().size(), before + 1);
        const Written written = Ledger();
        EXPECT_EQ(Field(written.history.at(0), "status"), "cancelled");
        EXPECT_EQ(Field(written.outcomes.at(0), "outcome"), "cancelled");
        EXPECT_FALSE(written.outcomes.at(0).root().Get("counts").BoolOr(true));
    }
    EXPECT_EQ(states_.Effective(candidates_[0].row->id).total_requests, 0);
}

}  // namespace
}  // namespace aim::pipeline
