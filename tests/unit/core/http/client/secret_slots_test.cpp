#include "core/http/client/secret_slots.hpp"

#include <map>

#include <gmock/gmock.h>

namespace aim::http::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SecretSlotsTest : public ::testing::Test {
  protected:
    Result<std::string> Fill(std::string_view text) {
        return FillSecretSlots(text, [this](std::string_view name) {
            const auto found = secrets_.find(std::string(name));
            return found == secrets_.end() ? nullptr : &found->second;
        });
    }

    std::map<std::string, SecretString> secrets_{
        {"KEY", SecretString("canary")},
        {"OTHER_1", SecretString("x}{y")},
        {"EMPTY", SecretString()},
        {"BROKEN", SecretString("canary\r\nX-Injected: 1")}};
};

TEST_F(SecretSlotsTest, FillsSlots) {
    const std::pair<const char*, const char*> kCases[] = {
        {"", ""},
        {"plain", "plain"},
        {"Bearer {KEY}", "Bearer canary"},
        {"{KEY}", "canary"},
        {"{KEY}{KEY}", "canarycanary"},
        {"{OTHER_1}", "x}{y"},
        {"{{KEY}}", "{KEY}"},
        {"{{{KEY}}}", "{canary}"},
        {"{EMPTY}", ""},
        {"}}{{", "}{"},
    };
    for (const auto& [text, expected] : kCases) {
        const auto filled = Fill(text);
        ASSERT_TRUE(filled.has_value()) << text;
        EXPECT_EQ(*filled, expected) << text;
    }
}

TEST_F(SecretSlotsTest, RefusesBrokenTemplatesUnknownSlotsAndValuesThatEndTheLine) {
    for (const char* text : {"{", "}", "{KEY", "KEY}", "{}", "{KE Y}", "{KEY}}", "{{KEY}",
                             "{{{KEY}}", "{UNKNOWN}", "{key}", "{KEY}{BROKEN}", "{K{KEY}Y}"}) {
        const auto filled = Fill(text);
        ASSERT_FALSE(filled.has_value()) << text;
        EXPECT_EQ(filled.error().kind, ErrorKind::kInvalidRequest);
        EXPECT_THAT(filled.error().message, Not(HasSubstr("canary")));
    }
    EXPECT_FALSE(FillSecretSlots("{KEY}", nullptr).has_value());
}

// A template is written by one person, a value by another: the code tells whose fault it was.
TEST_F(SecretSlotsTest, ABadValueIsToldApartFromABadTemplate) {
    EXPECT_EQ(Fill("{BROKEN}").error().code, "setting_value");
    EXPECT_EQ(Fill("{UNKNOWN}").error().code, "");
    EXPECT_EQ(Fill("{KEY").error().code, "");
}

TEST_F(SecretSlotsTest, KnowsWhatWillBeSecret) {
    EXPECT_TRUE(HasSecretSlots("Bearer {KEY}"));
    EXPECT_TRUE(HasSecretSlots("{"));
    EXPECT_FALSE(HasSecretSlots("{{KEY}}"));
    EXPECT_FALSE(HasSecretSlots("plain"));
}

}  // namespace
}  // namespace aim::http::client
