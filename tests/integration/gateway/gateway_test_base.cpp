#include "tests/integration/gateway/gateway_test_base.hpp"

#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <poll.h>
#include <sys/socket.h>

namespace aim::gateway {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

json::Document Json(std::string_view text) {
    auto document = json::Parse(text);
    EXPECT_TRUE(document) << text.substr(0, 2000);
    return document ? std::move(*document) : json::Document();
}

std::string Quote(std::string_view text) {
    std::string quoted = "\"";
    quoted.append(text);
    return quoted + "\"";
}

bool Eventually(const std::function<bool()>& condition, milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(milliseconds(10));
    }
    return true;
}

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "aim-gateway-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

namespace {

Service Start(const char* program, const Environment& environment) {
    Service service;
    service.process = std::make_unique<ProcessFixture>(
        ProcessFixture::Spec{std::string(AIM_BINARY_DIR) + "/bin/" + program, {}, environment});
    const auto port = service.process->WaitForPort("\"event\":\"started\"", seconds(60));
    if (!port) throw std::runtime_error(service.process->output());
    service.port = *port;
    return service;
}

}  // namespace

Service StartDataApi(const std::string& database_url, std::uint16_t port, const Environment& more) {
    Environment environment = {{"DATABASE_URL", database_url},
                               {"DATA_API_PORT", std::to_string(port)},
                               {"DATA_API_SEED", "false"},
                               {"AIM_SQL_DIR", AIM_SOURCE_DIR "/sql"}};
    for (const auto& [name, value] : more) environment[name] = value;
    Service service = Start("aimanager-data-api", environment);
    if (!service.process->WaitForHttp(service.port, "/ready", seconds(60)))
        throw std::runtime_error(service.process->output());
    return service;
}

Service StartBusinessApi(const fs::path& state, std::uint16_t data_api_port,
                         const Environment& more) {
    fs::create_directories(state / "plugins");
    fs::permissions(state / "plugins", fs::perms(0755));
    Environment environment = {
        {"BUSINESS_API_PORT", "0"},
        {"DATA_API_URL", "http://127.0.0.1:" + std::to_string(data_api_port)},
        {"API_KEY", std::string(kCallerKey)},
        {"AIM_STATE_DIR", state.string()},
        {"PLUGIN_PATH", AIM_BINARY_DIR "/plugins:" + (state / "plugins").string()},
        {"GROQ_API_KEY", std::string(kCanary)},
        {"CATALOGUE_REFRESH_MS", "100"},
        {"RATE_LIMIT_PER_MINUTE", "0"},
        {"LOG_LEVEL", "DEBUG"}};
    for (const auto& [name, value] : more) environment[name] = value;
    return Start("aimanager-business-api", environment);
}

StreamReader::StreamReader(const Service& service, std::string_view target, std::string_view body)
    : client_(service.port) {
    std::string text =
        "POST " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ";
    text.append(kCallerKey).append("\r\nContent-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    client_.Send(text);
    std::size_t end = 0;
    while ((end = raw_.find("\r\n\r\n")) == std::string::npos) {
        if (!Fill()) return;
    }
    head_.status = std::atoi(raw_.c_str() + 9);
    for (std::size_t at = raw_.find("\r\n") + 2; at < end;) {
        const std::size_t stop = raw_.find("\r\n", at);
        const std::string line = raw_.substr(at, stop - at);
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos)
            head_.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        at = stop + 2;
    }
    raw_.erase(0, end + 4);
    Decode();
}

bool StreamReader::Fill() {
    pollfd descriptor{client_.socket(), POLLIN, 0};
    if (client_.socket() < 0 || ::poll(&descriptor, 1, 20'000) <= 0) return false;
    char bytes[16384];
    const ssize_t size = ::recv(client_.socket(), bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    raw_.append(bytes, static_cast<std::size_t>(size));
    return true;
}

void StreamReader::Decode() {
    if (head_.Header("Transfer-Encoding") != "chunked") {
        body_ += raw_;
        raw_.clear();
        finished_ =
            body_.size() == std::strtoul(head_.Header("Content-Length").c_str(), nullptr, 10);
        return;
    }
    while (!finished_) {
        const std::size_t line = raw_.find("\r\n");
        if (line == std::string::npos) return;
        const std::size_t size = std::strtoul(raw_.c_str(), nullptr, 16);
        if (raw_.size() < line + 2 + size + 2) return;
        body_.append(raw_, line + 2, size);
        raw_.erase(0, line + 2 + size + 2);
        finished_ = size == 0;
    }
}

bool StreamReader::ReadUntil(std::string_view text) {
    while (body_.find(text) == std::string::npos) {
        if (finished_ || !Fill()) return false;
        Decode();
    }
    return true;
}

bool StreamReader::ReadAll() {
    while (!finished_) {
        if (!Fill()) return false;
        Decode();
    }
    return true;
}

std::vector<std::string> StreamReader::Events() const {
    std::vector<std::string> events;
    for (std::size_t at = 0; at < body_.size();) {
        std::size_t stop = body_.find('\n', at);
        if (stop == std::string::npos) stop = body_.size();
        const std::string_view line = std::string_view(body_).substr(at, stop - at);
        if (line.starts_with("data: ")) events.emplace_back(line.substr(6));
        at = stop + 1;
    }
    return events;
}

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
