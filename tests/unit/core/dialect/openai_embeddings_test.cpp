#include "core/dialect/openai_embeddings.hpp"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json/json.hpp"

namespace aim::dialect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadEmbeddings, EveryFormOfInput) {
    const auto one = ReadEmbeddings(R"({"input":"Hello"})");
    ASSERT_TRUE(one);
    EXPECT_THAT(one->texts, ElementsAre("Hello"));
    EXPECT_EQ(one->input_count, 1U);
    EXPECT_FALSE(one->base64);
    EXPECT_EQ(one->members, R"("input":"Hello")");

    const auto several = ReadEmbeddings(R"({"input":["a","b",""]})");
    ASSERT_TRUE(several);
    EXPECT_THAT(several->texts, ElementsAre("a", "b", ""));
    EXPECT_EQ(several->input_count, 3U);
    EXPECT_EQ(several->PromptText(), "a\nb\n");

    const auto tokens = ReadEmbeddings(R"({"input":[1, 2,3]})");
    ASSERT_TRUE(tokens);
    EXPECT_THAT(tokens->texts, IsEmpty());
    EXPECT_TRUE(tokens->has_tokens());
    EXPECT_EQ(tokens->input_count, 1U);
    EXPECT_EQ(tokens->members, R"("input":[1, 2,3])");

    const auto nested = ReadEmbeddings(R"({"input":[[1,2],[3]]})");
    ASSERT_TRUE(nested);
    EXPECT_EQ(nested->input_count, 2U);
    EXPECT_EQ(nested->PromptText(), "2 inputs as token ids");
}

TEST(ReadEmbeddings, TakesItsOwnFieldsOutAndKeepsTheRest) {
    const auto request = ReadEmbeddings(
        R"({"model":"auto","input":"x","encoding_format":"base64","dimensions":256,"user":"u",)"
        R"("user_id":"telegram_7","username":"anna","fallback":false,"task":"query"})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->model, "");
    EXPECT_TRUE(request->base64);
    EXPECT_EQ(request->dimensions, 256);
    EXPECT_FALSE(request->fallback);
    EXPECT_EQ(request->user_id, "telegram_7");
    EXPECT_EQ(request->user_telegram_id, 7);
    EXPECT_EQ(request->members, R"("input":"x","dimensions":256,"user":"u","task":"query")");
}

TEST(ReadEmbeddings, NamesTheFieldThatIsWrong) {
    std::string many = R"({"input":["a")";
    for (int i = 0; i < 2048; ++i) many += ",\"a\"";
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {R"({})", "input"},
        {R"({"input":null})", "input"},
        {R"({"input":[]})", "input"},
        {R"({"input":7})", "input"},
        {R"({"input":{"a":1}})", "input"},
        {R"({"input":["a",1]})", "input"},
        {R"({"input":[1,"a"]})", "input"},
        {R"({"input":[1.5]})", "input"},
        {R"({"input":[-1]})", "input"},
        {R"({"input":[[1],[]]})", "input"},
        {R"({"input":[[1],"a"]})", "input"},
        {R"({"input":[true]})", "input"},
        {many + "]}", "input"},
        {R"({"input":"a","encoding_format":"hex"})", "encoding_format"},
        {R"({"input":"a","encoding_format":1})", "encoding_format"},
        {R"({"input":"a","dimensions":0})", "dimensions"},
        {R"({"input":"a","dimensions":70000})", "dimensions"},
        {R"({"input":"a","model":3})", "model"},
    };
    for (const auto& [body, field] : wrong) {
        const auto request = ReadEmbeddings(body);
        ASSERT_FALSE(request) << body.substr(0, 80);
        EXPECT_EQ(request.error().field, field) << body.substr(0, 80);
    }
    EXPECT_FALSE(ReadEmbeddings("[]"));
    EXPECT_FALSE(ReadEmbeddings("{"));
}

TEST(WriteEmbeddings, NumbersReadBackTheSame) {
    const std::vector<std::vector<float>> vectors = {{0.1F, -1.0F / 3, 1e-30F}, {1, 0, -2.5F}};
    completion::Usage usage;
    usage.prompt_tokens = 4;
    const std::string text = WriteEmbeddings(vectors, usage, "row \"1\"", false);
    const auto document = json::Parse(text);
    ASSERT_TRUE(document) << text;
    const json::Value root = document->root();
    EXPECT_EQ(root.Get("object").StringOr(""), "list");
    EXPECT_EQ(root.Get("model").StringOr(""), "row \"1\"");
    EXPECT_EQ(root.Get("usage").ToJson(), R"({"prompt_tokens":4,"total_tokens":4})");
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const json::Value item = root.Get("data").At(i);
        EXPECT_EQ(item.Get("index").Int64Or(-1), static_cast<std::int64_t>(i));
        for (std::size_t j = 0; j < vectors[i].size(); ++j)
            EXPECT_EQ(static_cast<float>(item.Get("embedding").At(j).DoubleOr(99)), vectors[i][j]);
    }
}

TEST(WriteEmbeddings, Base64IsLittleEndianWithPadding) {
    const auto embedding = [](std::vector<float> vector) {
        const std::string text = WriteEmbeddings({std::move(vector)}, {}, "m", true);
        const auto document = json::Parse(text);
        return std::string(
            document->root().Get("data").At(0).Get("embedding").StringOr("no string"));
    };
    // By the reference: base64(struct.pack("<f", …)).
    EXPECT_EQ(embedding({0.5F}), "AAAAPw==");
    EXPECT_EQ(embedding({0.5F, -1}), "AAAAPwAAgL8=");
    EXPECT_EQ(embedding({0.5F, -1, 0.25F}), "AAAAPwAAgL8AAIA+");
}

TEST(WriteEmbeddings, UsageThatNobodyCountedIsLeftOut) {
    EXPECT_EQ(WriteEmbeddings({{1}}, {}, "m", false),
              R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[1]}],)"
              R"("model":"m"})");
}

}  // namespace
}  // namespace aim::dialect
