#include "aim/sdk/guard.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::plugin_driver {
namespace {

using testing::ElementsAre;

Result Play(const std::string& model, const std::string& row_settings = "{}") {
    static const Plugin plugin(AIM_THROWING_PLUGIN);
    Options options;
    options.endpoint = "http://127.0.0.1";
    options.row_settings = row_settings;
    const Answer answer = {200, {}, "body", AIM_END_COMPLETE};
    return RunChat(plugin, R"({"model":")" + model + R"(","messages":[{"role":"user"}]})", {answer},
                   options);
}

TEST(Guard, WhatIsThrownBecomesAnInternalError) {
    for (const std::string place : {"start", "begin", "next", "head", "data", "end", "wake"}) {
        const Result result = Play(place);
        ASSERT_GE(result.events.size(), 2U);
        EXPECT_EQ(result.events[result.events.size() - 2],
                  "error internal code=plugin_exception \"thrown in " + place + "\"");
        EXPECT_EQ(result.events.back(), "failed");
    }
    EXPECT_THAT(Play("int_in_data").events,
                ElementsAre("error internal code=plugin_exception \"the plugin threw something "
                            "that is no std::exception\"",
                            "failed"));
}

TEST(Guard, ACreateThatThrowsFails) {
    EXPECT_THAT(
        Play("m", "{\"throw\":1}").events,
        ElementsAre("error internal code=plugin_exception \"std::bad_alloc\"", "not_created"));
}

TEST(Guard, AFailureWithoutAReasonGetsOne) {
    const std::string reason =
        "error internal code=plugin_exception \"the plugin failed without giving a reason\"";
    EXPECT_THAT(Play("silent").events, ElementsAre(reason, "failed"));
    EXPECT_THAT(Play("silent_next").events, ElementsAre(reason, "failed"));
    EXPECT_THAT(Play("null_start").events, ElementsAre(reason, "failed"));
    EXPECT_THAT(Play("m", "{\"null\":1}").events, ElementsAre(reason, "not_created"));
}

TEST(Guard, WithoutASinkItFailsClosed) {
    bool ran = false;
    const auto body = [&](const sdk::Call&) {
        ran = true;
        return AIM_OK;
    };
    EXPECT_EQ(sdk::Guard(nullptr, body), AIM_FAILED);
    const aim_call call = {sizeof(aim_call), 0, 0, nullptr};
    EXPECT_EQ(sdk::Guard(&call, body), AIM_FAILED);
    EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace aim::plugin_driver
