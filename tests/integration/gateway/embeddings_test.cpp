// POST /v1/embeddings through the whole gateway: forms of the request and the answer, the choice of
// a model, and what may stand in for another one.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EmbeddingsTest : public GatewayTest {
  protected:
    // A row with these capabilities ("null" = it says nothing); returns when it is offered.
    void AddRow(const std::string& name, const std::string& provider_name,
                const std::string& endpoint, const std::string& capabilities,
                const std::string& upstream_model = {}) {
        std::string row = "{\"name\":" + Quote(name) + ",\"provider\":" + Quote(provider_name) +
                          ",\"endpoint\":" + Quote(endpoint) + ",\"capabilities\":" + capabilities;
        if (!upstream_model.empty()) row += ",\"upstream_model\":" + Quote(upstream_model);
        const HttpAnswer answer = data().Post("/api/v1/models", row + "}");
        ASSERT_EQ(answer.status, 201) << answer.body;
        ASSERT_TRUE(Eventually([&] { return StateOf(name) == "available"; }))
            << name << " " << StateOf(name);
    }
    void AddMock(const std::string& name, const std::string& capabilities) {
        AddRow(name, "mock", "mock://local", capabilities);
    }
    // Of the fake provider, played by groq.so.
    void AddRemote(const std::string& name, const std::string& capabilities,
                   const std::string& upstream_model) {
        AddRow(name, "groq", provider().url(), capabilities, upstream_model);
    }

    HttpAnswer Embed(const std::string& members) {
        return business().Post("/v1/embeddings", "{" + members + "}", Key());
    }

    static std::vector<float> Numbers(const json::Value& item) {
        std::vector<float> vector;
        for (const auto& [key, value] : item.Get("embedding"))
            vector.push_back(static_cast<float>(value.DoubleOr(std::nan(""))));
        return vector;
    }
};

constexpr const char* kEmbeds = R"(["embeddings"])";

std::vector<float> FromBase64(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        constexpr std::string_view kAlphabet =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const std::size_t value = kAlphabet.find(c);
        if (value == kAlphabet.npos) continue;  // padding
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<char>(bits >> held & 0xFF));
    }
    std::vector<float> vector(bytes.size() / sizeof(float));
    std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
    return vector;
}

TEST_F(EmbeddingsTest, ABatchAsNumbersAndInBase64) {
    AddMock("vectors", kEmbeds);
    const HttpAnswer answer =
        Embed(R"("model":"vectors","input":["a red house","a blue house","Hello"],"user":"anna")");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.Header("X-AIManager-Model"), "vectors");
    EXPECT_EQ(answer.Header("X-AIManager-Provider"), "mock");
    EXPECT_EQ(answer.Header("X-AIManager-Attempts"), "1");
    EXPECT_FALSE(answer.Header("X-Request-Id").empty());
    const json::Document document = Json(answer.body);
    EXPECT_EQ(document.root().Get("object").StringOr(""), "list");
    EXPECT_EQ(document.root().Get("model").StringOr(""), "vectors");
    EXPECT_EQ(document.root().Get("usage").ToJson(), R"({"prompt_tokens":7,"total_tokens":7})");
    const json::Value list = document.root().Get("data");
    ASSERT_EQ(list.size(), 3U);
    std::vector<std::vector<float>> vectors;
    for (std::size_t i = 0; i < list.size(); ++i) {
        EXPECT_EQ(list.At(i).Get("object").StringOr(""), "embedding");
        EXPECT_EQ(list.At(i).Get("index").Int64Or(-1), static_cast<std::int64_t>(i));
        vectors.push_back(Numbers(list.At(i)));
        double square = 0;
        for (const float value : vectors.back()) square += double{value} * double{value};
        EXPECT_NEAR(square, 1, 1e-5);
    }
    ASSERT_EQ(vectors[0].size(), 1536U);
    const auto nearness = [&](std::size_t a, std::size_t b) {
        double sum = 0;
        for (std::size_t i = 0; i < vectors[a].size(); ++i)
            sum += double{vectors[a][i]} * double{vectors[b][i]};
        return sum;
    };
    EXPECT_GT(nearness(0, 1), nearness(0, 2));

    const HttpAnswer packed =
        Embed(R"("model":"vectors","input":["a red house"],"encoding_format":"base64")");
    ASSERT_EQ(packed.status, 200) << packed.body;
    const json::Document base64 = Json(packed.body);
    EXPECT_EQ(FromBase64(base64.root().Get("data").At(0).Get("embedding").StringOr("no string")),
              vectors[0]);

    const json::Document row = HistoryRow(answer.Header("X-Request-Id"));
    EXPECT_EQ(row.root().Get("prompt_text").StringOr(""), "a red house\na blue house\nHello");
    EXPECT_EQ(row.root().Get("response_text").StringOr(""), "[3 embeddings of 1536 dimensions]");
    EXPECT_EQ(row.root().Get("user_id").StringOr(""), "anna");
    EXPECT_EQ(row.root().Get("status").StringOr(""), "success");
    EXPECT_EQ(row.root().Get("prompt_tokens").Int64Or(-1), 7);
    EXPECT_TRUE(Eventually([&] {
        return Sql("SELECT count(*) FROM request_outcomes WHERE request_id = '" +
                   answer.Header("X-Request-Id") + "'") == "1";
    }));
}

