#include "core/http/pistache/pistache_server.hpp"

#include <exception>

#include <pistache/listener.h>
#include <pthread.h>
#include <signal.h>

#include "core/http/pistache/reactor_transport.hpp"
#include "core/http/pistache/session.hpp"

namespace aim::http::pistache {
namespace {

// Threads inherit the mask: Pistache's threads take no signals (its accept loop throws when poll is
// interrupted).
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

}  // namespace

struct PistacheServer::Parts {
    Parts(const ServerOptions& options, const Router& router, const MiddlewareChain& chain,
          telemetry::Logger& logger)
        : context{.options = options, .router = router, .chain = chain, .logger = logger} {}

    ServerContext context;
    std::uint16_t port = 0;
    std::unique_ptr<Pistache::Tcp::Listener> listener;
};

PistacheServer::PistacheServer(const ServerOptions& options, const Router& router,
                               const MiddlewareChain& chain, telemetry::Logger& logger)
    : parts_(std::make_unique<Parts>(options, router, chain, logger)) {}

PistacheServer::~PistacheServer() { Stop(); }

Result<void> PistacheServer::Start() {
    const SignalsBlocked blocked;
    const ServerOptions& options = parts_->context.options;
    try {
        using Pistache::Tcp::Options;
        auto listener = std::make_unique<Pistache::Tcp::Listener>();
        listener->init(
            options.threads,
            Pistache::Flags<Options>(Options::NoDelay | Options::ReuseAddr | Options::CloseOnExec),
            "http");
        ServerContext& context = parts_->context;
        const auto handler = std::make_shared<SessionHandler>(context);
        listener->setTransportFactory([&context, handler] {
            return std::make_shared<ReactorTransport>(context, handler->clone());
        });
        listener->setHandler(handler);
        const bool is_v6 =
            options.host.find(':') != std::string::npos && options.host.front() != '[';
        const std::string host = is_v6 ? "[" + options.host + "]" : options.host;
        listener->bind(Pistache::Address(host, Pistache::Port(options.port)));
        parts_->port = static_cast<std::uint16_t>(listener->getPort());
        listener->runThreaded();
        parts_->listener = std::move(listener);
    } catch (const std::exception& exception) {
        return Fail(ErrorKind::kInternal, "cannot listen on " + options.host + ":" +
                                              std::to_string(options.port) + ": " +
                                              exception.what());
    }
    return {};
}

std::uint16_t PistacheServer::port() const { return parts_->port; }

void PistacheServer::BeginDrain() { parts_->context.draining.store(true); }

std::size_t PistacheServer::open_connections() const { return parts_->context.connections.load(); }

void PistacheServer::Stop() {
    if (!parts_->listener) return;
    parts_->listener->shutdown();
    parts_->listener.reset();  // waits for the threads
}

}  // namespace aim::http::pistache
