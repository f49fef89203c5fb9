#include "core/http/client/asio_client.hpp"

#include <utility>

#include "core/http/client/exchange.hpp"

namespace aim::http::client {

AsioClient::AsioClient(boost::asio::io_context& loop, TimerQueue& timers,
                       std::shared_ptr<Resolver> resolver, std::shared_ptr<const TlsContext> tls,
                       ClientOptions options)
    : executor_(loop.get_executor()),
      timers_(timers),
      resolver_(std::move(resolver)),
      tls_(std::move(tls)),
      options_(std::move(options)),
      pool_(executor_, timers_, options_.pool, stats_) {}

AsioClient::~AsioClient() { Stop(); }

Task<Result<std::unique_ptr<UpstreamExchange>>> AsioClient::Send(UpstreamRequest request,
                                                                 ExchangeLimits limits,
                                                                 Cancellation& cancellation) {
    return AsioExchange::Run(*this, std::move(request), limits, cancellation);
}

void AsioClient::Stop() {
    stopped_ = true;
    while (exchanges_ != nullptr) {
        AsioExchange* exchange = exchanges_;
        exchange->Halt(AsioExchange::Stop::kCancelled);
        exchange->Detach();
    }
    pool_.Stop();
}

}  // namespace aim::http::client
