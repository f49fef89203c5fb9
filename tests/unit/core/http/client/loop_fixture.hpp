#pragma once

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "core/http/client/asio_client.hpp"

namespace aim::http::client {

// One engine loop, run by the test's own thread, with a client on it.
class LoopFixture : public ::testing::Test {
  protected:
    void SetUp() override { MakeClient({}, {}, {}); }

    // The client is gone before the loop, as in the services.
    void TearDown() override {
        client_.reset();
        loop_.restart();
        timers_.Stop();
        loop_.run_for(std::chrono::seconds(5));
    }

    void MakeClient(ClientOptions options, Resolver::Options resolver, TlsContext::Options tls) {
        client_.reset();
        resolver_ = std::make_shared<Resolver>(std::move(resolver));
        auto context = TlsContext::Create(tls);
        ASSERT_TRUE(context.has_value()) << context.error().message;
        tls_ = *context;
        client_ = std::make_unique<AsioClient>(loop_, timers_, resolver_, tls_, std::move(options));
    }

    // Runs the loop until `task` has its value.
    template <typename T>
    T Run(Task<T> task) {
        std::optional<T> value;
        Start(std::move(task), value);
        RunUntil([&] { return value.has_value(); });
        if (!value) std::abort();  // a hang: the stack of the test says where
        return std::move(*value);
    }

    template <typename T>
    void Start(Task<T> task, std::optional<T>& value) {
        boost::asio::co_spawn(loop_, std::move(task),
                              [&value](std::exception_ptr failure, T result) {
                                  if (failure) std::rethrow_exception(failure);
                                  value.emplace(std::move(result));
                              });
    }

    // Turns the loop until `condition` holds; false after ten seconds.
    bool RunUntil(const std::function<bool()>& condition,
                  std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            loop_.restart();
            loop_.run_one_for(std::chrono::milliseconds(2));
        }
        return true;
    }

    struct Answer {
        int status = 0;
        std::string body;
        std::string content_type;
        bool reused = false;
        std::optional<Error> error;  // of Send or Read
        bool in_body = false;        // the error came with the body
    };

    static UpstreamRequest Get(const std::string& url) {
        UpstreamRequest request;
        const auto parsed = Url::Parse(url);
        if (!parsed) std::abort();
        request.url = *parsed;
        return request;
    }

    static UpstreamRequest Post(const std::string& url, std::string body) {
        UpstreamRequest request = Get(url);
        request.method = "POST";
        request.body = std::move(body);
        return request;
    }

    Task<Answer> Fetch(UpstreamRequest request, ExchangeLimits limits, Cancellation& cancellation) {
        Answer answer;
        auto exchange = co_await client_->Send(std::move(request), limits, cancellation);
        if (!exchange) {
            answer.error = exchange.error();
            co_return answer;
        }
        answer.status = (*exchange)->status();
        answer.reused = (*exchange)->reused();
        answer.content_type = std::string((*exchange)->headers().Find("content-type"));
        for (;;) {
            const auto piece = co_await (*exchange)->Read();
            if (!piece) {
                answer.error = piece.error();
                answer.in_body = true;
                break;
            }
            if (piece->empty()) break;
            answer.body.append(*piece);
        }
        co_return answer;
    }

    Answer Fetch(const std::string& url, ExchangeLimits limits = {}) {
        return Fetch(Get(url), limits);
    }
    Answer Fetch(UpstreamRequest request, ExchangeLimits limits = {}) {
        Cancellation cancellation;
        return Run(Fetch(std::move(request), limits, cancellation));
    }

    boost::asio::io_context loop_{1};
    TimerQueue timers_{loop_};
    std::shared_ptr<Resolver> resolver_;
    std::shared_ptr<const TlsContext> tls_;
    std::unique_ptr<AsioClient> client_;
};

}  // namespace aim::http::client
