#include "core/http/middleware/json_body.hpp"

#include <gtest/gtest.h>

namespace aim::http {
namespace {

TEST(JsonBody, KnowsJsonByItsType) {
    for (const char* type :
         {"application/json", "Application/JSON", "application/json;charset=utf-8",
          "application/json ; x=y", "application/vnd.api+json"})
        EXPECT_TRUE(IsJsonType(type)) << type;
    for (const char* type : {"", "+json", "text/plain", "application/jsonp", "text/json",
                             "application/x-www-form-urlencoded", "text/plain; a=application/json"})
        EXPECT_FALSE(IsJsonType(type)) << type;
}

TEST(JsonBody, RefusesOnlyBodiesThatSayTheyAreSomethingElse) {
    JsonBodyMiddleware middleware;
    const Route route{Method::kPost, "/api/v1/prompts", {}, PlainHandler()};
    const auto status = [&](std::string_view type, std::string_view length) {
        Request request;
        if (!type.empty()) request.headers.Add("Content-Type", type);
        if (!length.empty()) request.headers.Add("Content-Length", length);
        const auto refusal = middleware.Before(request, &route);
        return refusal ? refusal->status : 0;
    };
    EXPECT_EQ(status("application/x-www-form-urlencoded", "12"), 415);
    EXPECT_EQ(status("text/plain", "1"), 415);
    EXPECT_EQ(status("text/plain", "0"), 0);
    EXPECT_EQ(status("text/plain", ""), 0);
    EXPECT_EQ(status("", "12"), 0);
    EXPECT_EQ(status("application/json", "12"), 0);
    Request chunked;
    chunked.headers.Add("Content-Type", "text/plain");
    chunked.headers.Add("Transfer-Encoding", "chunked");
    const auto refusal = middleware.Before(chunked, &route);
    ASSERT_TRUE(refusal);
    EXPECT_NE(refusal->body.find("Content-Type: application/json"), std::string::npos);
    EXPECT_FALSE(middleware.Before(chunked, nullptr));
}

TEST(JsonBody, RefusesCompressedBodiesByName) {
    JsonBodyMiddleware middleware;
    const Route route{Method::kPost, "/v1/embeddings", {}, PlainHandler()};
    const auto refusal = [&](std::string_view coding) {
        Request request;
        request.headers.Add("Content-Type", "application/json");
        request.headers.Add("Content-Encoding", coding);
        request.headers.Add("Content-Length", "12");
        return middleware.Before(request, &route);
    };
    for (const char* coding : {"gzip", "br", "deflate", "identity, gzip"}) {
        const auto refused = refusal(coding);
        ASSERT_TRUE(refused) << coding;
        EXPECT_EQ(refused->status, 415);
        EXPECT_NE(refused->body.find(coding), std::string::npos) << refused->body;
    }
    EXPECT_FALSE(refusal("identity"));
    EXPECT_FALSE(refusal("Identity"));
    EXPECT_FALSE(refusal(""));
}

}  // namespace
}  // namespace aim::http
