#include "services/health_worker/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aim::health_worker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

config::Environment Make(std::map<std::string, std::string, std::less<>> variables) {
    return config::Environment(std::move(variables));
}

TEST(HealthWorkerOptions, DefaultsAreTheContracts) {
    const config::Environment environment = Make({});
    config::Reader reader(environment);
    const Options options = Options::Read(reader);
    EXPECT_TRUE(reader.errors().empty()) << reader.errors().ToString();
    EXPECT_EQ(options.host, "127.0.0.1");
    EXPECT_EQ(options.port, 8002);
    EXPECT_EQ(options.interval, std::chrono::hours(1));
    EXPECT_EQ(options.synthetic_test_prompt, "Hello! Please respond with 'OK'");
    EXPECT_EQ(options.data_api.port, 8001);
    EXPECT_EQ(options.drain_timeout, std::chrono::seconds(30));
    EXPECT_TRUE(options.catalogue_copy.empty());
}

TEST(HealthWorkerOptions, ItsStateIsApartFromTheBusinessApisButDroppedPluginsAreShared) {
    const config::Environment environment = Make({{"AIM_STATE_DIR", "/state"}});
    config::Reader reader(environment);
    const Options options = Options::Read(reader);
    EXPECT_EQ(options.state_dir, "/state/health_worker");
    ASSERT_FALSE(options.plugin_path.empty());
    EXPECT_EQ(options.plugin_path.back(), "/state/plugins");
}

TEST(HealthWorkerOptions, ReadsItsVariables) {
    const config::Environment environment = Make({{"HEALTH_CHECK_INTERVAL", "1"},
                                                  {"HEALTH_WORKER_PORT", "0"},
                                                  {"HEALTH_WORKER_HOST", "0.0.0.0"},
                                                  {"SYNTHETIC_TEST_PROMPT", "Say 'OK'."},
                                                  {"ATTEMPT_TIMEOUT_MS", "1500"}});
    config::Reader reader(environment);
    const Options options = Options::Read(reader);
    EXPECT_TRUE(reader.errors().empty()) << reader.errors().ToString();
    EXPECT_EQ(options.interval, std::chrono::seconds(1));
    EXPECT_EQ(options.port, 0);
    EXPECT_EQ(options.host, "0.0.0.0");
    EXPECT_EQ(options.synthetic_test_prompt, "Say 'OK'.");
    EXPECT_EQ(options.pipeline.timeouts.attempt, std::chrono::milliseconds(1500));
}

TEST(HealthWorkerOptions, AllErrorsAreToldByNameAndNoValueIs) {
    const config::Environment environment =
        Make({{"HEALTH_CHECK_INTERVAL", "0"},
              {"HEALTH_WORKER_PORT", "canary-port"},
              {"DATA_API_URL", "ftp://canary"},
              {"SYNTHETIC_TEST_PROMPT", std::string(20'000, 'x')},
              {"LOG_LEVEL", "canary-level"}});
    config::Reader reader(environment);
    Options::Read(reader);
    EXPECT_EQ(reader.errors().size(), 5U);
    const std::string text = reader.errors().ToString();
    EXPECT_THAT(text, AllOf(HasSubstr("HEALTH_CHECK_INTERVAL"), HasSubstr("HEALTH_WORKER_PORT"),
                            HasSubstr("DATA_API_URL"), HasSubstr("SYNTHETIC_TEST_PROMPT"),
                            HasSubstr("LOG_LEVEL")));
    EXPECT_EQ(text.find("canary"), std::string::npos) << text;
}

}  // namespace
}  // namespace aim::health_worker
