#include "core/http/middleware/request_id.hpp"

#include <set>

#include <gtest/gtest.h>

#include "core/base/uuid.hpp"

namespace aim::http {
namespace {

TEST(RequestId, TakesAndReturnsTheCallers) {
    RequestIdMiddleware middleware;
    Request request;
    request.headers.Add("x-request-id", "my.id_7-A");
    EXPECT_FALSE(middleware.Before(request, nullptr));
    EXPECT_EQ(request.request_id, "my.id_7-A");
    Response response;
    response.headers.Add("X-Request-Id", "a handler's");
    middleware.After(request, nullptr, response);
    EXPECT_EQ(response.headers.Find("X-Request-Id"), "my.id_7-A");
    EXPECT_EQ(response.headers.size(), 1u);
}

TEST(RequestId, MakesOneWhenTheCallersWillNotDo) {
    RequestIdMiddleware middleware;
    std::set<std::string> seen;
    for (const std::string& bad : {std::string(), std::string("a b"), std::string("a\"b"),
                                   std::string("\xd0\xb0"), std::string(129, 'a')}) {
        Request request;
        request.headers.Add("X-Request-Id", bad);
        middleware.Before(request, nullptr);
        const auto id = Uuid::Parse(request.request_id);
        ASSERT_TRUE(id) << bad;
        EXPECT_EQ(id->version(), 7);
        EXPECT_TRUE(seen.insert(request.request_id).second);
    }
    Request longest;
    longest.headers.Add("X-Request-Id", std::string(128, 'a'));
    middleware.Before(longest, nullptr);
    EXPECT_EQ(longest.request_id, std::string(128, 'a'));
}

TEST(RequestId, RefusedRequestsHaveOneToo) {
    RequestIdMiddleware middleware;
    Request request;
    middleware.Refused(request);
    EXPECT_TRUE(Uuid::Parse(request.request_id));
}

}  // namespace
}  // namespace aim::http
