#include <string>

#include <gtest/gtest.h>

#include "core/security/constant_time.hpp"
#include "core/security/encoding.hpp"
#include "core/security/hmac.hpp"
#include "core/security/sha256.hpp"

namespace aim::security {
namespace {

std::string Hex(const HmacDigest& digest) {
    return HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

TEST(Sha256, PublishedVectors) {
    EXPECT_EQ(ToHex(Sha256("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(ToHex(Sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(ToHex(Sha256(std::string(1000000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TextFormReadsBack) {
    const Sha256Digest digest = Sha256("abc");
    EXPECT_EQ(ParseSha256(ToHex(digest)), digest);
    EXPECT_EQ(ParseSha256("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
              digest);
    EXPECT_EQ(ParseSha256(""), std::nullopt);
    EXPECT_EQ(ParseSha256(ToHex(digest).substr(1)), std::nullopt);
    EXPECT_EQ(ParseSha256("g" + ToHex(digest).substr(1)), std::nullopt);
}

TEST(Hmac, PublishedVectors) {  // RFC 4231
    EXPECT_EQ(Hex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(Hex(HmacSha256(std::string(131, '\xaa'),
                             "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(Hex(HmacSha256("", "")),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, OneKeySignsManyMessages) {
    const HmacKey key("Jefe");
    const HmacDigest first = key.Sign("what do ya want for nothing?");
    EXPECT_NE(key.Sign("another"), first);
    EXPECT_EQ(key.Sign("what do ya want for nothing?"), first);
    EXPECT_EQ(first, HmacSha256("Jefe", "what do ya want for nothing?"));
}

TEST(ConstantTime, ComparesBytes) {
    EXPECT_TRUE(ConstantTimeEquals("", ""));
    EXPECT_TRUE(ConstantTimeEquals("abc", "abc"));
    EXPECT_FALSE(ConstantTimeEquals("abc", "abd"));
    EXPECT_FALSE(ConstantTimeEquals("abc", "ab"));
    EXPECT_FALSE(ConstantTimeEquals("", "a"));
    EXPECT_TRUE(ConstantTimeEquals(std::string_view("a\0b", 3), std::string_view("a\0b", 3)));
    EXPECT_FALSE(ConstantTimeEquals(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace aim::security
