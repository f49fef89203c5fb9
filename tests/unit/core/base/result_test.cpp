#include "core/base/result.hpp"

#include <gtest/gtest.h>

namespace aim {
namespace {

Result<int> Half(int value) {
    if (value % 2 != 0) return Fail(ErrorKind::kInvalidRequest, "odd");
    return value / 2;
}

TEST(Result, IsAValueOrAnError) {
    EXPECT_EQ(Half(4).value(), 2);
    const Result<int> failed = Half(3);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().kind, ErrorKind::kInvalidRequest);
    EXPECT_EQ(failed.error().message, "odd");
    EXPECT_TRUE(failed.error().code.empty());
    EXPECT_FALSE(failed.error().retry_after.has_value());
}

TEST(Result, FailFieldNamesTheFieldAndTheCode) {
    const Result<int> failed = FailField("model", "no such model", "model_not_found");
    EXPECT_EQ(failed.error().field, "model");
    EXPECT_EQ(failed.error().code, "model_not_found");
    EXPECT_EQ(failed.error().kind, ErrorKind::kInvalidRequest);
    const Result<int> plain = FailField("prompt", "is empty");
    EXPECT_EQ(plain.error().code, "invalid_request");
}

}  // namespace
}  // namespace aim
