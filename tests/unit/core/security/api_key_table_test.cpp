#include "core/security/api_key_table.hpp"

#include <gtest/gtest.h>

namespace aim::security {
namespace {

ApiKeyEntry Entry(const std::string& secret) {
    ApiKeyEntry entry;
    entry.id = "id of " + secret;
    entry.digest = Sha256(secret);
    entry.use = std::make_shared<ApiKeyUse>();
    return entry;
}

TEST(ApiKeyTable, FindsEveryKeyAndNoOther) {
    for (const int count : {0, 1, 2, 3, 100, 1000}) {
        std::vector<ApiKeyEntry> entries;
        for (int i = 0; i < count; ++i) entries.push_back(Entry("secret-" + std::to_string(i)));
        const ApiKeyTable table(std::move(entries));
        EXPECT_EQ(table.size(), static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) {
            const std::string secret = "secret-" + std::to_string(i);
            const ApiKeyEntry* entry = table.Find(Sha256(secret));
            ASSERT_NE(entry, nullptr) << secret;
            EXPECT_EQ(entry->id, "id of " + secret);
        }
        EXPECT_EQ(table.Find(Sha256("another")), nullptr);
    }
}

TEST(ApiKeyTable, DigestsThatBeginAlikeAreToldApart) {
    std::vector<ApiKeyEntry> entries;
    for (int i = 0; i < 20; ++i) {
        ApiKeyEntry entry = Entry("x");
        entry.id = std::to_string(i);
        entry.digest[31] = static_cast<std::uint8_t>(i);
        entries.push_back(std::move(entry));
    }
    const ApiKeyTable table(entries);
    for (const ApiKeyEntry& entry : entries) {
        ASSERT_NE(table.Find(entry.digest), nullptr);
        EXPECT_EQ(table.Find(entry.digest)->id, entry.id);
    }
    Sha256Digest other = entries.front().digest;
    other[31] = 200;
    EXPECT_EQ(table.Find(other), nullptr);
}

TEST(ApiKeyUse, KeepsTheNewestSecond) {
    ApiKeyUse use;
    EXPECT_EQ(use.last_ms(), 0);
    use.Note(WallTime(std::chrono::milliseconds(10'500)));
    EXPECT_EQ(use.last_ms(), 10'500);
    use.Note(WallTime(std::chrono::milliseconds(10'900)));
    EXPECT_EQ(use.last_ms(), 10'500);
    use.Note(WallTime(std::chrono::milliseconds(11'500)));
    EXPECT_EQ(use.last_ms(), 11'500);
}

TEST(Scope, ASetGrantsWhatIsInIt) {
    const auto set = static_cast<ScopeSet>(Scope::kPrompts);
    EXPECT_TRUE(Grants(set, Scope::kNone));
    EXPECT_TRUE(Grants(set, Scope::kPrompts));
    EXPECT_FALSE(Grants(set, Scope::kAdmin));
    EXPECT_TRUE(Grants(kAllScopes, Scope::kAdmin));
    for (const ScopeName& entry : kScopeNames) {
        EXPECT_EQ(ParseScope(entry.name), entry.scope);
        EXPECT_EQ(NameOf(entry.scope), entry.name);
    }
    EXPECT_FALSE(ParseScope("root"));
    EXPECT_FALSE(ParseScope(""));
}

}  // namespace
}  // namespace aim::security
