#include <vector>

#include <gtest/gtest.h>

#include "core/dialect/openai_chat.hpp"
#include "core/json/json.hpp"

namespace aim::dialect {
namespace {

using completion::DeltaBatch;
using completion::DeltaKind;

std::vector<std::string> Frames(const std::string& out) {
    std::vector<std::string> frames;
    std::size_t at = 0;
    while (at < out.size()) {
        const std::size_t end = out.find("\n\n", at);
        EXPECT_NE(end, std::string::npos);
        EXPECT_EQ(out.substr(at, 6), "data: ");
        frames.push_back(out.substr(at + 6, end - at - 6));
        at = end + 2;
    }
    return frames;
}

TEST(OpenAiStreamWriter, SendsRoleTextFinishUsageAndTerminatorInThisOrder) {
    OpenAiStreamWriter writer({"chatcmpl-1", 7, "m"}, true);
    DeltaBatch batch;
    batch.AddText(DeltaKind::kText, 0, "Hi");
    batch.AddFinish(0, completion::FinishReason::kStop);
    std::string out;
    writer.AppendBatch(batch, out);
    completion::Usage usage;
    usage.prompt_tokens = 1;
    usage.completion_tokens = 1;
    writer.AppendEnd(usage, out);
    const auto frames = Frames(out);
    ASSERT_EQ(frames.size(), 5u);
    const std::string head =
        R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","choices":[)";
    EXPECT_EQ(
        frames[0],
        head +
            R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null})");
    EXPECT_EQ(
        frames[1],
        head +
            R"({"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}],"usage":null})");
    EXPECT_EQ(
        frames[2],
        head + R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null})");
    EXPECT_EQ(frames[3],
              head + R"(],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}})");
    EXPECT_EQ(frames[4], "[DONE]");
}

TEST(OpenAiStreamWriter, WithoutTheOptionThereIsNoUsage) {
    OpenAiStreamWriter writer({"c", 7, "m"}, false);
    DeltaBatch batch;
    batch.AddText(DeltaKind::kText, 0, "Hi");
    completion::Usage usage;
    usage.prompt_tokens = 1;
    std::string out;
    writer.AppendBatch(batch, out);
    writer.AppendEnd(usage, out);
    EXPECT_EQ(out.find("usage"), std::string::npos);
}

TEST(OpenAiStreamWriter, NamesACallOnceAndIndexesEveryPiece) {
    OpenAiStreamWriter writer({"c", 7, "m"}, false);
    DeltaBatch batch;
    batch.AddToolCall(0, 0, "call_1", "f", "");
    batch.AddToolCall(0, 0, "", "", "{}");
    batch.AddToolCall(0, 1, "call_2", "g", "{}");
    std::string out;
    writer.AppendBatch(batch, out);
    const auto frames = Frames(out);
    ASSERT_EQ(frames.size(), 4u);
    EXPECT_NE(
        frames[1].find(
            R"({"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}})"),
        std::string::npos);
    EXPECT_NE(frames[2].find(R"({"index":0,"function":{"arguments":"{}"}})"), std::string::npos);
    EXPECT_NE(
        frames[3].find(
            R"({"index":1,"id":"call_2","type":"function","function":{"name":"g","arguments":"{}"}})"),
        std::string::npos);
}

TEST(OpenAiStreamWriter, EveryFrameIsJsonAlsoWithExtrasOfEveryScope) {
    OpenAiStreamWriter writer({"c", 7, "m\"x"}, false);
    DeltaBatch batch;
    batch.AddExtra(completion::ExtraScope::kResponse, 0, 0, "tier", "\"a\"");
    batch.AddExtra(completion::ExtraScope::kChoice, 1, 0, "logprobs", "{\"content\":[]}");
    batch.AddExtra(completion::ExtraScope::kMessage, 1, 0, "annotations", "[1]");
    batch.AddText(DeltaKind::kReasoning, 1, "why");
    batch.AddToolCall(1, 0, "c", "f", "{}");
    batch.AddExtra(completion::ExtraScope::kToolCall, 1, 0, "extra_content", "{\"s\":1}");
    batch.AddExtra(completion::ExtraScope::kMessage, 1, 0, "thinking_blocks", "[2]");
    batch.AddFinish(1, completion::FinishReason::kToolCalls);
    std::string out;
    writer.AppendBatch(batch, out);
    std::string all;
    for (const std::string& frame : Frames(out)) {
        EXPECT_TRUE(json::Parse(frame)) << frame;
        all += frame;
    }
    for (const char* expected :
         {R"("tier":"a")", R"("logprobs":{"content":[]})", R"("annotations":[1])",
          R"("extra_content":{"s":1})", R"("thinking_blocks":[2])"}) {
        EXPECT_NE(all.find(expected), std::string::npos) << expected;
    }
}

