#include "services/cli/remote/endpoint.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include <gtest/gtest.h>

#include "services/cli/remote/remote.hpp"

namespace aim::cli {
namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string, std::less<>>;

constexpr char kKey[] = "canary-key-77";

class EndpointTest : public ::testing::Test {
  protected:
    EndpointTest() {
        std::string name = (fs::temp_directory_path() / "aim-endpoint-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        state_ = name;
    }
    ~EndpointTest() override {
        std::error_code ignored;
        fs::remove_all(state_, ignored);
    }

    void KeepKey(const std::string& text) { std::ofstream(state_ / "api_key") << text; }

    // Always with a state folder, else the key of a gateway beside the tests would be found.
    Result<Endpoint> Business(Variables variables, const std::string& url = {}) {
        variables.emplace("AIM_STATE_DIR", state_.string());
        return BusinessApi(config::Environment(std::move(variables)), url);
    }

    fs::path state_;
};

TEST_F(EndpointTest, TheFirstNamedUrlWins) {
    const Variables all = {{"BUSINESS_API_URL", "http://b:1/"},
                           {"AI_MANAGER_API_URL", "http://c:2"},
                           {"BUSINESS_API_PORT", "8100"}};
    EXPECT_EQ(Business(all, "https://a/base/")->base, "https://a/base");
    EXPECT_EQ(Business(all)->base, "http://b:1");
    EXPECT_EQ(Business({{"AI_MANAGER_API_URL", "http://c:2"}})->base, "http://c:2");
    EXPECT_EQ(Business({{"BUSINESS_API_PORT", "8100"}})->base, "http://127.0.0.1:8100");
    EXPECT_EQ(Business({})->base, "http://127.0.0.1:8000");
    EXPECT_EQ(Business({{"BUSINESS_API_HOST", "0.0.0.0"}})->base, "http://127.0.0.1:8000");
    EXPECT_EQ(Business({{"BUSINESS_API_HOST", "::"}})->base, "http://[::1]:8000");
    EXPECT_EQ(DataApi(config::Environment(), "")->base, "http://127.0.0.1:8001");
    EXPECT_EQ(DataApi(config::Environment(Variables{{"DATA_API_URL", "http://d:9"}}), "")->base,
              "http://d:9");
}

TEST_F(EndpointTest, WorkerAndBotAreWhereRunShHasLeftThem) {
    const auto worker = [&](Variables variables, const std::string& url = {}) {
        variables.emplace("AIM_STATE_DIR", state_.string());
        return HealthWorker(config::Environment(std::move(variables)), url)->base;
    };
    EXPECT_EQ(worker({}), "http://127.0.0.1:8002");
    EXPECT_EQ(worker({{"HEALTH_WORKER_PORT", "0"}}), "http://127.0.0.1:8002");
    EXPECT_EQ(worker({{"HEALTH_WORKER_HOST", "0.0.0.0"}, {"HEALTH_WORKER_PORT", "9002"}}),
              "http://127.0.0.1:9002");
    fs::create_directory(state_ / "run");
    std::ofstream(state_ / "run" / "health-worker.url") << "http://127.0.0.1:41234\n";
    EXPECT_EQ(worker({}), "http://127.0.0.1:41234");
    EXPECT_EQ(worker({{"HEALTH_WORKER_PORT", "0"}}), "http://127.0.0.1:41234");
    EXPECT_EQ(worker({{"HEALTH_WORKER_PORT", "9002"}}), "http://127.0.0.1:9002");
    EXPECT_EQ(worker({{"HEALTH_WORKER_URL", "http://w:1"}}), "http://w:1");
    EXPECT_EQ(worker({{"HEALTH_WORKER_URL", "http://w:1"}}, "http://x:2/"), "http://x:2");
    // What is no URL is nobody's.
    std::ofstream(state_ / "run" / "health-worker.url", std::ios::trunc) << "http:/";
    EXPECT_EQ(worker({}), "http://127.0.0.1:8002");
    const config::Environment none(Variables{{"AIM_STATE_DIR", state_.string()}});
    EXPECT_EQ(TelegramBot(none, "")->base, "http://127.0.0.1:8003");
    EXPECT_TRUE(TelegramBot(none, "")->key.empty());
    EXPECT_FALSE(TelegramBot(none, "nonsense"));
}

TEST_F(EndpointTest, ABadUrlIsNamedByItsSource) {
    for (const char* const url :
         {"nonsense", "ftp://a", "http://", "http://a/?b=c", "http://u:secret@a"}) {
        const auto option = Business({}, url);
        ASSERT_FALSE(option) << url;
        EXPECT_NE(option.error().message.find("--url"), std::string::npos);
        const auto variable = Business({{"BUSINESS_API_URL", url}});
        ASSERT_FALSE(variable) << url;
        EXPECT_NE(variable.error().message.find("BUSINESS_API_URL"), std::string::npos);
        EXPECT_EQ(variable.error().message.find("secret"), std::string::npos);
    }
    EXPECT_FALSE(Business({{"BUSINESS_API_PORT", "x"}}));
}

TEST_F(EndpointTest, TheKeyIsTheVariableElseTheFile) {
    EXPECT_TRUE(Business({})->key.empty());
    KeepKey(std::string(kKey) + "\n");
    EXPECT_EQ(Business({})->key.Reveal(), kKey);
    EXPECT_EQ(Business({})->key_source, (state_ / "api_key").string());
    EXPECT_EQ(Business({{"API_KEY", "other"}})->key.Reveal(), "other");
    EXPECT_EQ(Business({{"API_KEY", "other"}})->key_source, "API_KEY");
}

TEST_F(EndpointTest, TheFilesKeyStaysOnThisMachine) {
    KeepKey(kKey);
    for (const char* const url : {"http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"})
        EXPECT_EQ(Business({}, url)->key.Reveal(), kKey) << url;
    for (const char* const url : {"http://example.test", "http://10.0.0.1:8000"}) {
        const auto endpoint = Business({}, url);
        EXPECT_TRUE(endpoint->key.empty()) << url;
        const auto required = RequireKey(*endpoint);
        ASSERT_FALSE(required);
        EXPECT_EQ(required.error().kind, ErrorKind::kInvalidRequest);
        EXPECT_EQ(Business({{"API_KEY", kKey}}, url)->key.Reveal(), kKey) << url;
    }
}

TEST_F(EndpointTest, AKeyThatNoHeaderCarriesIsRefusedUnseen) {
    const auto variable = Business({{"API_KEY", std::string(kKey) + "\r\nX-Evil: 1"}});
    ASSERT_FALSE(variable);
    EXPECT_EQ(variable.error().message.find(kKey), std::string::npos);
    KeepKey(std::string(kKey) + " with spaces");
    const auto file = Business({});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().message.find(kKey), std::string::npos);
    EXPECT_FALSE(DataApi(config::Environment(Variables{{"DATA_API_TOKEN", "a b"}}), ""));
}

TEST(PercentEncodeTest, LeavesOnlyUnreservedCharacters) {
    EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(PercentEncode("a b&c=d/я"), "a%20b%26c%3Dd%2F%D1%8F");
}

TEST(RefusalOfTest, TakesTheServicesOwnSentence) {
    Endpoint endpoint;
    endpoint.name = "data API";
    endpoint.base = "http://127.0.0.1:1";
    RemoteAnswer answer;
    answer.status = 409;
    answer.body = R"({"error":"taken","error_code":"duplicate_name","context":{"field":"name"}})";
    const Error native = RefusalOf(endpoint, answer);
    EXPECT_EQ(native.message,
              "the data API at http://127.0.0.1:1 answered 409: name: taken (duplicate_name)");
    EXPECT_EQ(native.field, "name");
    EXPECT_EQ(native.upstream_status, 409);
    answer.body = R"({"error":{"message":"no","code":"c","param":null}})";
    EXPECT_EQ(RefusalOf(endpoint, answer).code, "c");
    for (const char* const body : {"", "<html>", "[]", "{\"error\":7}", "{\"error\":{}}"}) {
        answer.body = body;
        EXPECT_EQ(RefusalOf(endpoint, answer).message,
                  "the data API at http://127.0.0.1:1 answered 409");
    }
}

}  // namespace
}  // namespace aim::cli
