#include "services/data_api/options.hpp"

#include <gtest/gtest.h>

namespace aim::data_api {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

Options ReadOptions(Variables variables, std::size_t errors = 0) {
    variables.emplace("AIM_SQL_DIR", std::string(AIM_SOURCE_DIR) + "/sql");
    const config::Environment environment(std::move(variables));
    config::Reader reader(environment);
    Options options = Options::Read(reader);
    EXPECT_EQ(reader.errors().size(), errors) << reader.errors().ToString();
    return options;
}

TEST(Options, HaveTheDefaultsOfTheContract) {
    const Options options = ReadOptions({{"POSTGRES_HOST", "db"}});
    EXPECT_EQ(options.host, "127.0.0.1");
    EXPECT_EQ(options.port, 8001);
    EXPECT_EQ(options.threads, 4U);
    EXPECT_EQ(options.database_nice, 10);
    EXPECT_EQ(options.history_text_max, 256U * 1024);
    EXPECT_TRUE(options.token.empty());
    EXPECT_EQ(options.conninfo.Reveal(),
              "host='db' port=5432 dbname='ai_manager_db' user='postgres'");
}

TEST(Options, TheUrlWinsAndLosesItsDriver) {
    const Options options =
        ReadOptions({{"POSTGRES_HOST", "db"},
                     {"DATABASE_URL", "postgresql+asyncpg://u:p@h:1/d?sslmode=require"}});
    EXPECT_EQ(options.conninfo.Reveal(), "postgresql://u:p@h:1/d?sslmode=require");
    EXPECT_EQ(WithoutDriver("postgresql://u:a+b@h/d"), "postgresql://u:a+b@h/d");
    EXPECT_EQ(WithoutDriver("postgres+psycopg2://h/d"), "postgres://h/d");
    EXPECT_EQ(WithoutDriver("host=a user=b+c"), "host=a user=b+c");
}

TEST(Options, APriorityIsANiceValueThatLowers) {
    const auto nice = [](const char* value, std::size_t errors) {
        return ReadOptions({{"POSTGRES_HOST", "db"}, {"DATABASE_NICE", value}}, errors)
            .database_nice;
    };
    EXPECT_EQ(nice("0", 0), 0);
    EXPECT_EQ(nice("19", 0), 19);
    for (const char* wrong : {"-1", "20", "low", "1.5"}) nice(wrong, 1);
}

TEST(Options, QuotesSeparateVariables) {
    const Options options =
        ReadOptions({{"POSTGRES_HOST", "/run/my dir"}, {"POSTGRES_PASSWORD", "it's \\ a secret"}});
    EXPECT_EQ(
        options.conninfo.Reveal(),
        R"(host='/run/my dir' port=5432 dbname='ai_manager_db' user='postgres' password='it\'s \\ a secret')");
}

TEST(Options, SayEverythingThatIsWrong) {
    ReadOptions({}, 1);
    ReadOptions({{"DATABASE_URL", "postgresql://h/d?no_such_option=1"},
                 {"DATA_API_PORT", "x"},
                 {"LOG_LEVEL", "LOUD"},
                 {"HISTORY_TEXT_MAX", "-1"},
                 {"AIM_SQL_DIR", "/nonexistent"}},
                5);
}

}  // namespace
}  // namespace aim::data_api
