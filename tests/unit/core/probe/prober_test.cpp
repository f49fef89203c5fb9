#include "core/probe/prober.hpp"

#include "core/probe/probe_policy.hpp"
#include "tests/unit/core/pipeline/pipeline_fixture.hpp"

namespace aim::probe {
namespace {

using pipeline::Events;
using pipeline::Status;
using Verdict = ProbeResult::Verdict;

class ProberTest : public pipeline::PipelineFixture {
  protected:
    // A round under way over all models of the fixture.
    struct Running {
        std::unique_ptr<Prober> prober;
        Cancellation cancellation;
        std::vector<ProbeResult> seen;
        std::optional<std::vector<ProbeResult>> results;
    };
    std::unique_ptr<Running> Begin(std::size_t most_at_once = 16,
                                   MonotonicTime deadline = MonotonicTime::max()) {
        auto running = std::make_unique<Running>();
        running->prober = std::make_unique<Prober>(
            Prober::Options{"Are \"you\" there?", most_at_once}, shared_, client_, timers_);
        boost::asio::co_spawn(loop_, Work(*running, deadline), [](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
        });
        return running;
    }
    std::vector<ProbeResult> ProbeAll(std::size_t most_at_once = 16) {
        const auto running = Begin(most_at_once);
        EXPECT_TRUE(RunUntil([&] { return running->results.has_value(); }));
        EXPECT_EQ(running->seen.size(), running->results->size());
        return std::move(*running->results);
    }
    void Change(const std::function<void(completion::ModelRecord&)>& change) {
        auto row = std::make_shared<completion::ModelRecord>(*candidates_.back().row);
        change(*row);
        candidates_.back().row = row;
    }
    routing::ModelState& state(std::size_t index) { return *candidates_[index].state; }
    static MonotonicTime Now() { return SystemClock().Now(); }

