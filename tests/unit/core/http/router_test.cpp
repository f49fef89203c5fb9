#include "core/http/router.hpp"

#include <gtest/gtest.h>

namespace aim::http {
namespace {

PlainHandler Named(std::string name) {
    return [name](const Request&, const PathParameters&) {
        return Response::Text(200, "text/plain", name);
    };
}

// The name of the handler that answers, or "404", or "405 allow".
std::string Ask(const Router& router, Method method, std::string_view path,
                PathParameters& parameters) {
    const Router::Match match = router.Find(method, path, parameters);
    if (match.route == nullptr) return match.allow.empty() ? "404" : "405 " + match.allow;
    return std::get<PlainHandler>(match.route->handler)(Request{}, parameters).body;
}

std::string Ask(const Router& router, Method method, std::string_view path) {
    PathParameters parameters;
    return Ask(router, method, path, parameters);
}

TEST(Router, LiteralWinsOverParameterInAnyOrder) {
    for (const bool literal_first : {true, false}) {
        Router router;
        if (literal_first) router.Add(Method::kGet, "/models/stats", Named("literal"));
        router.Add(Method::kGet, "/models/{id}", Named("parameter"));
        router.Add(Method::kGet, "/{rest...}", Named("rest"));
        if (!literal_first) router.Add(Method::kGet, "/models/stats", Named("literal"));
        EXPECT_EQ(Ask(router, Method::kGet, "/models/stats"), "literal");
        EXPECT_EQ(Ask(router, Method::kGet, "/models/other"), "parameter");
        EXPECT_EQ(Ask(router, Method::kGet, "/models/a/b"), "rest");
        EXPECT_EQ(Ask(router, Method::kGet, "/"), "rest");
    }
}

TEST(Router, GivesParametersDecoded) {
    Router router;
    router.Add(Method::kGet, "/models/{id}/stats/{name}", Named("x"));
    PathParameters parameters;
    EXPECT_EQ(Ask(router, Method::kGet, "/models/a%20b%2Fc/stats/%d0%b0", parameters), "x");
    EXPECT_EQ(parameters.Get("id"), "a b/c");
    EXPECT_EQ(parameters.Get("name"), "\xd0\xb0");
    EXPECT_EQ(parameters.Get("other"), "");
}

TEST(Router, GivesTheRestOfThePath) {
    Router router;
    router.Add(Method::kGet, "/docs/{file...}", Named("docs"));
    PathParameters parameters;
    EXPECT_EQ(Ask(router, Method::kGet, "/docs/css/main.css", parameters), "docs");
    EXPECT_EQ(parameters.Get("file"), "css/main.css");
    EXPECT_EQ(Ask(router, Method::kGet, "/docs/", parameters), "docs");
    EXPECT_EQ(parameters.Get("file"), "");
    EXPECT_EQ(Ask(router, Method::kGet, "/docs"), "404");
}

TEST(Router, RefusesBadlyEncodedAndEmptyParameters) {
    Router router;
    router.Add(Method::kGet, "/m/{id}", Named("x"));
    EXPECT_EQ(Ask(router, Method::kGet, "/m/%zz"), "404");
    EXPECT_EQ(Ask(router, Method::kGet, "/m/%00"), "404");
    EXPECT_EQ(Ask(router, Method::kGet, "/m/"), "404");
    EXPECT_EQ(Ask(router, Method::kGet, "/m/a/"), "404");
    EXPECT_EQ(Ask(router, Method::kGet, "/m"), "404");
    EXPECT_EQ(Ask(router, Method::kGet, "*"), "404");
    EXPECT_EQ(Ask(router, Method::kGet, ""), "404");
}

TEST(Router, APathThatLooksLikeAPatternIsAValue) {
    Router router;
    router.Add(Method::kGet, "/m/{id}", Named("x"));
    PathParameters parameters;
    EXPECT_EQ(Ask(router, Method::kGet, "/m/{id}", parameters), "x");
    EXPECT_EQ(parameters.Get("id"), "{id}");
}

TEST(Router, NamesTheMethodsOfAPath) {
    Router router;
    router.Add(Method::kGet, "/m/{id}", Named("get"));
    router.Add(Method::kDelete, "/m/{id}", Named("delete"));
    router.Add(Method::kPost, "/m", Named("post"));
    EXPECT_EQ(Ask(router, Method::kPut, "/m/1"), "405 GET, HEAD, DELETE");
    EXPECT_EQ(Ask(router, Method::kGet, "/m"), "405 POST");
    EXPECT_EQ(Ask(router, Method::kOther, "/m"), "405 POST");
    EXPECT_EQ(Ask(router, Method::kGet, "/n"), "404");
}

TEST(Router, TheMostSpecificPatternOwnsItsPath) {
    Router router;
    router.Add(Method::kGet, "/m/{id}", Named("one"));
    router.Add(Method::kDelete, "/m/{id}", Named("delete"));
    router.Add(Method::kGet, "/m/best", Named("best"));
    router.Add(Method::kPost, "/m/{id}/stats", Named("stats"));
    router.Add(Method::kGet, "/m/{rest...}", Named("rest"));
    EXPECT_EQ(Ask(router, Method::kGet, "/m/best"), "best");
    EXPECT_EQ(Ask(router, Method::kDelete, "/m/best"), "405 GET, HEAD");
    EXPECT_EQ(Ask(router, Method::kDelete, "/m/1"), "delete");
    EXPECT_EQ(Ask(router, Method::kPost, "/m/1"), "405 GET, HEAD, DELETE");
    EXPECT_EQ(Ask(router, Method::kGet, "/m/1/stats"), "405 POST");
    EXPECT_EQ(Ask(router, Method::kGet, "/m/1/other"), "rest");
}

TEST(Router, HeadIsServedByGet) {
    Router router;
    router.Add(Method::kGet, "/m", Named("get"));
    EXPECT_EQ(Ask(router, Method::kHead, "/m"), "get");
}

TEST(Router, TheSameRouteAgainReplaces) {
    Router router;
    router.Add(Method::kGet, "/m", Named("old"));
    router.Add(Method::kGet, "/m", Named("new"));
    EXPECT_EQ(Ask(router, Method::kGet, "/m"), "new");
    EXPECT_EQ(router.routes().size(), 1u);
}

TEST(Router, ClearsParametersOfAnEarlierRequest) {
    Router router;
    router.Add(Method::kGet, "/m/{id}", Named("x"));
    router.Add(Method::kGet, "/n", Named("y"));
    PathParameters parameters;
    Ask(router, Method::kGet, "/m/1", parameters);
    Ask(router, Method::kGet, "/n", parameters);
    EXPECT_EQ(parameters.Get("id"), "");
}

}  // namespace
}  // namespace aim::http
