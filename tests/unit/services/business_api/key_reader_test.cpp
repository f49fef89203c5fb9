#include "services/business_api/key_reader.hpp"

#include <gtest/gtest.h>

namespace aim::business_api {
namespace {

using security::Scope;

std::string Row(const std::string& id, const std::string& secret, const std::string& more = "") {
    return R"({"id":")" + id + R"(","hash":")" + security::ToHex(security::Sha256(secret)) +
           R"(","scopes":["prompts","of-a-newer-version"],"valid_until":null,)"
           R"("rate_limit_per_minute":null)" +
           more + "}";
}

TEST(KeyReader, ReadsWhatTheDataApiSends) {
    KeyUses uses;
    std::size_t skipped = 0;
    const auto table = ReadKeyTable(
        R"({"keys":[)" + Row("a", "one") + R"(,{"id":"b","hash":")" +
            security::ToHex(security::Sha256("two")) +
            R"(","scopes":["history","admin"],"valid_until":"2026-11-21T10:00:00.000Z","rate_limit_per_minute":7}]})",
        uses, skipped);
    ASSERT_TRUE(table);
    EXPECT_EQ(skipped, 0U);
    const security::ApiKeyEntry* one = (*table)->Find(security::Sha256("one"));
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(one->id, "a");
    EXPECT_TRUE(security::Grants(one->scopes, Scope::kPrompts));
    EXPECT_FALSE(security::Grants(one->scopes, Scope::kHistory));
    EXPECT_FALSE(one->valid_until);
    EXPECT_FALSE(one->rate_limit_per_minute);
    const security::ApiKeyEntry* two = (*table)->Find(security::Sha256("two"));
    ASSERT_NE(two, nullptr);
    EXPECT_TRUE(security::Grants(two->scopes, Scope::kAdmin));
    EXPECT_TRUE(two->valid_until.has_value());
    EXPECT_EQ(two->rate_limit_per_minute, 7U);
}

TEST(KeyReader, WhatCannotBeReadIsNotAccepted) {
    KeyUses uses;
    std::size_t skipped = 0;
    const std::string hash = security::ToHex(security::Sha256("x"));
    const auto entry = [&](const std::string& more) {
        return R"({"id":"a","hash":")" + hash + "\"," + more + "}";
    };
    const std::vector<std::string> bad = {"7",
                                          "{}",
                                          R"({"id":"a","hash":"xyz","scopes":[]})",
                                          entry(R"("scopes":"prompts")"),
                                          entry(R"("scopes":[],"valid_until":"soon")"),
                                          entry(R"("scopes":[],"valid_until":5)"),
                                          entry(R"("scopes":[],"rate_limit_per_minute":-1)"),
                                          entry(R"("scopes":[],"rate_limit_per_minute":"many")")};
    std::string list;
    for (const std::string& text : bad) list += text + ",";
    const auto table = ReadKeyTable(R"({"keys":[)" + list + Row("a", "one") + "]}", uses, skipped);
    ASSERT_TRUE(table);
    EXPECT_EQ(skipped, bad.size());
    EXPECT_EQ((*table)->size(), 1U);
    for (const char* text : {"", "[]", "{", R"({"keys":{}})", "null"})
        EXPECT_FALSE(ReadKeyTable(text, uses, skipped)) << text;
}

TEST(KeyReader, AKeysMarkOutlivesItsTable) {
    KeyUses uses;
    std::size_t skipped = 0;
    const auto first = ReadKeyTable(R"({"keys":[)" + Row("a", "one") + "," + Row("b", "two") + "]}",
                                    uses, skipped);
    ASSERT_TRUE(first);
    ASSERT_EQ(uses.size(), 2U);
    // Rotated: two secrets, one key.
    const auto second = ReadKeyTable(
        R"({"keys":[)" + Row("a", "one") + "," + Row("a", "new") + "]}", uses, skipped);
    ASSERT_TRUE(second);
    EXPECT_EQ(uses.size(), 1U);
    const auto use = [](const auto& table, const char* secret) {
        return (*table)->Find(security::Sha256(secret))->use;
    };
    EXPECT_EQ(use(first, "one"), use(second, "one"));
    EXPECT_EQ(use(second, "new"), use(second, "one"));
    EXPECT_EQ(use(second, "one"), uses.at("a"));
}

}  // namespace
}  // namespace aim::business_api
