#include "core/data_client/model_reader.hpp"

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::data_client {
namespace {

constexpr std::string_view kId = "01a1fbfd-34ef-72f9-8bdc-d78704510b08";

TEST(ReadModels, TakesTheExactSums) {
    std::size_t skipped = 0;
    const auto models = ReadModels(
        R"([{"id":"01a1fbfd-34ef-72f9-8bdc-d78704510b08","name":"m","provider":"groq","endpoint":"https://a.test/v1/","upstream_model":"u",
            "is_active":false,"settings":{"a":1},"context_window":8192,"capabilities":["stream"],"input_price_per_million":"0.59",
            "total_requests":3,"successful_requests":2,"failed_requests":1,"response_time_sum_us":4500,"timed_requests":2,
            "last_success_at":"2026-11-21T00:00:00.000Z","version":7,"new_field":[]}])",
        skipped);
    ASSERT_TRUE(models);
    ASSERT_EQ(models->size(), 1u);
    const completion::ModelRecord& model = models->front();
    EXPECT_EQ(model.id.ToString(), kId);
    EXPECT_EQ(model.endpoint, "https://a.test/v1");
    EXPECT_FALSE(model.is_active);
    EXPECT_EQ(model.settings, R"({"a":1})");
    EXPECT_EQ(model.context_window, 8192);
    EXPECT_TRUE(model.last_success_at);
    const rating::StoredRow row = StoredRowOf(model);
    EXPECT_EQ(row.counters.response_time_sum_us, 4500);
    EXPECT_EQ(row.counters.timed_requests, 2);
}

TEST(ReadModels, SkipsRowsItCannotReadAndKeepsTheOthers) {
    std::size_t skipped = 0;
    const auto models = ReadModels(
        R"([{"id":"nonsense"},7,{"id":"01a1fbfd-34ef-72f9-8bdc-d78704510b08","name":"m","provider":"p"}])",
        skipped);
    ASSERT_TRUE(models);
    EXPECT_EQ(models->size(), 1u);
    EXPECT_EQ(skipped, 2u);
    EXPECT_EQ(models->front().upstream_model, "m");
    EXPECT_FALSE(models->front().capabilities);
}

TEST(ReadModels, RefusesWhatIsNoArray) {
    std::size_t skipped = 0;
    EXPECT_FALSE(ReadModels("{}", skipped));
    EXPECT_FALSE(ReadModels("<html>", skipped));
}

}  // namespace
}  // namespace aim::data_client
