#include "core/base/error_kind.hpp"

#include <climits>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace aim {
namespace {

TEST(ErrorKind, NamesReadBack) {
    std::set<std::string> names;
    for (int i = 1; i <= 15; ++i) {
        const auto kind = static_cast<ErrorKind>(i);
        names.emplace(ErrorKindName(kind));
        EXPECT_EQ(ParseErrorKind(ErrorKindName(kind)), kind);
        EXPECT_EQ(ErrorKindFromAbi(i), kind);
    }
    EXPECT_EQ(names.size(), 15u);
    EXPECT_EQ(ErrorKindName(ErrorKind::kRateLimited), "rate_limited");
    EXPECT_EQ(ErrorKindName(ErrorKind::kInternal), "internal");
}

TEST(ErrorKind, UnknownNamesAndNumbers) {
    EXPECT_EQ(ParseErrorKind(""), std::nullopt);
    EXPECT_EQ(ParseErrorKind("success"), std::nullopt);
    EXPECT_EQ(ParseErrorKind("Rate_Limited"), std::nullopt);
    for (const int value : {0, -1, 16, INT_MAX, INT_MIN})
        EXPECT_EQ(ErrorKindFromAbi(value), ErrorKind::kInternal) << value;
}

}  // namespace
}  // namespace aim
