#include "core/pipeline/recorder.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "tests/unit/core/pipeline/pipeline_fixture.hpp"

namespace aim::pipeline {
namespace {

class RecorderTest : public PipelineFixture {
  protected:
    void Rename(std::size_t candidate, const std::string& name) {
        auto row = std::make_shared<completion::ModelRecord>(*candidates_[candidate].row);
        row->name = name;
        candidates_[candidate].row = row;
        tables_.Publish(std::make_shared<const routing::RoutingTable>(candidates_));
    }
    void AnswerOnce(bool well) {
        client_.Add(well ? Events({"ok", "[DONE]"}) : Status(500));
        EXPECT_EQ(!Run(Request()).error, well);
    }
};

// The series of a model are kept from one prompt to the next; each outcome has its own.
TEST_F(RecorderTest, EachOutcomeOfAModelHasItsOwnSeries) {
    AddModel("one");
    AnswerOnce(true);
    AnswerOnce(false);
    AnswerOnce(true);
    for (const char* line :
         {"aimanager_attempts_total{model=\"one\",outcome=\"success\"} 2",
          "aimanager_attempts_total{model=\"one\",outcome=\"upstream_failure\"} 1",
          "aimanager_attempt_duration_seconds_count{model=\"one\"} 3",
          "aimanager_tokens_total{model=\"one\",direction=\"output\"} 10",
          "aimanager_prompts_total{status=\"success\"} 2",
          "aimanager_prompts_total{status=\"error\"} 1"})
        EXPECT_TRUE(MetricsHave(line)) << line << "\n" << metrics_.RenderText();
}

// The same row under another name: what came before stays where it was.
TEST_F(RecorderTest, ARenamedModelIsCountedUnderItsNewName) {
    AddModel("before");
    AnswerOnce(true);
    Rename(0, "after");
    AnswerOnce(true);
    AnswerOnce(false);
    for (const char* line :
         {"aimanager_attempts_total{model=\"before\",outcome=\"success\"} 1",
          "aimanager_attempts_total{model=\"after\",outcome=\"success\"} 1",
          "aimanager_attempts_total{model=\"after\",outcome=\"upstream_failure\"} 1"})
        EXPECT_TRUE(MetricsHave(line)) << line << "\n" << metrics_.RenderText();
}

TEST_F(RecorderTest, TwoModelsDoNotShareASeries) {
    AddModel("best");
    AddModel("second", 1);
    client_.Add(Status(500));
    client_.Add(Events({"ok", "[DONE]"}));
    EXPECT_FALSE(Run(Request()).error);
    for (const char* line :
         {"aimanager_attempts_total{model=\"best\",outcome=\"upstream_failure\"} 1",
          "aimanager_attempts_total{model=\"second\",outcome=\"success\"} 1",
          "aimanager_attempt_duration_seconds_count{model=\"best\"} 1",
          "aimanager_attempt_duration_seconds_count{model=\"second\"} 1"})
        EXPECT_TRUE(MetricsHave(line)) << line << "\n" << metrics_.RenderText();
}

// What benchmarks measure the cost of; the rest goes on.
TEST_F(RecorderTest, WithoutTheLedgerNothingIsWrittenDown) {
    settings_.features.ledger = false;
    AddModel("one");
    AnswerOnce(true);
    AnswerOnce(false);
    EXPECT_EQ(ledger_.status().appended, 0U);
    EXPECT_TRUE(MetricsHave("aimanager_attempts_total{model=\"one\",outcome=\"success\"} 1"));
    EXPECT_TRUE(MetricsHave("aimanager_prompts_total{status=\"error\"} 1"));
}

TEST_F(RecorderTest, WithoutMetricsNothingIsCountedForARequest) {
    settings_.features.metrics = false;
    AddModel("one");
    AnswerOnce(true);
    EXPECT_EQ(ledger_.status().appended, 2U);
    EXPECT_EQ(metrics_.RenderText().find("model=\"one\""), std::string::npos);
    EXPECT_EQ(metrics_.RenderText().find("status=\"success\""), std::string::npos);
}

}  // namespace
}  // namespace aim::pipeline
