#include "core/http/middleware/access_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/log_capture.hpp"

namespace aim::http {
namespace {

TEST(AccessLog, CountsByPatternAndLogsFailuresLouder) {
    aim::testing::FakeClock clock;
    aim::testing::LogCapture log;
    telemetry::Metrics metrics;
    AccessLogMiddleware access(log, metrics, clock);
    const Route route{Method::kGet, "/models/{id}", {}, PlainHandler()};
    Request request;
    request.target = "/models/secret-path";
    request.request_id = "r-1";
    request.received_at = clock.Now();
    clock.Advance(std::chrono::milliseconds(20));
    Response response;
    access.After(request, &route, response);
    EXPECT_EQ(log.Last("request_answered").level, telemetry::Level::kDebug);
    EXPECT_EQ(log.Last("request_answered").fields.at("duration_us"), "20000");
    EXPECT_EQ(log.Last("request_answered").fields.at("route"), "/models/{id}");
    response.status = 502;
    access.After(request, nullptr, response);
    EXPECT_EQ(log.Last("request_answered").level, telemetry::Level::kWarning);
    const std::string page = metrics.RenderText();
    EXPECT_THAT(
        page, ::testing::ContainsRegex(R"(aimanager_http_requests_total\{.*/models/\{id\}.*\} 1)"));
    EXPECT_THAT(page, ::testing::HasSubstr("unmatched"));
    EXPECT_THAT(page, ::testing::Not(::testing::HasSubstr("secret-path")));
}

}  // namespace
}  // namespace aim::http
