#include "core/telemetry/log.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/log_capture.hpp"

namespace aim::telemetry {
namespace {

TEST(Level, NamesReadBackInAnyCase) {
    for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError,
                              Level::kCritical, Level::kOff}) {
        EXPECT_EQ(ParseLevel(LevelName(level)), level);
    }
    EXPECT_EQ(ParseLevel("warn"), Level::kWarning);
    EXPECT_EQ(ParseLevel("info"), Level::kInfo);
    EXPECT_EQ(ParseLevel("verbose"), std::nullopt);
    EXPECT_EQ(ParseLevel(""), std::nullopt);
}

TEST(Logger, LeavesOutWhatIsUnderTheLevel) {
    testing::LogCapture log(Level::kWarning);
    log.Info("quiet", "not heard");
    log.Warning("loud", "heard");
    EXPECT_FALSE(log.Enabled(Level::kInfo));
    EXPECT_EQ(log.records().size(), 1u);
    log.SetLevel(Level::kDebug);
    log.Debug("detail", "now heard");
    EXPECT_EQ(log.Count("detail"), 1u);
    log.SetLevel(Level::kOff);
    log.Error("any", "not heard");
    EXPECT_EQ(log.records().size(), 2u);
}

TEST(Logger, FieldsTakeEveryUsualType) {
    testing::LogCapture log;
    const std::string text = "owned";
    log.Info("typed", "Message",
             {{"literal", "x"},
              {"string", text},
              {"view", std::string_view("v")},
              {"int", -1},
              {"size", std::size_t{7}},
              {"flag", true},
              {"ratio", 0.5}});
    const testing::CapturedLog record = log.Last("typed");
    EXPECT_EQ(record.message, "Message");
    EXPECT_EQ(record.fields.at("literal"), "x");
    EXPECT_EQ(record.fields.at("string"), "owned");
    EXPECT_EQ(record.fields.at("view"), "v");
    EXPECT_EQ(record.fields.at("int"), "-1");
    EXPECT_EQ(record.fields.at("size"), "7");
    EXPECT_EQ(record.fields.at("flag"), "true");
    EXPECT_EQ(record.fields.at("ratio"), "0.500000");
    EXPECT_TRUE(log.Contains("owned"));
    EXPECT_FALSE(log.Contains("elsewhere"));
    EXPECT_TRUE(log.Last("never").event.empty());
}

}  // namespace
}  // namespace aim::telemetry
