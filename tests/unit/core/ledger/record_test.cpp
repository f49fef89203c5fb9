#include "core/ledger/record.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::ledger {
namespace {

TEST(CostInUsd, IsExact) {
    EXPECT_EQ(CostInUsd(1000, 500, "0.59", "0.79"), "0.000985");
    EXPECT_EQ(CostInUsd(1'000'000, 0, "2", "10.00"), "2");
    EXPECT_EQ(CostInUsd(1, 1, "0.000001", "0"), "0.000000000001");
    EXPECT_EQ(CostInUsd(0, 0, "0.59", "0.79"), "0");
}

TEST(CostInUsd, UnknownIsNotZero) {
    EXPECT_EQ(CostInUsd(std::nullopt, 5, "1", "1"), "");
    EXPECT_EQ(CostInUsd(5, 5, "", "1"), "");
    EXPECT_EQ(CostInUsd(5, 5, "1,5", "1"), "");
    EXPECT_EQ(CostInUsd(5, 5, "1.2.3", "1"), "");
}

TEST(MakeRecord, AnOutcomeHasTheContractsFields) {
    completion::Outcome outcome;
    outcome.request_id = "r";
    outcome.provider = "groq";
    outcome.error = ErrorKind::kRateLimited;
    outcome.response_time = std::chrono::microseconds(1500);
    const Record record = MakeRecord(outcome);
    EXPECT_FALSE(record.success);
    EXPECT_TRUE(record.counts);
    const auto document = json::Parse(record.json);
    ASSERT_TRUE(document) << record.json;
    EXPECT_EQ(document->root().Get("outcome").AsString(), "rate_limited");
    EXPECT_DOUBLE_EQ(document->root().Get("response_time_ms").DoubleOr(0), 1.5);
    EXPECT_TRUE(document->root().Get("first_content_ms").IsNull());
    EXPECT_EQ(document->root().Get("source").AsString(), "prompt");
}

TEST(MakeRecord, CutsLongTextsAtACharacterAndSaysSo) {
    completion::HistoryRecord history;
    for (int i = 0; i < 1000; ++i) history.prompt_text += "я";
    const Record record = MakeRecord(history, 1025);
    const auto document = json::Parse(record.json);
    ASSERT_TRUE(document) << record.json;
    const std::string text(document->root().Get("prompt_text").StringOr(""));
    EXPECT_LE(text.size(), 1025u);
    EXPECT_NE(text.find("[cut, 2000 bytes]"), std::string::npos);
    EXPECT_TRUE(document->root().Get("response_text").IsNull());
    EXPECT_EQ(document->root().Get("status").AsString(), "success");
}

TEST(MakeRecord, NoTextMakesARecordThatIsTooLargeToBeSent) {
    completion::HistoryRecord history;
    history.prompt_text.assign(32u << 20, '\x01');
    history.response_text.assign(1u << 20, '\x02');
    history.user_id.assign(32u << 20, 'u');
    history.username.assign(100'000, '"');
    history.error_message.assign(100'000, '\n');
    history.request_id.assign(100'000, 'r');
    const Record record = MakeRecord(history, 1u << 20);
    EXPECT_LE(record.json.size(), kMaxRecordBytes);
    const auto document = json::Parse(record.json);
    ASSERT_TRUE(document);
    EXPECT_NE(document->root().Get("prompt_text").StringOr("").find("[cut, 33554432 bytes]"),
              std::string::npos);
    EXPECT_NE(document->root().Get("user_id").StringOr("").find("[cut, "), std::string::npos);
}

}  // namespace
}  // namespace aim::ledger
