#include "tests/integration/gateway/gateway_test_base.hpp"

#include <cstdio>

namespace aim::gateway {

// Builds the stack before the first test, and looks at what the processes leave behind after the
// last.
class StackEnvironment : public ::testing::Environment {
  public:
    void SetUp() override { GatewayTest::stack_ = std::make_unique<GatewayTest::Stack>(); }
    void TearDown() override {
        if (!GatewayTest::stack_) return;
        for (Service* service :
             {&GatewayTest::stack_->business_api, &GatewayTest::stack_->data_api}) {
            EXPECT_EQ(service->process->Terminate(), 0);
            EXPECT_EQ(service->process->output().find(kCanary), std::string::npos);
            EXPECT_EQ(service->process->output().find(kCallerKey), std::string::npos);
        }
        GatewayTest::stack_.reset();
    }
};

namespace {
const ::testing::Environment* const kStack =
    ::testing::AddGlobalTestEnvironment(new StackEnvironment);
}

std::unique_ptr<GatewayTest::Stack> GatewayTest::stack_;

GatewayTest::Stack::Stack() : database(test::PostgresFixture::Shared().NewDatabase()) {
    data_api = StartDataApi(database);
    business_api = StartBusinessApi(state.path(), data_api.port, {{"GOOD_API_KEY", "unused"}});
}

void GatewayTest::SetUp() {
    ASSERT_NE(stack_, nullptr);
    provider().Reset();
    data_ = std::make_unique<HttpTestClient>(stack().data_api.port);
    business_ = std::make_unique<HttpTestClient>(stack().business_api.port);
    const json::Document models = Json(data().Get("/models").body);
    for (const auto& [key, model] : models.root())
        data().Request("DELETE", "/models/" + std::string(model.Get("id").StringOr("")));
    ASSERT_TRUE(Eventually([&] {
        return business().Get("/ready").status == 200 &&
               business().Get("/api/v1/models").body == "[]";
    })) << business().Get("/ready").body;
}

void GatewayTest::TearDown() {
    if (HasFailure() && stack_) {
        const std::string output = stack().business_api.process->output();
        std::fprintf(stderr, "--- business API ---\n%s\n",
                     output.substr(output.size() > 6000 ? output.size() - 6000 : 0).c_str());
    }
}

std::string GatewayTest::StateOf(const std::string& name) {
    const json::Document models = Json(business().Get("/api/v1/models").body);
    for (const auto& [key, model] : models.root()) {
        if (model.Get("name").StringOr("") == name)
            return std::string(model.Get("state").StringOr(""));
    }
    return {};
}

std::string GatewayTest::AddModel(const std::string& name, const std::string& endpoint,
                                  const std::string& provider_name, const std::string& state) {
    const HttpAnswer answer = data().Post(
        "/api/v1/models", "{\"name\":" + Quote(name) + ",\"provider\":" + Quote(provider_name) +
                              ",\"endpoint\":" + Quote(endpoint) + "}");
    EXPECT_EQ(answer.status, 201) << answer.body;
    EXPECT_TRUE(Eventually([&] { return StateOf(name) == state; })) << name << " " << StateOf(name);
    return std::string(Json(answer.body).root().Get("id").StringOr(""));
}

HttpAnswer GatewayTest::Prompt(const std::string& members) {
    return business().Post("/api/v1/prompts", "{" + members + "}", Key());
}

HttpAnswer GatewayTest::Chat(const std::string& members) {
    return business().Post("/v1/chat/completions", "{" + members + "}", Key());
}

json::Document GatewayTest::HistoryRow(const std::string& request_id) {
    std::string row = "{}";
    EXPECT_TRUE(Eventually([&] {
        const json::Document page = Json(data().Get("/api/v1/prompts/history?limit=200").body);
        for (const auto& [key, item] : page.root().Get("items")) {
            if (item.Get("request_id").StringOr("") != request_id) continue;
            row = item.ToJson();
            return true;
        }
        return false;
    })) << request_id;
    return Json(row);
}

std::size_t GatewayTest::RequestsFor(std::string_view model) const {
    std::size_t count = 0;
    for (const RecordedRequest& request : provider().Requests()) count += request.model == model;
    return count;
}

void GatewayTest::ExpectNative(const HttpAnswer& answer, int status, std::string_view code) {
    EXPECT_EQ(answer.status, status) << answer.body;
    const json::Document document = Json(answer.body);
    EXPECT_EQ(document.root().Get("error_code").StringOr(""), code) << answer.body;
    EXPECT_FALSE(document.root().Get("error").StringOr("").empty()) << answer.body;
    EXPECT_TRUE(document.root().Get("timestamp").IsNumber());
    EXPECT_FALSE(answer.Header("X-Request-Id").empty());
    EXPECT_EQ(document.root().Get("request_id").StringOr(""), answer.Header("X-Request-Id"));
}

void GatewayTest::ExpectOpenAi(const HttpAnswer& answer, int status, std::string_view code) {
    EXPECT_EQ(answer.status, status) << answer.body;
    const json::Document document = Json(answer.body);
    const json::Value error = document.root().Get("error");
    EXPECT_EQ(error.Get("code").StringOr(""), code) << answer.body;
    EXPECT_FALSE(error.Get("message").StringOr("").empty()) << answer.body;
    EXPECT_FALSE(error.Get("type").StringOr("").empty()) << answer.body;
    EXPECT_TRUE(error.Get("param").exists()) << answer.body;
    EXPECT_FALSE(answer.Header("X-Request-Id").empty());
}

}  // namespace aim::gateway
