#include "services/telegram_bot/prompt_queue.hpp"

#include <gtest/gtest.h>

#include "core/resilience/rate_limiter.hpp"
#include "services/telegram_bot/edit_throttle.hpp"
#include "tests/support/fake_clock.hpp"

namespace aim::telegram_bot {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = PromptQueue::Verdict;

Prompt In(std::int64_t chat, std::string text = "x") {
    Prompt prompt;
    prompt.destination.chat_id = chat;
    prompt.text = std::move(text);
    return prompt;
}

Verdict Offer(PromptQueue& queue, std::int64_t chat, std::string text = "x") {
    Prompt prompt = In(chat, std::move(text));
    return queue.Offer(prompt);
}

TEST(PromptQueueTest, OnePromptAtATimeForEachChat) {
    PromptQueue queue({.waiting_per_chat = 2, .total = 100});
    EXPECT_EQ(Offer(queue, 1, "a"), Verdict::kStart);
    EXPECT_EQ(Offer(queue, 1, "b"), Verdict::kQueued);
    EXPECT_EQ(Offer(queue, 2, "c"), Verdict::kStart);
    EXPECT_EQ(Offer(queue, 1, "d"), Verdict::kQueued);
    EXPECT_EQ(queue.WaitingIn(1), 2U);
    EXPECT_EQ(Offer(queue, 1, "e"), Verdict::kChatFull);
    EXPECT_EQ(queue.running(), 2U);
    EXPECT_EQ(queue.waiting(), 2U);
    EXPECT_EQ(queue.Finished(1)->text, "b");
    EXPECT_EQ(queue.Finished(1)->text, "d");
    EXPECT_FALSE(queue.Finished(1));
    EXPECT_FALSE(queue.IsRunning(1));
    EXPECT_FALSE(queue.Finished(1));
    EXPECT_EQ(Offer(queue, 1), Verdict::kStart);
}

TEST(PromptQueueTest, TheWholeIsBounded) {
    PromptQueue queue({.waiting_per_chat = 2, .total = 3});
    EXPECT_EQ(Offer(queue, 1), Verdict::kStart);
    EXPECT_EQ(Offer(queue, 2), Verdict::kStart);
    EXPECT_EQ(Offer(queue, 1), Verdict::kQueued);
    EXPECT_EQ(Offer(queue, 1), Verdict::kFull);
    Prompt refused = In(3, "kept");
    EXPECT_EQ(queue.Offer(refused), Verdict::kFull);
    EXPECT_EQ(refused.text, "kept");
    EXPECT_FALSE(queue.Finished(2));
    EXPECT_EQ(queue.Offer(refused), Verdict::kStart);
}

TEST(PromptQueueTest, WhatWaitsCanBeTakenBack) {
    PromptQueue queue({.waiting_per_chat = 5, .total = 100});
    for (const std::int64_t chat : {1, 1, 1, 2, 2}) Offer(queue, chat);
    EXPECT_EQ(queue.TakeWaiting(1).size(), 2U);
    EXPECT_EQ(queue.TakeWaiting(9).size(), 0U);
    EXPECT_EQ(queue.waiting(), 1U);
    EXPECT_EQ(queue.TakeAllWaiting().size(), 1U);
    EXPECT_EQ(queue.waiting(), 0U);
    EXPECT_FALSE(queue.Finished(1));
}

TEST(EditThrottleTest, OneEditAnIntervalAndNoneWhileTelegramSaysSo) {
    aim::testing::FakeClock clock;
    EditThrottle throttle(milliseconds(1000));
    EXPECT_TRUE(throttle.MayShow(clock.Now()));
    throttle.Shown(clock.Now());
    EXPECT_FALSE(throttle.MayShow(clock.Now()));
    clock.Advance(milliseconds(999));
    EXPECT_FALSE(throttle.MayShow(clock.Now()));
    clock.Advance(milliseconds(1));
    EXPECT_TRUE(throttle.MayShow(clock.Now()));
    throttle.Postpone(clock.Now(), seconds(7));
    clock.Advance(milliseconds(6999));
    EXPECT_FALSE(throttle.MayShow(clock.Now()));
    throttle.Shown(clock.Now());
    clock.Advance(milliseconds(1));
    EXPECT_FALSE(throttle.MayShow(clock.Now()));
    EXPECT_TRUE(throttle.MayShow(throttle.next()));
    throttle.Postpone(throttle.next(), milliseconds(0));
    EXPECT_FALSE(throttle.MayShow(clock.Now() + milliseconds(1500)));
}

TEST(UserLimitTest, AUsersPromptsAreLimitedAndToldWhenToComeBack) {
    aim::testing::FakeClock clock;
    resilience::RateLimiter limiter({.limit = 3, .period = milliseconds(60'000), .max_keys = 100});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.Check("42", clock.Now()).allowed);
    const auto refused = limiter.Check("42", clock.Now());
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, seconds(20));
    EXPECT_TRUE(limiter.Check("43", clock.Now()).allowed);
    clock.Advance(seconds(20));
    EXPECT_TRUE(limiter.Check("42", clock.Now()).allowed);
}

}  // namespace
}  // namespace aim::telegram_bot
