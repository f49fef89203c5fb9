// Which secret a candidate gives to which host, and whose fault it is when it does not.
#include "core/pipeline/plugin_target.hpp"

#include <gtest/gtest.h>

namespace aim::pipeline {
namespace {

using Slots = std::map<std::string, CandidateSlots::Slot, std::less<>>;

CandidateSlots Make(Slots slots) {
    return CandidateSlots(std::move(slots), http::client::HostPolicy({".provider.test"}, {}));
}

http::Url To(std::string_view url) { return *http::Url::Parse(url); }

TEST(CandidateSlotsTest, EachSecretGoesWhereItMay) {
    const CandidateSlots slots = Make({
        {"KEY", {SecretString(std::string("canary-env")), false, true}},
        {"OWN", {SecretString(std::string("canary-row")), true, true}},
        {"ACCOUNT", {SecretString(std::string("acct1")), true, false}},
        {"OPTIONAL", {SecretString(), true, false}},
    });
    struct Case {
        const char* header;
        const char* url;
        const char* value;  // null: forbidden
    };
    const Case cases[] = {
        {"Bearer {KEY}", "https://api.provider.test/", "Bearer canary-env"},
        {"Bearer {KEY}", "http://127.0.0.1:1/", "Bearer canary-env"},
        {"Bearer {KEY}", "https://thief.test/", nullptr},
        {"Bearer {KEY}", "https://provider.test.thief.test/", nullptr},
        {"Bearer {OWN}", "https://thief.test/", "Bearer canary-row"},
        {"{ACCOUNT}", "https://thief.test/", "acct1"},
        {"{ACCOUNT} {KEY}", "https://thief.test/", nullptr},
        {"{OPTIONAL}", "https://api.provider.test/", ""},
        {"{{KEY}}", "https://thief.test/", "{KEY}"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.header) + " to " + c.url);
        const auto value = slots.Fill(c.header, To(c.url));
        ASSERT_EQ(value.has_value(), c.value != nullptr);
        if (value) {
            EXPECT_EQ(*value, c.value);
            continue;
        }
        EXPECT_EQ(value.error().kind, ErrorKind::kForbidden);
        EXPECT_EQ(value.error().code, "secret_host");
        EXPECT_EQ(value.error().message.find("canary"), std::string::npos);
    }
}

TEST(CandidateSlotsTest, ATemplateIsThePluginsFaultAndAValueTheOperators) {
    const CandidateSlots slots = Make({
        {"KEY", {SecretString(std::string("canary\n")), false, true}},
    });
    struct Case {
        const char* header;
        ErrorKind kind;
        const char* named;
    };
    const Case cases[] = {
        {"Bearer {KEY}", ErrorKind::kUnauthenticated, "KEY"},
        {"Bearer {OTHER}", ErrorKind::kInternal, "OTHER"},
        {"Bearer {KEY", ErrorKind::kInternal, "brace"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.header);
        const auto value = slots.Fill(c.header, To("https://api.provider.test/"));
        ASSERT_FALSE(value);
        EXPECT_EQ(value.error().kind, c.kind);
        EXPECT_EQ(value.error().field, "");  // no field of the caller's
        EXPECT_NE(value.error().message.find(c.named), std::string::npos) << value.error().message;
        EXPECT_EQ(value.error().message.find("canary"), std::string::npos);
    }
}

TEST(CandidateSlotsTest, SecretsAreTakenOutOfAProvidersWords) {
    const CandidateSlots slots = Make({
        {"KEY", {SecretString(std::string("canary-env")), false, true}},
        {"SHORT", {SecretString(std::string("abc")), false, true}},
        {"ACCOUNT", {SecretString(std::string("account-1")), true, false}},
        {"NONE", {SecretString(), true, true}},
    });
    std::string text = "canary-env is wrong for account-1: abc, canary-envcanary-env";
    slots.Redact(text);
    EXPECT_EQ(text, "*** is wrong for account-1: abc, ******");
}

}  // namespace
}  // namespace aim::pipeline
