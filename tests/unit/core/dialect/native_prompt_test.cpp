#include "core/dialect/native_prompt.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::dialect {
namespace {

TEST(ReadNativePrompt, TakesEveryFieldOfTheContract) {
    const auto request = ReadNativePrompt(
        R"({"prompt":"Explain","user_id":"telegram_42","username":"anna","system":"Be brief.","model":"auto","max_tokens":500,
            "temperature":0.7,"fallback":false,"something_new":[1]})");
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request->model, "");
    EXPECT_EQ(request->user_id, "telegram_42");
    EXPECT_EQ(request->user_telegram_id, 42);
    EXPECT_EQ(request->username, "anna");
    EXPECT_EQ(request->max_tokens, 500);
    EXPECT_DOUBLE_EQ(request->temperature, 0.7);
    EXPECT_FALSE(request->fallback);
    EXPECT_EQ(
        request->members,
        R"("messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Explain"}],"max_tokens":500,"temperature":0.7)");
    EXPECT_EQ(request->PromptText(), "Explain");
}

TEST(ReadNativePrompt, LeavesOutWhatIsNotThere) {
    const auto request = ReadNativePrompt(R"({"prompt":"Hi","system":null,"model":"m1"})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->model, "m1");
    EXPECT_TRUE(request->fallback);
    EXPECT_EQ(request->max_tokens, -1);
    EXPECT_TRUE(std::isnan(request->temperature));
    EXPECT_EQ(request->members, R"("messages":[{"role":"user","content":"Hi"}])");
}

struct Refusal {
    const char* body;
    const char* code;
    const char* field;
};

class ReadNativePromptRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(ReadNativePromptRefuses, NamingTheField) {
    const auto request = ReadNativePrompt(GetParam().body);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().kind, ErrorKind::kInvalidRequest);
    EXPECT_EQ(request.error().code, GetParam().code);
    EXPECT_EQ(request.error().field, GetParam().field);
}

INSTANTIATE_TEST_SUITE_P(
    BadInput, ReadNativePromptRefuses,
    testing::Values(Refusal{"", "invalid_json", ""}, Refusal{"not json", "invalid_json", ""},
                    Refusal{R"({"prompt":"a"} x)", "invalid_json", ""},
                    Refusal{R"({"prompt":"a","prompt":"b"})", "invalid_json", ""},
                    Refusal{R"([1])", "invalid_request", ""},
                    Refusal{R"({})", "invalid_request", "prompt"},
                    Refusal{R"({"prompt":""})", "invalid_request", "prompt"},
                    Refusal{R"({"prompt":7})", "invalid_request", "prompt"},
                    Refusal{R"({"prompt":"a","max_tokens":"many"})", "invalid_request",
                            "max_tokens"},
                    Refusal{R"({"prompt":"a","max_tokens":0})", "invalid_request", "max_tokens"},
                    Refusal{R"({"prompt":"a","temperature":3})", "invalid_request", "temperature"},
                    Refusal{R"({"prompt":"a","fallback":"no"})", "invalid_request", "fallback"}));

TEST(ReadNativePrompt, CountsCharactersNotBytes) {
    std::string prompt;
    for (std::size_t i = 0; i < kMaxPromptCharacters; ++i) prompt += "я";
    EXPECT_TRUE(ReadNativePrompt("{\"prompt\":\"" + prompt + "\"}"));
    const auto longer = ReadNativePrompt("{\"prompt\":\"" + prompt + "a\"}");
    ASSERT_FALSE(longer);
    EXPECT_EQ(longer.error().field, "prompt");
}

TEST(TelegramId, OnlyWholeNumbers) {
    EXPECT_EQ(TelegramId("telegram_7"), 7);
    EXPECT_EQ(TelegramId("telegram_-100"), -100);
    EXPECT_FALSE(TelegramId("telegram_"));
    EXPECT_FALSE(TelegramId("telegram_7x"));
    EXPECT_FALSE(TelegramId("api_7"));
}

TEST(WriteNativeAnswer, HasTheContractsShape) {
    completion::ChatResponse response;
    response.choices.emplace_back().text = "He\"llo";
    response.choices[0].finish = completion::FinishReason::kLength;
    response.usage.prompt_tokens = 12;
    NativeAnswer answer;
    answer.model = {"id-1", "mistral-7b", "HuggingFace", 95.5};
    answer.processing_time = std::chrono::milliseconds(1234);
    answer.request_id = "r1";
    answer.attempts.push_back(
        {"llama", "Together.ai", "rate_limited", std::chrono::milliseconds(41)});
    EXPECT_EQ(
        WriteNativeAnswer(response, answer),
        R"({"response":"He\"llo","model_used":{"id":"id-1","name":"mistral-7b","provider":"HuggingFace","reliability_score":95.5},)"
        R"("processing_time_ms":1234,"request_id":"r1","usage":{"prompt_tokens":12,"completion_tokens":null,"total_tokens":null},)"
        R"("finish_reason":"length","attempts":[{"model":"llama","provider":"Together.ai","outcome":"rate_limited","duration_ms":41}]})");
}

}  // namespace
}  // namespace aim::dialect