// What stands in each chunk: content, the extras named, the reason. One provider's chunk is a text
// and then its extras.
std::string Brief(const std::string& out) {
    std::string brief;
    for (const std::string& frame : Frames(out)) {
        const auto parsed = json::Parse(frame);
        EXPECT_TRUE(parsed) << frame;
        if (!parsed) continue;
        const json::Value chunk = parsed->root();
        const json::Value choice = chunk.Get("choices").At(0);
        brief += std::to_string(choice.Get("index").Int64Or(-1)) +
                 std::string(choice.Get("delta").Get("role").StringOr("")) + ":" +
                 std::string(choice.Get("delta").Get("content").StringOr(""));
        for (const auto& extra :
             {choice.Get("logprobs"), choice.Get("delta").Get("details"), chunk.Get("tier")})
            brief += extra.IsString() ? "/" + std::string(extra.StringOr("")) : "/";
        brief += std::string(choice.Get("finish_reason").StringOr("")) + " ";
    }
    return brief;
}

constexpr auto kChoice = completion::ExtraScope::kChoice;
constexpr auto kMessage = completion::ExtraScope::kMessage;
constexpr auto kResponse = completion::ExtraScope::kResponse;

TEST(OpenAiStreamWriter, ExtrasStandWithTheTextTheyCameWith) {
    OpenAiStreamWriter writer({"c", 7, "m"}, false);
    DeltaBatch batch;
    batch.AddText(DeltaKind::kText, 0, "A");
    batch.AddExtra(kChoice, 0, 0, "logprobs", "\"a\"");
    batch.AddText(DeltaKind::kText, 0, "B");
    batch.AddExtra(kMessage, 0, 0, "details", "\"d\"");
    batch.AddExtra(kChoice, 0, 0, "logprobs", "\"b\"");
    batch.AddExtra(kResponse, 0, 0, "tier", "\"t\"");
    batch.AddText(DeltaKind::kText, 0, "C");
    std::string out;
    writer.AppendBatch(batch, out);
    EXPECT_EQ(Brief(out), "0assistant:/// 0:A/a// 0:B/b/d/t 0:C/// ");
    out.clear();
    batch.Clear();
    batch.AddText(DeltaKind::kText, 0, "D");
    batch.AddExtra(kChoice, 0, 0, "logprobs", "\"d\"");
    batch.AddText(DeltaKind::kText, 1, "E");
    batch.AddExtra(kChoice, 1, 0, "logprobs", "\"e\"");
    batch.AddFinish(0, completion::FinishReason::kStop);
    writer.AppendBatch(batch, out);
    EXPECT_EQ(Brief(out), "0:D/d// 1assistant:/// 1:E/e// 0:///stop ");
}

TEST(OpenAiStreamWriter, ExtrasWithoutTextAreNeitherJoinedNorLost) {
    OpenAiStreamWriter writer({"c", 7, "m"}, false);
    DeltaBatch batch;
    for (const char* value : {"\"1\"", "\"2\"", "\"3\""}) {
        batch.AddExtra(kChoice, 0, 0, "logprobs", value);
        batch.AddExtra(kMessage, 0, 0, "details", value);
        batch.AddExtra(kResponse, 0, 0, "tier", value);
    }
    std::string out;
    writer.AppendBatch(batch, out);
    EXPECT_EQ(Brief(out), "0assistant:/// 0:/1/1/1 0:/2/2/2 0:/3/3/3 ");
    out.clear();
    batch.Clear();
    batch.AddExtra(kResponse, 0, 0, "tier", "\"4\"");
    writer.AppendBatch(batch, out);
    EXPECT_EQ(Brief(out), "0:///4 ");
    out.clear();
    batch.Clear();
    batch.AddExtra(kChoice, 0, 0, "logprobs", "\"5\"");
    batch.AddFinish(0, completion::FinishReason::kLength);
    writer.AppendBatch(batch, out);
    EXPECT_EQ(Brief(out), "0:/5//length ");
}

TEST(OpenAiStreamWriter, AFailureIsAnErrorEventWithoutTerminator) {
    std::string out;
    OpenAiStreamWriter::AppendError("broke \"off\"", "server_error", "upstream_failure", out);
    EXPECT_EQ(out,
              "data: {\"error\":{\"message\":\"broke "
              "\\\"off\\\"\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_"
              "failure\"}}\n\n");
}

}  // namespace
}  // namespace aim::dialect
