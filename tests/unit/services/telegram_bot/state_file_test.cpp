#include "services/telegram_bot/state_file.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace aim::telegram_bot {
namespace {

class StateFileTest : public ::testing::Test {
  protected:
    StateFileTest() {
        std::string name = ::testing::TempDir() + "aim-bot-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~StateFileTest() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    void Write(const std::filesystem::path& file, const std::string& content) {
        std::ofstream(file) << content;
    }

    std::filesystem::path folder_;
    const WallTime now_{std::chrono::microseconds(1795257045123000)};
};

TEST_F(StateFileTest, TheOffsetIsKept) {
    const OffsetFile file(folder_ / "offset.json");
    EXPECT_EQ(file.Load(now_), 0);
    ASSERT_TRUE(file.Save(900'123, now_));
    EXPECT_EQ(file.Load(now_ + std::chrono::hours(24 * 5)), 900'123);
    EXPECT_EQ(file.Load(now_ + std::chrono::hours(24 * 7)), 0);
    ASSERT_TRUE(file.Save(900'124, now_));
    EXPECT_EQ(file.Load(now_), 900'124);
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / "offset.json").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "offset.json.new"));
}

TEST_F(StateFileTest, WhatCannotBeUnderstoodIsNoOffset) {
    const OffsetFile file(folder_ / "offset.json");
    for (const char* content :
         {"", "{", "[]", R"({"offset":"5","saved_at":"2026-11-21T10:30:45.123Z"})",
          R"({"offset":-5,"saved_at":"2026-11-21T10:30:45.123Z"})", R"({"offset":5})",
          R"({"offset":5,"saved_at":"yesterday"})"}) {
        Write(folder_ / "offset.json", content);
        EXPECT_EQ(file.Load(now_), 0) << content;
    }
}

TEST_F(StateFileTest, AFolderThatIsNotThereIsAnError) {
    const OffsetFile file(folder_ / "no" / "offset.json");
    const auto saved = file.Save(5, now_);
    ASSERT_FALSE(saved);
    EXPECT_NE(saved.error().message.find("offset.json"), std::string::npos);
}

TEST_F(StateFileTest, ChoicesOutliveTheProcess) {
    {
        ModelChoices choices(folder_ / "choices.json");
        choices.Load();
        EXPECT_TRUE(choices.Set(42, "a \"quoted\" model"));
        EXPECT_TRUE(choices.Set(-100, "b"));
        EXPECT_TRUE(choices.Set(7, "c"));
        EXPECT_TRUE(choices.Forget(7));
        EXPECT_TRUE(choices.Forget(8));
        EXPECT_TRUE(choices.Move(-100, -1000));
    }
    ModelChoices choices(folder_ / "choices.json");
    choices.Load();
    EXPECT_EQ(choices.size(), 2U);
    EXPECT_EQ(choices.Get(42), "a \"quoted\" model");
    EXPECT_EQ(choices.Get(-1000), "b");
    EXPECT_EQ(choices.Get(-100), "");
    EXPECT_EQ(choices.Get(7), "");
}

TEST_F(StateFileTest, BrokenChoicesAreForgotten) {
    for (const char* content : {"x", "[]", R"({"chats":7})", R"({"chats":[1,{"chat":"x"}]})"}) {
        Write(folder_ / "choices.json", content);
        ModelChoices choices(folder_ / "choices.json");
        choices.Load();
        EXPECT_EQ(choices.size(), 0U) << content;
    }
}

TEST_F(StateFileTest, TheChoiceThatWasMadeLongestAgoGoesFirst) {
    std::string content = "{\"chats\":[";
    for (std::size_t i = 1; i <= ModelChoices::kMostChats; ++i) {
        content += (i == 1 ? "" : ",");
        content += "{\"chat\":" + std::to_string(i) + ",\"model\":\"m\"}";
    }
    Write(folder_ / "choices.json", content + "]}");
    ModelChoices choices(folder_ / "choices.json");
    choices.Load();
    ASSERT_EQ(choices.size(), ModelChoices::kMostChats);
    EXPECT_TRUE(choices.Set(1, "again"));
    EXPECT_TRUE(choices.Set(999'999, "new"));
    EXPECT_EQ(choices.size(), ModelChoices::kMostChats);
    EXPECT_EQ(choices.Get(1), "again");
    EXPECT_EQ(choices.Get(2), "");
    EXPECT_EQ(choices.Get(999'999), "new");
}

}  // namespace
}  // namespace aim::telegram_bot
