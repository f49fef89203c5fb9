#include "core/http/middleware/cors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/http/middleware/security_headers.hpp"

namespace aim::http {
namespace {

Request From(std::string_view origin, Method method = Method::kGet) {
    Request request;
    request.method = method;
    if (!origin.empty()) request.headers.Add("Origin", origin);
    return request;
}

std::string AllowedOrigin(CorsMiddleware& cors, const Request& request) {
    Response response;
    cors.After(request, nullptr, response);
    return std::string(response.headers.Find("Access-Control-Allow-Origin"));
}

TEST(Cors, AnyOriginByDefault) {
    CorsMiddleware cors("*");
    EXPECT_EQ(AllowedOrigin(cors, From("https://a.example")), "*");
    EXPECT_EQ(AllowedOrigin(cors, From("")), "");
    Response response;
    cors.After(From("https://a.example"), nullptr, response);
    EXPECT_THAT(std::string(response.headers.Find("Access-Control-Expose-Headers")),
                ::testing::HasSubstr("X-AIManager-Model"));
    EXPECT_FALSE(response.headers.Has("Vary"));
}

TEST(Cors, ListedOriginsOnly) {
    CorsMiddleware cors(" https://a.example/, http://localhost:3000");
    EXPECT_EQ(AllowedOrigin(cors, From("https://a.example")), "https://a.example");
    EXPECT_EQ(AllowedOrigin(cors, From("http://localhost:3000")), "http://localhost:3000");
    EXPECT_EQ(AllowedOrigin(cors, From("https://a.example.evil")), "");
    EXPECT_EQ(AllowedOrigin(cors, From("null")), "");
    Response response;
    cors.After(From(""), nullptr, response);
    EXPECT_EQ(response.headers.Find("Vary"), "Origin");
}

TEST(Cors, AnswersPreflights) {
    CorsMiddleware cors("https://a.example");
    Request request = From("https://a.example", Method::kOptions);
    EXPECT_FALSE(cors.Before(request, nullptr))
        << "an OPTIONS without the method asked for is none";
    request.headers.Add("Access-Control-Request-Method", "POST");
    request.headers.Add("Access-Control-Request-Headers", "authorization,x-stainless-os");
    const auto response = cors.Before(request, nullptr);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 204);
    EXPECT_EQ(response->headers.Find("Access-Control-Allow-Headers"),
              "authorization,x-stainless-os");
    EXPECT_THAT(std::string(response->headers.Find("Access-Control-Allow-Methods")),
                ::testing::HasSubstr("POST"));
    request.headers.Set("Origin", "https://b.example");
    const auto foreign = cors.Before(request, nullptr);
    ASSERT_TRUE(foreign);
    EXPECT_FALSE(foreign->headers.Has("Access-Control-Allow-Methods"));
}

TEST(SecurityHeaders, AreThereUnlessTheHandlerSaidOtherwise) {
    SecurityHeadersMiddleware middleware;
    Response response;
    response.headers.Add("cache-control", "max-age=60");
    middleware.After(Request{}, nullptr, response);
    EXPECT_EQ(response.headers.Find("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(response.headers.Find("Cache-Control"), "max-age=60");
}

}  // namespace
}  // namespace aim::http
