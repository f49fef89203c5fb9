#include "services/business_api/options.hpp"

#include <gtest/gtest.h>

namespace aim::business_api {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

Options ReadOptions(Variables variables, std::size_t errors = 0) {
    variables.emplace("API_KEY", "a key of these tests");
    const config::Environment environment(std::move(variables));
    config::Reader reader(environment);
    Options options = Options::Read(reader);
    EXPECT_EQ(reader.errors().size(), errors) << reader.errors().ToString();
    return options;
}

TEST(Options, OneBodyIsBoundedAndAllTogether) {
    const Options usual = ReadOptions({});
    EXPECT_EQ(usual.max_body_bytes, 32U << 20);
    EXPECT_EQ(usual.max_bodies_bytes, 512U << 20);
    EXPECT_EQ(ReadOptions({{"MAX_BODIES_BYTES", "64000000"}}).max_bodies_bytes, 64'000'000U);
}

TEST(Options, ABodyOfTheGreatestSizeAlwaysFindsRoom) {
    EXPECT_EQ(ReadOptions({{"MAX_BODIES_BYTES", "2048"}}).max_bodies_bytes, 32U << 20);
    EXPECT_EQ(ReadOptions({{"MAX_BODY_BYTES", "1073741824"}}).max_bodies_bytes, 1U << 30);
}

TEST(Options, BoundsOfBodiesAreNumbersOfBytes) {
    for (const char* wrong : {"0", "-1", "much"}) {
        ReadOptions({{"MAX_BODY_BYTES", wrong}}, 1);
        ReadOptions({{"MAX_BODIES_BYTES", wrong}}, 1);
    }
}

}  // namespace
}  // namespace aim::business_api
