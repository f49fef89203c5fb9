#include "core/security/random_bytes.hpp"

#include <set>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "core/security/encoding.hpp"

namespace aim::security {
namespace {

TEST(RandomBytes, AsManyAsAskedAndNeverTheSame) {
    EXPECT_TRUE(RandomBytes(0).empty());
    std::set<std::string> drawn;
    for (int i = 0; i < 1000; ++i) {
        const std::string bytes = RandomBytes(16);
        EXPECT_EQ(bytes.size(), 16u);
        drawn.insert(bytes);
    }
    EXPECT_EQ(drawn.size(), 1000u);
    EXPECT_THROW(RandomBytes(std::size_t{1} << 40), std::length_error);
}

TEST(MakeApiKey, Holds32Bytes) {
    const std::string key = MakeApiKey();
    ASSERT_TRUE(key.starts_with("aim_"));
    EXPECT_EQ(Base64UrlDecode(std::string_view(key).substr(4))->size(), 32u);
    EXPECT_NE(key, MakeApiKey());
}

}  // namespace
}  // namespace aim::security