TEST_F(EmbeddingsTest, AProvidersVectorsArePassedOn) {
    AddRemote("remote", kEmbeds, "embed-1");
    const HttpAnswer answer = Embed(R"("model":"remote","input":["four","sixsix"])");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::Document document = Json(answer.body);
    EXPECT_THAT(Numbers(document.root().Get("data").At(0)), ElementsAre(4, 1, 1));
    EXPECT_THAT(Numbers(document.root().Get("data").At(1)), ElementsAre(6, 1, 1));
    EXPECT_EQ(document.root().Get("usage").Get("prompt_tokens").Int64Or(-1), 14);
    EXPECT_EQ(RequestsFor("embed-1"), 1U);
    // What this provider cannot do is told by its name.
    for (const char* more : {R"("input":"a","dimensions":2)", R"("input":[1,2])"}) {
        const HttpAnswer refused = Embed(std::string(R"("model":"remote",)") + more);
        ExpectOpenAi(refused, 400, "unsupported");
    }
}

TEST_F(EmbeddingsTest, BadRequestsNameTheField) {
    AddMock("vectors", kEmbeds);
    for (const auto& [members, field] : std::vector<std::pair<std::string, std::string>>{
             {R"("model":"vectors")", "input"},
             {R"("model":"vectors","input":[])", "input"},
             {R"("model":"vectors","input":["a",1])", "input"},
             {R"("model":"vectors","input":"a","encoding_format":"hex")", "encoding_format"},
             {R"("model":"vectors","input":"a","dimensions":0)", "dimensions"}}) {
        const HttpAnswer answer = Embed(members);
        ExpectOpenAi(answer, 400, "invalid_request");
        EXPECT_EQ(Json(answer.body).root().Get("error").Get("param").StringOr(""), field);
    }
    ExpectOpenAi(Embed(R"("model":"nobody","input":"a")"), 404, "model_not_found");
    EXPECT_EQ(business().Post("/v1/embeddings", R"({"input":"a"})", {}).status, 401);
}

