#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/http/client/asio_client.hpp"
#include "core/http/client/body_decoder.hpp"
#include "core/http/client/connection.hpp"
#include "core/http/client/content_decoder.hpp"
#include "core/http/client/dialer.hpp"
#include "core/http/client/response_head.hpp"
#include "core/http/client/signal.hpp"

namespace aim::http::client {

// One request and its answer on AsioClient. Whatever happens (bytes, deadline, cancellation, the
// client's end) wakes one signal, and the coroutine looks at what has changed; so there is one way
// out of every wait.
class AsioExchange final : public UpstreamExchange, private Connection::User {
  public:
    static Task<Result<std::unique_ptr<UpstreamExchange>>> Run(AsioClient& client,
                                                               UpstreamRequest request,
                                                               ExchangeLimits limits,
                                                               Cancellation& cancellation);

    AsioExchange(AsioClient& client, UpstreamRequest request, const ExchangeLimits& limits,
                 Cancellation& cancellation);
    ~AsioExchange();
    AsioExchange(const AsioExchange&) = delete;
    AsioExchange& operator=(const AsioExchange&) = delete;

    int status() const override { return parser_.status(); }
    const HeaderMap& headers() const override { return headers_; }
    Task<Result<std::string_view>> Read() override;
    bool Drain() override;
    bool reused() const override { return reused_; }

  private:
    friend class AsioClient;
    enum class Stage { kQueue, kConnect, kRequest, kBody, kOver };
    enum class Stop { kNone, kCancelled, kDeadline };
    enum class HeadStep { kWait, kDone, kSendAgain, kFailed };

    void OnChange() override { signal_.Resume(); }
    void Halt(Stop reason);
    void Detach();
    void DropWaits();
    bool stopped() const { return stop_ != Stop::kNone; }
    void Arm(std::chrono::milliseconds limit);

    Result<void> Compose();
    bool TakePooled();
    Task<Result<void>> Acquire();
    Task<Result<void>> Open();
    Task<Result<void>> OpenTunnel();
    Task<Result<void>> ShakeHands();
    void StartRequest();
    HeadStep StepHead();
    bool FinishHead();
    std::optional<Result<std::string_view>> StepBody();
    bool MaySendAgain() const;
    void Leave();
    Unexpected Give(Unexpected error);

    Unexpected StopError();
    Unexpected ConnectionError(std::string_view when) const;
    Unexpected Broken(ErrorKind kind, std::string_view code, std::string_view what) const;

    AsioClient* client_;
    AsioExchange* previous_ = nullptr;
    AsioExchange* next_ = nullptr;
    UpstreamRequest request_;
    ExchangeLimits limits_;
    std::string head_;
    const ProxyServer* proxy_ = nullptr;
    Executor executor_;
    Stage stage_ = Stage::kQueue;
    Stop stop_ = Stop::kNone;
    bool reused_ = false;
    bool sent_again_ = false;
    bool written_ = false;
    bool written_later_ = false;
    MonotonicTime started_at_{};  // of this sending
    // What a wait before the connection stands on.
    std::optional<PoolWaiter> waiter_;
    Resolver::Ticket ticket_;
    ResolutionPtr resolution_;
    std::shared_ptr<Dialer> dialer_;
    ConnectionPtr connection_;
    Signal signal_;
    TimerQueue::Timer timer_;
    std::optional<Cancellation::Listener> listener_;
    HeaderMap headers_;
    ResponseHeadParser parser_;
    BodyDecoder body_;
    std::unique_ptr<ContentDecoder> content_;
    std::optional<Error> error_;  // how the head or the body failed
};

}  // namespace aim::http::client
