#include "core/config/environment.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace aim::config {
namespace {

TEST(Environment, SetToNothingIsNotSet) {
    const Environment environment({{"A", "1"}, {"B", ""}});
    EXPECT_EQ(environment.Get("A"), "1");
    EXPECT_FALSE(environment.Has("B"));
    EXPECT_FALSE(environment.Has("C"));
    EXPECT_FALSE(Environment().Has("A"));
}

TEST(Environment, IsACopyOfTheProcessesVariables) {
    ASSERT_EQ(::setenv("AIM_TEST_VARIABLE", "a=b", 1), 0);
    const Environment environment = Environment::FromProcess();
    ASSERT_EQ(::setenv("AIM_TEST_VARIABLE", "changed", 1), 0);
    EXPECT_EQ(environment.Get("AIM_TEST_VARIABLE"), "a=b");
    ::unsetenv("AIM_TEST_VARIABLE");
}

}  // namespace
}  // namespace aim::config
