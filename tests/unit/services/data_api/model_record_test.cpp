#include "services/data_api/records/model_record.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::data_api {
namespace {

Result<ModelChange> ReadChange(const std::string& text) {
    const auto document = json::Parse(text);
    EXPECT_TRUE(document) << text;
    return ReadModelChange(document->root());
}

TEST(ModelChange, TellsAbsentFromNull) {
    const auto empty = ReadChange("{}");
    ASSERT_TRUE(empty);
    EXPECT_FALSE(empty->context_window);
    EXPECT_FALSE(empty->capabilities);
    EXPECT_FALSE(empty->settings);
    const auto nulls = ReadChange(
        R"({"context_window":null,"capabilities":null,"input_price_per_million":null,"upstream_model":null,"endpoint":null})");
    ASSERT_TRUE(nulls);
    ASSERT_TRUE(nulls->context_window);
    EXPECT_FALSE(*nulls->context_window);
    ASSERT_TRUE(nulls->capabilities);
    EXPECT_FALSE(*nulls->capabilities);
    EXPECT_FALSE(nulls->upstream_model);
    EXPECT_EQ(nulls->endpoint, "");
}

TEST(ModelChange, SplitsSettingsIntoSetAndRemoved) {
    const auto change = ReadChange(R"({"settings":{"a":1,"gone":null,"b":{"c":null}}})");
    ASSERT_TRUE(change);
    EXPECT_EQ(change->settings, R"({"a":1,"b":{"c":null}})");
    EXPECT_EQ(change->removed_settings, std::vector<std::string>{"gone"});
}

TEST(ModelChange, AcceptsTheEndpointsOfThisWorld) {
    for (const char* endpoint :
         {"", "https://api.groq.com/openai/v1", "http://127.0.0.1:8080/v1", "mock://fast",
          "http://[::1]:1/x",
          "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai"}) {
        EXPECT_TRUE(ReadChange(std::string(R"({"endpoint":")") + endpoint + "\"}")) << endpoint;
    }
    for (const char* endpoint :
         {"groq.com", "file:///etc/passwd", "https://", "https://a b/", "https://u@h/"}) {
        const auto change = ReadChange(std::string(R"({"endpoint":")") + endpoint + "\"}");
        ASSERT_FALSE(change) << endpoint;
        EXPECT_EQ(change.error().field, "endpoint");
    }
}

TEST(ModelChange, RefusesAutoInAnyCase) {
    for (const char* name : {"auto", "AUTO", "Auto"})
        EXPECT_FALSE(ReadChange(std::string(R"({"name":")") + name + "\"}"));
    EXPECT_TRUE(ReadChange(R"({"name":"autopilot"})"));
}

TEST(IsDecimal, TakesPlainDecimalsOnly) {
    for (const char* text : {"0", "0.59", "12", "0.000000000000125", "007.10"})
        EXPECT_TRUE(IsDecimal(text)) << text;
    for (const char* text : {"", ".", "1.", ".5", "-1", "+1", "1e5", "1,5", " 1", "NaN", "Infinity",
                             "0x1", "1.2.3", "123456789012345678901"}) {
        EXPECT_FALSE(IsDecimal(text)) << text;
    }
}

ModelRow Row(const std::string& name, std::int64_t total, std::int64_t successful,
             std::int64_t sum_ms) {
    ModelRow row;
    row.record.name = name;
    row.record.total_requests = row.record.timed_requests = total;
    row.record.successful_requests = successful;
    row.record.failed_requests = total - successful;
    row.record.response_time_sum_us = sum_ms * 1000;
    return row;
}

TEST(SortBestFirst, ScoreThenFewestRequestsThenName) {
    std::vector<ModelRow> rows;
    rows.push_back(Row("failing", 10, 5, 0));
    rows.push_back(Row("used", 3, 3, 0));
    rows.push_back(Row("b", 0, 0, 0));
    rows.push_back(Row("a", 0, 0, 0));
    rows.push_back(Row("slow", 1, 1, 5000));
    SortBestFirst(rows);
    std::string names;
    for (const ModelRow& row : rows) names += row.record.name + " ";
    EXPECT_EQ(names, "a b used failing slow ");
}

TEST(WriteModel, WritesNumbersWithAtMostTwoDecimals) {
    std::string text;
    json::Writer writer(text);
    WriteModel(writer, Row("m", 3, 2, 1000));
    EXPECT_NE(text.find("\"error_rate_percent\":33.33,"), std::string::npos) << text;
    EXPECT_NE(text.find("\"avg_response_time_ms\":333,"), std::string::npos) << text;
    EXPECT_NE(text.find("\"last_check_at\":null"), std::string::npos) << text;
    EXPECT_EQ(text.find("ciphertext"), std::string::npos);
}

}  // namespace
}  // namespace aim::data_api
