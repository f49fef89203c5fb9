#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {

DataApiTest::DataApiTest() {
    database_ = postgres().NewDatabase([this](const std::string& url) {
        Environment environment = BaseEnvironment();
        environment["DATABASE_URL"] = url;
        ProcessFixture migrate({Program(), {"--migrate-only"}, environment});
        if (migrate.WaitForExit(std::chrono::seconds(60)) != 0)
            throw std::runtime_error("migration failed: " + migrate.output());
    });
}

Environment DataApiTest::BaseEnvironment() const {
    return {{"DATABASE_URL", database_},
            {"DATA_API_PORT", "0"},
            {"DATA_API_SEED", "false"},
            {"DATABASE_NICE", "0"},  // other tests want the processors, too
            {"AIM_SQL_DIR", std::string(AIM_SOURCE_DIR) + "/sql"}};
}

void DataApiTest::Start(const Environment& more, bool wait_ready) {
    Environment environment = BaseEnvironment();
    for (const auto& [name, value] : more) environment[name] = value;
    process_ = std::make_unique<ProcessFixture>(ProcessFixture::Spec{Program(), {}, environment});
    const auto port = process_->WaitForPort("\"event\":\"started\"");
    ASSERT_TRUE(port) << process_->output();
    port_ = *port;
    client_ = std::make_unique<HttpTestClient>(port_);
    if (wait_ready) {
        ASSERT_TRUE(process_->WaitForHttp(port_, "/ready")) << process_->output();
    }
}

json::Document DataApiTest::Json(const HttpAnswer& answer) {
    auto document = json::Parse(answer.body);
    EXPECT_TRUE(document) << answer.status << " " << answer.body;
    return document ? std::move(*document) : json::Document();
}

std::string DataApiTest::AddModel(const std::string& name, const std::string& more) {
    const HttpAnswer answer =
        client().Post("/models", "{\"name\":\"" + name + "\",\"provider\":\"groq\"" + more + "}");
    EXPECT_EQ(answer.status, 201) << answer.body;
    return std::string(Json(answer).root().Get("id").StringOr(""));
}

Uuid DataApiTest::NewId() { return Uuid::MakeV7(SystemClock().WallNow(), *random_); }

std::string DataApiTest::Outcome(const Uuid& id, const std::string& model,
                                 const std::string& outcome, const std::string& more) {
    return "{\"id\":\"" + id.ToString() + "\",\"request_id\":\"r1\",\"model_id\":\"" + model +
           "\",\"provider\":\"groq\",\"outcome\":\"" + outcome + "\",\"source\":\"prompt\"" +
           (more.empty() ? "" : "," + more) + "}";
}

std::string DataApiTest::Batch(const std::vector<std::string>& outcomes,
                               const std::vector<std::string>& history) {
    std::string text = "{\"outcomes\":[";
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        text.append(i > 0 ? "," : "").append(outcomes[i]);
    text.append("],\"history\":[");
    for (std::size_t i = 0; i < history.size(); ++i)
        text.append(i > 0 ? "," : "").append(history[i]);
    return text + "]}";
}

json::Document DataApiTest::Ledger(const std::string& batch, std::int64_t applied,
                                   std::int64_t duplicates, std::size_t rejected) {
    const HttpAnswer answer = client().Post("/api/v1/ledger", batch);
    EXPECT_EQ(answer.status, 200) << answer.body;
    json::Document document = Json(answer);
    EXPECT_EQ(document.root().Get("applied").Int64Or(-1), applied) << answer.body;
    EXPECT_EQ(document.root().Get("duplicates").Int64Or(-1), duplicates) << answer.body;
    EXPECT_EQ(document.root().Get("rejected").size(), rejected) << answer.body;
    return document;
}

void DataApiTest::ExpectError(const HttpAnswer& answer, int status, const std::string& code,
                              const std::string& field) {
    EXPECT_EQ(answer.status, status) << answer.body;
    const json::Document document = Json(answer);
    EXPECT_EQ(document.root().Get("error_code").StringOr(""), code) << answer.body;
    EXPECT_FALSE(document.root().Get("error").StringOr("").empty());
    EXPECT_EQ(document.root().Get("request_id").StringOr(""), answer.Header("X-Request-Id"));
    EXPECT_TRUE(document.root().Get("timestamp").IsNumber());
    if (!field.empty()) {
        EXPECT_EQ(document.root().Get("context").Get("field").StringOr(""), field) << answer.body;
    }
}

}  // namespace aim::data_api
