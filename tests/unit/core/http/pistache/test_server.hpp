#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "core/http/pistache/pistache_server.hpp"
#include "core/http/url.hpp"
#include "tests/support/http_test_client/http_test_client.hpp"

namespace aim::http::pistache {

class SilentLogger final : public telemetry::Logger {
  public:
    SilentLogger() : Logger(telemetry::Level::kDebug) {}
    std::atomic<int> errors{0};

  protected:
    void Write(telemetry::Level level, std::string_view, std::string_view,
               std::span<const telemetry::Field>) override {
        if (level >= telemetry::Level::kError) ++errors;
    }
};

// Polls; false when the condition did not come true in time.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds time = std::chrono::seconds(10)) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

// A server on a port of its own with a few routes; a test changes the options before Start().
class PistacheServerTest : public ::testing::Test {
  protected:
    PistacheServerTest() {
        options_.threads = 2;
        options_.scan_interval = std::chrono::milliseconds(20);
        router_.Add(Method::kGet, "/hello", [](const Request&, const PathParameters&) {
            return Response::Json(200, "{\"hello\":1}");
        });
        router_.Add(Method::kPost, "/echo", [](const Request& request, const PathParameters&) {
            return Response::Text(200, "text/plain", request.body);
        });
        router_.Add(Method::kGet, "/query", [](const Request& request, const PathParameters&) {
            return Response::Text(200, "text/plain",
                                  QueryValue(request.query(), "q").value_or("(none)"));
        });
        router_.Add(
            Method::kGet, "/path/{name}", [](const Request&, const PathParameters& parameters) {
                return Response::Text(200, "text/plain", std::string(parameters.Get("name")));
            });
        router_.Add(Method::kGet, "/throw", [](const Request&, const PathParameters&) -> Response {
            throw std::runtime_error("secret");
        });
        router_.Add(Method::kGet, "/throw-other",
                    [](const Request&, const PathParameters&) -> Response { throw 42; });
        router_.Add(Method::kGet, "/empty/{status}",
                    [](const Request&, const PathParameters& parameters) {
                        Response response;
                        response.status = std::stoi(std::string(parameters.Get("status")));
                        return response;
                    });
        // Holds its thread until the test lets it go.
        router_.Add(Method::kGet, "/wait", [this](const Request&, const PathParameters&) {
            ++waiting_;
            Eventually([this] { return released_.load(); }, std::chrono::seconds(30));
            return Response::Text(200, "text/plain", "waited");
        });
        router_.Add(Method::kGet, "/large", [](const Request&, const PathParameters&) {
            return Response::Text(200, "text/plain", std::string(32 * 1024 * 1024, 'x'));
        });
        router_.AddStream(Method::kGet, "/stream", [](Exchange&) -> Task<> { co_return; });
    }

    ~PistacheServerTest() override { released_ = true; }

    void Start() {
        server_ = std::make_unique<PistacheServer>(options_, router_, chain_, logger_);
        const auto started = server_->Start();
        ASSERT_TRUE(started) << started.error().message;
    }

    test::HttpTestClient Client() { return test::HttpTestClient(server_->port()); }

    ServerOptions options_;
    Router router_;
    MiddlewareChain chain_;
    SilentLogger logger_;
    std::atomic<int> waiting_{0};
    std::atomic<bool> released_{false};
    std::unique_ptr<PistacheServer> server_;
};

}  // namespace aim::http::pistache
