#include "core/completion/chat_delta.hpp"

#include <gtest/gtest.h>

#include "core/completion/chat_request.hpp"

namespace aim::completion {
namespace {

TEST(DeltaBatch, GivesBackWhatWasAddedInOrder) {
    DeltaBatch batch;
    batch.AddText(DeltaKind::kText, 0, "Hel");
    batch.AddToolCall(1, 2, "call_1", "weather", "{\"a\":");
    batch.AddExtra(ExtraScope::kMessage, 0, 0, "annotations", "[]");
    batch.AddFinish(0, FinishReason::kLength);
    ASSERT_EQ(batch.size(), 4u);
    EXPECT_EQ(batch[0].text, "Hel");
    EXPECT_EQ(batch[1].choice, 1u);
    EXPECT_EQ(batch[1].index, 2u);
    EXPECT_EQ(batch[1].id, "call_1");
    EXPECT_EQ(batch[1].name, "weather");
    EXPECT_EQ(batch[1].text, "{\"a\":");
    EXPECT_EQ(batch[2].scope, ExtraScope::kMessage);
    EXPECT_EQ(batch[2].name, "annotations");
    EXPECT_EQ(batch[3].finish, FinishReason::kLength);
}

TEST(DeltaBatch, OnlyWordsAndCallsAreContent) {
    DeltaBatch batch;
    EXPECT_TRUE(batch.empty());
    batch.AddText(DeltaKind::kText, 0, "");
    EXPECT_TRUE(batch.empty());
    batch.AddFinish(0, FinishReason::kStop);
    batch.AddExtra(ExtraScope::kResponse, 0, 0, "x", "1");
    Usage usage;
    usage.prompt_tokens = 0;
    batch.MergeUsage(usage);
    EXPECT_FALSE(batch.has_content());
    EXPECT_TRUE(batch.has_usage());
    batch.AddText(DeltaKind::kReasoning, 0, "hm");
    EXPECT_TRUE(batch.has_content());
    batch.Clear();
    EXPECT_TRUE(batch.empty());
    EXPECT_FALSE(batch.has_usage());
}

TEST(Usage, LaterCountsReplaceAbsentOnesStay) {
    Usage usage;
    usage.prompt_tokens = 7;
    usage.json = "{}";
    Usage later;
    later.completion_tokens = 0;
    usage.Merge(later);
    EXPECT_EQ(usage.prompt_tokens, 7);
    EXPECT_EQ(usage.completion_tokens, 0);
    EXPECT_FALSE(usage.total_tokens.has_value());
    EXPECT_EQ(usage.json, "{}");
}

TEST(ChatRequest, PromptTextIsTheLastUserMessage) {
    ChatRequest request;
    EXPECT_EQ(request.PromptText(), "");
    request.messages.push_back({Role::kUser, false, false, "first", ""});
    request.messages.push_back({Role::kUser, false, false, "second", ""});
    request.messages.push_back({Role::kAssistant, false, false, "third", ""});
    EXPECT_EQ(request.PromptText(), "second");
}

TEST(FinishReason, UnknownNumbersAreStop) {
    EXPECT_EQ(FinishReasonFromAbi(4), FinishReason::kContentFilter);
    EXPECT_EQ(FinishReasonFromAbi(0), FinishReason::kStop);
    EXPECT_EQ(FinishReasonFromAbi(99), FinishReason::kStop);
    EXPECT_EQ(FinishReasonName(FinishReason::kToolCalls), "tool_calls");
}

}  // namespace
}  // namespace aim::completion