  private:
    Task<> Work(Running& running, MonotonicTime deadline) {
        std::vector<const routing::Candidate*> candidates;
        for (const routing::Candidate& candidate : candidates_) candidates.push_back(&candidate);
        std::string id = "round-1";
        const std::function<void(const ProbeResult&)> see = [&](const ProbeResult& result) {
            running.seen.push_back(result);
        };
        auto results = co_await running.prober->ProbeAll(std::move(candidates), std::move(id),
                                                         deadline, running.cancellation, see);
        running.results = std::move(results);
    }
};

TEST_F(ProberTest, AnOutcomeOfSourceProbeAndNoHistory) {
    AddModel("a");
    std::string json;
    std::int64_t max_tokens = 0;
    bool streams = true;
    plugin_.begin = [&](const aim_call*, const aim_chat_request* request, uint64_t) {
        json = aim::testing::FromAbi(request->json);
        max_tokens = request->max_tokens;
        streams = (request->flags & AIM_CHAT_STREAM) != 0;
        return AIM_STEP_NEXT_REQUEST;
    };
    client_.Add(Events({"OK", "[DONE]"}));
    const std::vector<ProbeResult> results = ProbeAll();
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].verdict, Verdict::kAnswered);
    EXPECT_EQ(results[0].candidate, &candidates_[0]);
    EXPECT_EQ(max_tokens, ProbePolicy::kMaxTokens);
    EXPECT_FALSE(streams);
    EXPECT_NE(json.find(R"("content":"Are \"you\" there?")"), std::string::npos) << json;
    EXPECT_NE(json.find(R"("max_tokens":16)"), std::string::npos) << json;
    const Written written = Ledger();
    ASSERT_EQ(written.outcomes.size(), 1U);
    EXPECT_TRUE(written.history.empty());
    EXPECT_EQ(Field(written.outcomes[0], "source"), "probe");
    EXPECT_EQ(Field(written.outcomes[0], "outcome"), "success");
    EXPECT_EQ(Field(written.outcomes[0], "request_id"), "round-1");
    EXPECT_EQ(states_.Effective(candidates_[0].row->id).successful_requests, 1);
    EXPECT_TRUE(MetricsHave(R"(aimanager_attempts_total{model="a",outcome="success"} 1)"));
}

TEST_F(ProberTest, AFailureIsWrittenDownWithItsKindAndWithoutTheKey) {
    AddModel("a");
    plugin_.on_head = [](const aim_call* call, const aim_http_head*) {
        return aim::testing::ScriptedPlugin::FailWith(call, AIM_ERROR_UNAUTHENTICATED,
                                                      "bad key canary-key-1");
    };
    client_.Add(Status(401));
    const std::vector<ProbeResult> results = ProbeAll();
    EXPECT_EQ(results[0].verdict, Verdict::kFailed);
    EXPECT_EQ(results[0].reason, "unauthenticated: bad key ***");
    EXPECT_EQ(Field(Ledger().outcomes.at(0), "outcome"), "unauthenticated");
    EXPECT_EQ(state(0).cooldown.state(Now()), resilience::RestState::kParked);
}

TEST_F(ProberTest, WhatCannotOrShallNotBeProbedIsSkippedAndCountsForNothing) {
    AddModel("off");
    Change([](completion::ModelRecord& row) { row.settings = R"({"health_check":false})"; });
    AddModel("without a key");
    candidates_.back().availability = routing::Availability::kNotConfigured;
    candidates_.back().unavailable_reason = "GROQ_API_KEY is not set";
    candidates_.back().target = nullptr;
    AddModel("good");
    client_.Add(Events({"OK", "[DONE]"}));
    const std::vector<ProbeResult> results = ProbeAll();
    ASSERT_EQ(results.size(), 3U);
    EXPECT_EQ(results[0].verdict, Verdict::kSkipped);
    EXPECT_NE(results[0].reason.find("health_check"), std::string::npos);
    EXPECT_EQ(results[1].verdict, Verdict::kSkipped);
    EXPECT_EQ(results[1].reason, "GROQ_API_KEY is not set");
    EXPECT_EQ(results[2].verdict, Verdict::kAnswered);
    EXPECT_EQ(client_.requests().size(), 1U);
    EXPECT_EQ(Ledger().outcomes.size(), 1U);
}

TEST_F(ProberTest, NothingButSkippedModelsEndsTheRoundToo) {
    for (const char* name : {"one", "two", "three"}) {
        AddModel(name);
        candidates_.back().availability = routing::Availability::kNoPlugin;
        candidates_.back().target = nullptr;
    }
    EXPECT_EQ(ProbeAll(2).size(), 3U);
    candidates_.clear();
    EXPECT_TRUE(ProbeAll().empty());
}

TEST_F(ProberTest, ParkedAndOpenModelsAreProbedAndComeBack) {
    AddModel("parked");
    AddModel("open");
    state(0).cooldown.Park(Now(), std::nullopt);
    for (int i = 0; i < 5; ++i) {
        const auto permit = state(1).breaker.Acquire(Now());
        state(1).breaker.Record(permit, resilience::CircuitBreaker::Outcome::kFailure, Now());
    }
    ASSERT_EQ(state(1).breaker.state(Now()), resilience::BreakerState::kOpen);
    client_.Add(Events({"OK", "[DONE]"}));
    client_.Add(Events({"OK", "[DONE]"}));
    for (const ProbeResult& result : ProbeAll()) EXPECT_EQ(result.verdict, Verdict::kAnswered);
    EXPECT_EQ(state(0).cooldown.state(Now()), resilience::RestState::kNone);
}

TEST_F(ProberTest, NoMoreThanTheBoundAtOnceAndInOrder) {
    for (int i = 0; i < 7; ++i) {
        AddModel("m" + std::to_string(i));
        client_.Add(i < 3 ? Events({}) : Events({"OK", "[DONE]"}));
    }
    std::size_t most = 0;
    plugin_.begin = [&](const aim_call*, const aim_chat_request*, uint64_t) {
        most = std::max(most, plugin_.CallsOf("begin") - plugin_.CallsOf("end"));
        return AIM_STEP_NEXT_REQUEST;
    };
    const std::vector<ProbeResult> results = ProbeAll(3);
    EXPECT_LE(most, 3U);
    EXPECT_EQ(plugin_.CallsOf("begin"), 7U);
    ASSERT_EQ(results.size(), 7U);
    for (std::size_t i = 0; i < results.size(); ++i)
        EXPECT_EQ(results[i].candidate, &candidates_[i]);
    EXPECT_EQ(Ledger().outcomes.size(), 7U);
}

TEST_F(ProberTest, ACancelledRoundCountsNothingThatWasUnderWayOrHadNotBegun) {
    AddModel("hangs");
    AddModel("never begun");
    aim::testing::ScriptedAnswer hanging;
    hanging.hang_before_head = true;
    client_.Add(hanging);
    const auto running = Begin(1);
    ASSERT_TRUE(RunUntil([&] { return client_.requests().size() == 1; }));
    running->cancellation.Cancel(Cancellation::Reason::kShutdown);
    ASSERT_TRUE(RunUntil([&] { return running->results.has_value(); }));
    for (const ProbeResult& result : *running->results)
        EXPECT_EQ(result.verdict, Verdict::kCancelled);
    EXPECT_EQ(client_.requests().size(), 1U);
    EXPECT_TRUE(Ledger().outcomes.empty());
    EXPECT_EQ(states_.Effective(candidates_[0].row->id).total_requests, 0);
}

TEST_F(ProberTest, TheRoundsDeadlineIsNoFaultOfTheModel) {
    AddModel("hangs");
    AddModel("never begun");
    aim::testing::ScriptedAnswer hanging;
    hanging.hang_before_head = true;
    client_.Add(hanging);
    const auto running = Begin(1, Now() + std::chrono::milliseconds(50));
    ASSERT_TRUE(RunUntil([&] { return running->results.has_value(); }));
    for (const ProbeResult& result : *running->results)
        EXPECT_EQ(result.verdict, Verdict::kCancelled);
    EXPECT_TRUE(Ledger().outcomes.empty());
}

TEST_F(ProberTest, ItsOwnTimeLimitIs) {
    timeouts_.attempt = std::chrono::milliseconds(30);
    AddModel("hangs");
    aim::testing::ScriptedAnswer hanging;
    hanging.hang_before_head = true;
    client_.Add(hanging);
    const std::vector<ProbeResult> results = ProbeAll();
    EXPECT_EQ(results[0].verdict, Verdict::kFailed);
    EXPECT_EQ(Field(Ledger().outcomes.at(0), "outcome"), "upstream_timeout");
}

TEST_F(ProberTest, AfterCloseWhatRunsGoesOn) {
    AddModel("running");
    AddModel("never begun");
    client_.Add(Events({"OK", "[DONE]"}));
    std::unique_ptr<Running> running;
    plugin_.begin = [&](const aim_call*, const aim_chat_request*, uint64_t) {
        running->prober->Close();
        return AIM_STEP_NEXT_REQUEST;
    };
    running = Begin(1);
    ASSERT_TRUE(RunUntil([&] { return running->results.has_value(); }));
    EXPECT_EQ(running->results->at(0).verdict, Verdict::kAnswered);
    EXPECT_EQ(running->results->at(1).verdict, Verdict::kCancelled);
    EXPECT_EQ(Ledger().outcomes.size(), 1U);
}

}  // namespace
}  // namespace aim::probe
