#include "services/data_api/records/ledger_record.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::data_api {
namespace {

constexpr const char* kIds =
    R"("id":"0199b1c2-0000-7000-8000-000000000001","model_id":"0199b1c2-0000-7000-8000-000000000002")";

LedgerBatch ReadOne(const std::string& more) {
    const auto document = json::Parse(std::string(R"({"outcomes":[{)") + kIds + "," + more + "}]}");
    EXPECT_TRUE(document) << more;
    auto batch = ReadLedger(document->root(), 1000, WallTime(std::chrono::seconds(1000)));
    EXPECT_TRUE(batch);
    return std::move(*batch);
}

TEST(ReadLedger, TakesTimesWithFractionsAndDefaults) {
    const LedgerBatch batch =
        ReadOne(R"("outcome":"success","response_time_ms":12.3456,"first_content_ms":1.6)");
    ASSERT_EQ(batch.outcomes.size(), 1U);
    EXPECT_EQ(batch.outcomes[0].response_time_us, 12346);
    EXPECT_EQ(batch.outcomes[0].first_content_ms, 2);
    EXPECT_TRUE(batch.outcomes[0].counts);
    EXPECT_FALSE(batch.outcomes[0].probe);
    EXPECT_EQ(batch.outcomes[0].occurred_at, WallTime(std::chrono::seconds(1000)));
}

TEST(ReadLedger, WhatIsTheCallersFaultCountsOnlyWhenTheSenderSaysSo) {
    for (const char* kind :
         {"invalid_request", "content_filtered", "context_too_long", "cancelled"}) {
        EXPECT_FALSE(ReadOne(std::string(R"("outcome":")") + kind + "\"").outcomes.at(0).counts)
            << kind;
        EXPECT_TRUE(ReadOne(std::string(R"("counts":true,"outcome":")") + kind + "\"")
                        .outcomes.at(0)
                        .counts)
            << kind;
    }
    for (const char* kind : {"success", "rate_limited", "overloaded", "internal"}) {
        EXPECT_TRUE(ReadOne(std::string(R"("outcome":")") + kind + "\"").outcomes.at(0).counts)
            << kind;
    }
}

TEST(ReadLedger, RejectsBadRecordsWithAReason) {
    for (const char* more :
         {R"("x":1)", R"("outcome":7)", R"("outcome":"great")",
          R"("outcome":"success","response_time_ms":"1")",
          R"("outcome":"success","response_time_ms":1e300)",
          R"("outcome":"success","prompt_tokens":1.5)", R"("outcome":"success","cost":-1)",
          R"("outcome":"success","source":"cron")", R"("outcome":"success","counts":1)",
          R"("outcome":"success","occurred_at":12)"}) {
        const LedgerBatch batch = ReadOne(more);
        EXPECT_EQ(batch.outcomes.size(), 0U) << more;
        ASSERT_EQ(batch.rejected.size(), 1U) << more;
        EXPECT_EQ(batch.rejected[0].id, "0199b1c2-0000-7000-8000-000000000001");
        EXPECT_FALSE(batch.rejected[0].reason.empty());
    }
}

TEST(ReadLedger, CostMayBeEmptyNullOrANumber) {
    EXPECT_FALSE(ReadOne(R"("outcome":"success","cost":null)").outcomes.at(0).cost);
    EXPECT_FALSE(ReadOne(R"("outcome":"success","cost":"")").outcomes.at(0).cost);
    EXPECT_EQ(ReadOne(R"("outcome":"success","cost":"0.5")").outcomes.at(0).cost, "0.5");
    EXPECT_EQ(ReadOne(R"("outcome":"success","cost":0.5)").outcomes.at(0).cost, "0.5");
}

}  // namespace
}  // namespace aim::data_api
