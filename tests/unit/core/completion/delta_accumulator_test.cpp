#include "core/completion/delta_accumulator.hpp"

#include <gtest/gtest.h>

namespace aim::completion {
namespace {

TEST(DeltaAccumulator, JoinsPiecesOfTextAndCalls) {
    DeltaAccumulator accumulator(1000);
    DeltaBatch batch;
    batch.AddText(DeltaKind::kText, 0, "Hel");
    batch.AddToolCall(0, 0, "c1", "f", "{\"x\"");
    EXPECT_TRUE(accumulator.Add(batch));
    batch.Clear();
    batch.AddText(DeltaKind::kText, 0, "lo");
    batch.AddToolCall(0, 0, "", "", ":1}");
    batch.AddToolCall(0, 1, "c2", "g", "{}");
    batch.AddFinish(0, FinishReason::kToolCalls);
    EXPECT_TRUE(accumulator.Add(batch));

    const ChatResponse& response = accumulator.response();
    EXPECT_TRUE(response.finished());
    EXPECT_EQ(response.text(), "Hello");
    ASSERT_EQ(response.choices[0].tool_calls.size(), 2u);
    EXPECT_EQ(response.choices[0].tool_calls[0].arguments, "{\"x\":1}");
    EXPECT_EQ(response.choices[0].tool_calls[1].name, "g");
}

TEST(DeltaAccumulator, KeepsTheNewestOfAnExtra) {
    DeltaAccumulator accumulator(1000);
    DeltaBatch batch;
    batch.AddExtra(ExtraScope::kChoice, 0, 0, "logprobs", "[1]");
    batch.AddExtra(ExtraScope::kChoice, 0, 0, "logprobs", "[2]");
    batch.AddExtra(ExtraScope::kResponse, 0, 0, "tier", "\"a\"");
    batch.AddExtra(ExtraScope::kResponse, 0, 0, "tier", "\"b\"");
    EXPECT_TRUE(accumulator.Add(batch));
    EXPECT_EQ(accumulator.response().choices[0].choice_extras[0].json, "[2]");
    EXPECT_EQ(accumulator.response().extras[0].json, "\"b\"");
}

TEST(DeltaAccumulator, RefusesWhatIsOutOfBounds) {
    DeltaBatch batch;
    batch.AddText(DeltaKind::kText, 4'000'000'000u, "x");
    DeltaAccumulator choices(1000);
    EXPECT_FALSE(choices.Add(batch));

    batch.Clear();
    batch.AddToolCall(0, DeltaAccumulator::kMaxToolCalls, "", "", "");
    DeltaAccumulator calls(1000);
    EXPECT_FALSE(calls.Add(batch));

    batch.Clear();
    batch.AddText(DeltaKind::kText, 0, "12345");
    DeltaAccumulator bytes(4);
    EXPECT_FALSE(bytes.Add(batch));
}

}  // namespace
}  // namespace aim::completion
