#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/http/client/http_client.hpp"

namespace aim::testing {

// What a ScriptedHttpClient answers to one request.
struct ScriptedAnswer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    // One Read() each.
    std::vector<std::string> body;
    // Instead of the head, or after the body's pieces instead of its end.
    std::optional<Error> send_error;
    std::optional<Error> read_error;
    // After the head, or after the body's pieces: nothing comes any more until the exchange is
    // cancelled.
    bool hang_before_head = false;
    bool hang_in_body = false;

    static ScriptedAnswer Ok(std::vector<std::string> body,
                             std::string content_type = "application/json");
};

// An HTTP client without a network: answers from a queue and remembers what was asked. Requests
// beyond the queue fail with kUpstreamFailure. One loop's thread, like the real one.
class ScriptedHttpClient final : public http::client::HttpClient {
  public:
    explicit ScriptedHttpClient(Executor executor) : executor_(std::move(executor)) {}

    void Add(ScriptedAnswer answer) { answers_.push_back(std::move(answer)); }

    Task<Result<std::unique_ptr<http::client::UpstreamExchange>>> Send(
        http::client::UpstreamRequest request, http::client::ExchangeLimits limits,
        Cancellation& cancellation) override;

    const std::vector<http::client::UpstreamRequest>& requests() const { return requests_; }
    const std::vector<http::client::ExchangeLimits>& limits() const { return limits_; }
    // Exchanges that live.
    int open() const { return *open_; }
    // Bodies that were not read to their end when their exchange was destroyed.
    int abandoned() const { return *abandoned_; }

  private:
    Executor executor_;
    std::deque<ScriptedAnswer> answers_;
    std::vector<http::client::UpstreamRequest> requests_;
    std::vector<http::client::ExchangeLimits> limits_;
    std::shared_ptr<int> open_ = std::make_shared<int>(0);
    std::shared_ptr<int> abandoned_ = std::make_shared<int>(0);
};

}  // namespace aim::testing
