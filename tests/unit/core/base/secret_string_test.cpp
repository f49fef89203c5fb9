#include "core/base/secret_string.hpp"

#include <sstream>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

namespace aim {
namespace {

template <typename T>
concept Printable = requires(std::ostringstream& stream, const T& value) { stream << value; };

static_assert(!Printable<SecretString>);
static_assert(Printable<std::string>);
static_assert(!std::is_convertible_v<SecretString, std::string>);
static_assert(!std::is_convertible_v<SecretString, std::string_view>);
static_assert(!std::is_convertible_v<std::string, SecretString>, "a secret is made on purpose");

TEST(SecretString, RevealsWhatItHolds) {
    const SecretString secret(std::string("gsk_canary"));
    EXPECT_EQ(secret.Reveal(), "gsk_canary");
    EXPECT_FALSE(secret.empty());
    EXPECT_TRUE(SecretString().empty());
}

TEST(SecretString, CopiesAndMoves) {
    SecretString secret(std::string("a secret that is too long for the small buffer"));
    const SecretString copy(secret);
    const SecretString moved(std::move(secret));
    EXPECT_EQ(copy.Reveal(), moved.Reveal());
    SecretString assigned;
    assigned = copy;
    EXPECT_EQ(assigned.Reveal(), copy.Reveal());
    SecretString target(std::string("old"));
    target = std::move(assigned);
    EXPECT_EQ(target.Reveal(), copy.Reveal());
}

}  // namespace
}  // namespace aim