// `auto` takes rows that say that they embed; a row that says nothing must be named; one that says
// something else is refused.
TEST_F(EmbeddingsTest, TheModelIsChosenByWhatItsRowSays) {
    AddMock("chats", R"(["stream"])");
    AddMock("says-nothing", "null");
    ExpectOpenAi(Embed(R"("input":"a")"), 400, "unsupported");
    ExpectOpenAi(Embed(R"("model":"chats","input":"a")"), 400, "unsupported");
    const HttpAnswer named = Embed(R"("model":"says-nothing","input":"a")");
    EXPECT_EQ(named.status, 200) << named.body;
    AddMock("embeds", kEmbeds);
    for (const char* model : {"", R"("model":"auto",)"}) {
        const HttpAnswer chosen = Embed(std::string(model) + R"("input":"a")");
        ASSERT_EQ(chosen.status, 200) << chosen.body;
        EXPECT_EQ(chosen.Header("X-AIManager-Model"), "embeds");
    }
}

TEST_F(EmbeddingsTest, APromptNeverGoesToAModelForEmbeddings) {
    AddMock("embeds", kEmbeds);
    const std::string hello = R"("messages":[{"role":"user","content":"Hi"}])";
    ExpectOpenAi(Chat(hello), 400, "unsupported");
    ExpectOpenAi(Chat(R"("model":"embeds",)" + hello), 400, "unsupported");
    AddMock("chats", "null");
    const HttpAnswer answer = Chat(R"("model":"embeds",)" + hello);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.Header("X-AIManager-Model"), "chats");
}

// Vectors of different models cannot be compared: who names one gets its vectors or none.
TEST_F(EmbeddingsTest, OnlyTheSameModelStandsInForANamedOne) {
    provider().Script("embed-1", R"([{"status":500}])");
    AddRemote("first", kEmbeds, "embed-1");
    AddRemote("other", kEmbeds, "embed-2");
    const HttpAnswer alone = Embed(R"("model":"first","input":"a")");
    ExpectOpenAi(alone, 502, "all_models_failed");
    EXPECT_EQ(alone.Header("X-AIManager-Attempts"), "1");
    EXPECT_EQ(RequestsFor("embed-2"), 0U);

    // The same model under another row, which works.
    AddRow("twin", "groq", provider().url() + "/chat/completions", kEmbeds, "EMBED-1");
    const HttpAnswer twin = Embed(R"("model":"first","input":"four")");
    ASSERT_EQ(twin.status, 200) << twin.body;
    EXPECT_EQ(twin.Header("X-AIManager-Model"), "twin");
    EXPECT_EQ(twin.Header("X-AIManager-Attempts"), "2");
    ExpectOpenAi(Embed(R"("model":"first","input":"a","fallback":false)"), 502,
                 "all_models_failed");

    // Who leaves the choice to us gets whatever works.
    const HttpAnswer any = Embed(R"("model":"auto","input":"four")");
    EXPECT_EQ(any.status, 200) << any.body;
}

TEST_F(EmbeddingsTest, FailuresOfAProviderFollowTheSamePolicy) {
    AddRemote("limited", kEmbeds, "embed-limited");
    provider().Script("embed-limited", R"([{"status":429,"headers":{"retry-after":"120"}}])");
    const HttpAnswer limited = Embed(R"("model":"limited","input":"a")");
    ExpectOpenAi(limited, 429, "rate_limited");
    EXPECT_FALSE(limited.Header("Retry-After").empty());
    EXPECT_TRUE(Eventually([&] { return StateOf("limited") == "cooling_down"; }));

    AddRemote("cut", kEmbeds, "embed-cut");
    provider().Script("embed-cut", R"([{"cut_after_bytes":40}])");
    ExpectOpenAi(Embed(R"("model":"cut","input":"a")"), 502, "all_models_failed");
    const HttpAnswer invalid = [&] {
        AddRemote("picky", kEmbeds, "embed-picky");
        provider().Script("embed-picky", R"([{"status":400}])");
        return Embed(R"("model":"picky","input":"a")");
    }();
    ExpectOpenAi(invalid, 400, "invalid_request");
    EXPECT_THAT(limited.body + invalid.body, ::testing::Not(HasSubstr(std::string(kCanary))));
}

}  // namespace
}  // namespace aim::gateway
