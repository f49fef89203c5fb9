#include "tests/support/scripted_http_client.hpp"

#include "core/http/client/signal.hpp"

namespace aim::testing {
namespace {

using http::HeaderMap;
using http::client::ExchangeLimits;
using http::client::Signal;
using http::client::UpstreamExchange;
using http::client::UpstreamRequest;

Unexpected Cancelled() {
    Error error;
    error.kind = ErrorKind::kCancelled;
    error.code = "cancelled";
    error.message = "cancelled";
    return Unexpected(std::move(error));
}

// Until the cancellation is raised.
Task<> WaitForCancellation(Executor executor, Cancellation& cancellation) {
    Signal signal;
    const Cancellation::Listener listener(cancellation, [&] { signal.Post(executor); });
    while (!cancellation.IsCancelled()) co_await signal.Wait();
}

class ScriptedExchange final : public UpstreamExchange {
  public:
    ScriptedExchange(ScriptedAnswer answer, Executor executor, Cancellation& cancellation,
                     std::shared_ptr<int> open, std::shared_ptr<int> abandoned)
        : answer_(std::move(answer)),
          executor_(std::move(executor)),
          cancellation_(cancellation),
          open_(std::move(open)),
          abandoned_(std::move(abandoned)) {
        for (const auto& [name, value] : answer_.headers) headers_.Add(name, value);
        ++*open_;
    }

    ~ScriptedExchange() override {
        --*open_;
        if (!over_) ++*abandoned_;
    }

    int status() const override { return answer_.status; }
    const HeaderMap& headers() const override { return headers_; }
    bool reused() const override { return false; }

    Task<Result<std::string_view>> Read() override {
        if (cancellation_.IsCancelled()) co_return Cancelled();
        if (next_ < answer_.body.size()) {
            // A fresh copy each time: a view kept too long is then seen by the address sanitizer.
            current_ = std::make_unique<std::string>(answer_.body[next_++]);
            co_return std::string_view(*current_);
        }
        current_.reset();
        if (answer_.hang_in_body) {
            co_await WaitForCancellation(executor_, cancellation_);
            over_ = true;
            co_return Cancelled();
        }
        over_ = true;
        if (answer_.read_error) co_return Unexpected(*answer_.read_error);
        co_return std::string_view();
    }

    bool Drain() override {
        const bool complete =
            next_ == answer_.body.size() && !answer_.hang_in_body && !answer_.read_error;
        over_ = over_ || complete;
        return complete;
    }

  private:
    ScriptedAnswer answer_;
    Executor executor_;
    Cancellation& cancellation_;
    std::shared_ptr<int> open_;
    std::shared_ptr<int> abandoned_;
    HeaderMap headers_;
    std::size_t next_ = 0;
    std::unique_ptr<std::string> current_;
    bool over_ = false;
};

}  // namespace

ScriptedAnswer ScriptedAnswer::Ok(std::vector<std::string> body, std::string content_type) {
    ScriptedAnswer answer;
    answer.headers.emplace_back("content-type", std::move(content_type));
    answer.body = std::move(body);
    return answer;
}

Task<Result<std::unique_ptr<UpstreamExchange>>> ScriptedHttpClient::Send(
    UpstreamRequest request, ExchangeLimits limits, Cancellation& cancellation) {
    requests_.push_back(std::move(request));
    limits_.push_back(limits);
    if (cancellation.IsCancelled()) co_return Cancelled();
    if (answers_.empty()) {
        Error error;
        error.kind = ErrorKind::kUpstreamFailure;
        error.code = "connect_failed";
        error.message = "the script has no answer for this request";
        co_return Unexpected(std::move(error));
    }
    ScriptedAnswer answer = std::move(answers_.front());
    answers_.pop_front();
    if (answer.hang_before_head) {
        co_await WaitForCancellation(executor_, cancellation);
        co_return Cancelled();
    }
    if (answer.send_error) co_return Unexpected(*answer.send_error);
    co_return std::make_unique<ScriptedExchange>(std::move(answer), executor_, cancellation, open_,
                                                 abandoned_);
}

}  // namespace aim::testing
