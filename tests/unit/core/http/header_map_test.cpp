#include "core/http/header_map.hpp"

#include <gtest/gtest.h>

#include "core/http/request.hpp"
#include "core/http/response.hpp"

namespace aim::http {
namespace {

TEST(HeaderMap, FindsWithoutCaseAndKeepsTheOrder) {
    HeaderMap headers;
    headers.Add("Content-Type", "a");
    headers.Add("X-A", "1");
    headers.Add("x-a", "2");
    EXPECT_EQ(headers.Find("CONTENT-type"), "a");
    EXPECT_EQ(headers.Find("X-A"), "1");
    EXPECT_EQ(headers[2].name, "x-a");
    EXPECT_EQ(headers[2].value, "2");
}

TEST(HeaderMap, TellsAbsentFromEmpty) {
    HeaderMap headers;
    headers.Add("X-Empty", "");
    EXPECT_TRUE(headers.Has("x-empty"));
    EXPECT_FALSE(headers.Has("x-none"));
    EXPECT_EQ(headers.Find("x-none").data(), nullptr);
}

TEST(HeaderMap, SetReplacesAllOfAName) {
    HeaderMap headers;
    headers.Add("A", "1");
    headers.Add("B", "2");
    headers.Add("a", "3");
    headers.Set("A", "4");
    EXPECT_EQ(headers.size(), 2u);
    EXPECT_EQ(headers.Find("a"), "4");
    headers.Remove("b");
    EXPECT_EQ(headers.size(), 1u);
    headers.Clear();
    EXPECT_TRUE(headers.empty());
}

TEST(HeaderMap, ListsHaveTokens) {
    EXPECT_TRUE(ListHasToken("keep-alive, Upgrade", "upgrade"));
    EXPECT_TRUE(ListHasToken(" close\t", "close"));
    EXPECT_FALSE(ListHasToken("closed", "close"));
    EXPECT_FALSE(ListHasToken("", "close"));
    EXPECT_TRUE(ListHasToken(",,close", "close"));
}

TEST(Request, CutsPathAndQuery) {
    Request request;
    request.target = "/a/b?x=1?y";
    EXPECT_EQ(request.path(), "/a/b");
    EXPECT_EQ(request.query(), "x=1?y");
    request.target = "/a";
    EXPECT_EQ(request.path(), "/a");
    EXPECT_EQ(request.query(), "");
}

TEST(Request, MethodsHaveTheirNames) {
    for (const auto* name : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        EXPECT_EQ(MethodName(ParseMethod(name)), name);
    }
    EXPECT_EQ(ParseMethod("get"), Method::kOther);
    EXPECT_EQ(ParseMethod("OTHER"), Method::kOther);
}

TEST(Response, StatusesHaveReasons) {
    EXPECT_EQ(ReasonPhrase(200), "OK");
    EXPECT_EQ(ReasonPhrase(431), "Request Header Fields Too Large");
    EXPECT_EQ(ReasonPhrase(799), "Unknown");
}

}  // namespace
}  // namespace aim::http
