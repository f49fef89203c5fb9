#include "core/http/url.hpp"

#include <gtest/gtest.h>

namespace aim::http {
namespace {

TEST(Url, TakesAUrlApart) {
    const auto url = Url::Parse("https://API.Groq.com/openai/v1?x=1");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->tls);
    EXPECT_EQ(url->host, "api.groq.com");
    EXPECT_EQ(url->port, 443);
    EXPECT_EQ(url->target, "/openai/v1?x=1");
    EXPECT_EQ(url->HostHeader(), "api.groq.com");
    EXPECT_EQ(url->Origin(), "https://api.groq.com:443");
}

TEST(Url, KnowsPortsAndAddresses) {
    const auto v6 = Url::Parse("http://[::1]:8080");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->target, "/");
    EXPECT_EQ(v6->HostHeader(), "[::1]:8080");
    EXPECT_EQ(Url::Parse("http://a?q")->target, "/?q");
}

TEST(Url, RefusesWhatIsNone) {
    for (const auto* text :
         {"", "a", "ftp://a", "http://", "http:///x", "http://u:p@a/", "http://a:0/",
          "http://a:65536/", "http://a:x/", "http://a:/", "http://a b/", "http://a/\n",
          "http://a/#f", "http://[::1/", "http://[::1]x/", "http://a\\b/", "http://a%2f/"}) {
        EXPECT_FALSE(Url::Parse(text)) << text;
    }
}

TEST(PercentDecode, DecodesAndRefuses) {
    EXPECT_EQ(PercentDecode("a%20b+c%2F"), "a b+c/");
    for (const auto* text : {"%", "%2", "%zz", "%00", "a%"})
        EXPECT_FALSE(PercentDecode(text)) << text;
}

TEST(QueryValue, FindsTheFirstDecoded) {
    EXPECT_EQ(QueryValue("a=1&b=x+y%26&a=2", "a"), "1");
    EXPECT_EQ(QueryValue("a=1&b=x+y%26&a=2", "b"), "x y&");
    EXPECT_EQ(QueryValue("a", "a"), "");
    EXPECT_EQ(QueryValue("%61=1", "a"), "1");
    EXPECT_EQ(QueryValue("a=1", "b"), std::nullopt);
    EXPECT_EQ(QueryValue("a=%zz", "a"), std::nullopt);
}

}  // namespace
}  // namespace aim::http
