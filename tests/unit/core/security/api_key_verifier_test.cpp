#include "core/security/api_key_verifier.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::security {
namespace {

TEST(ApiKeyVerifier, AcceptsTheKeyAndNothingElse) {
    const std::string key = "aim_0123456789abcdef";
    const ApiKeyVerifier verifier{SecretString(key)};
    EXPECT_TRUE(verifier.Verify(key));
    EXPECT_FALSE(verifier.Verify(""));
    EXPECT_FALSE(verifier.Verify(key + "0"));
    EXPECT_FALSE(verifier.Verify(key.substr(1)));
    EXPECT_FALSE(verifier.Verify(std::string(1 << 20, 'x')));
    for (std::size_t i = 0; i < key.size(); ++i) {
        std::string other = key;
        other[i] ^= 1;
        EXPECT_FALSE(verifier.Verify(other));
    }
}

TEST(ApiKeyVerifier, AnUnsetKeyAcceptsNothingNotEvenNothing) {
    const ApiKeyVerifier verifier{SecretString()};
    EXPECT_FALSE(verifier.Verify(""));
    EXPECT_FALSE(verifier.Verify("x"));
}

}  // namespace
}  // namespace aim::security
