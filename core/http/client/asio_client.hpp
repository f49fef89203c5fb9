#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/http/client/client_options.hpp"
#include "core/http/client/client_stats.hpp"
#include "core/http/client/connection_pool.hpp"
#include "core/http/client/http_client.hpp"
#include "core/http/client/resolver.hpp"
#include "core/http/client/tls_context.hpp"

namespace aim::http::client {

class AsioExchange;

// The HTTP client of one engine loop: HTTP/1.1 over plain TCP or TLS, with a pool of kept
// connections for every origin. Everything happens on the loop's thread. Resolver and TLS context
// are shared between loops; the loop, the timer queue and both outlive the client. Exchanges that
// live longer than the client end with kCancelled.
//
// A request is sent a second time, on a fresh connection, only when the first went out on a reused
// one which then ended, within ClientOptions::resend_window, without a single byte of an answer:
// that is what a connection looks like that its server was just closing.
class AsioClient final : public HttpClient {
  public:
    AsioClient(boost::asio::io_context& loop, TimerQueue& timers,
               std::shared_ptr<Resolver> resolver, std::shared_ptr<const TlsContext> tls,
               ClientOptions options);
    ~AsioClient() override;
    AsioClient(const AsioClient&) = delete;
    AsioClient& operator=(const AsioClient&) = delete;

    Task<Result<std::unique_ptr<UpstreamExchange>>> Send(UpstreamRequest request,
                                                         ExchangeLimits limits,
                                                         Cancellation& cancellation) override;

    // Cancels the exchanges under way and closes all connections, so that the loop can run out of
    // work. Later sends fail with kCancelled.
    void Stop();

    const ClientStats& stats() const { return stats_; }

  private:
    friend class AsioExchange;

    Executor executor_;
    TimerQueue& timers_;
    std::shared_ptr<Resolver> resolver_;
    std::shared_ptr<const TlsContext> tls_;
    ClientOptions options_;
    ClientStats stats_;
    ConnectionPool pool_;
    AsioExchange* exchanges_ = nullptr;     // all that live, linked
    std::vector<HeaderMap> spare_headers_;  // storage for answers to come
    bool stopped_ = false;
};

}  // namespace aim::http::client
