// CPU of the HTTP client per exchange, against any server that answers (nginx `return 200`, the
// fake provider):
//
//     http_client_bench URL [exchanges] [connections] [authorities.pem]
//
// Prints microseconds of user and system time of this process per exchange, and the rate.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <sys/resource.h>

#include "core/http/client/asio_client.hpp"

namespace {

using namespace aim;
using namespace aim::http;
using namespace aim::http::client;

double Seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Run {
    long left = 0;
    int running = 0;
    long failed = 0;
    std::size_t bytes = 0;
};

Task<> Work(AsioClient& client, const Url& url, Run& run, boost::asio::io_context& loop) {
    const std::string body = R"({"model":"m","messages":[{"role":"user","content":")" +
                             std::string(300, 'x') + R"("}]})";
    Cancellation cancellation;
    ExchangeLimits limits;
    limits.head = std::chrono::seconds(30);
    limits.body_gap = std::chrono::seconds(30);
    while (run.left-- > 0) {
        UpstreamRequest request;
        request.method = "POST";
        request.url = url;
        request.headers.Add("Content-Type", "application/json");
        request.headers.Add("Authorization", "Bearer 0123456789abcdef");
        request.body = body;
        auto exchange = co_await client.Send(std::move(request), limits, cancellation);
        bool good = exchange.has_value() && (*exchange)->status() == 200;
        while (good) {
            const auto piece = co_await (*exchange)->Read();
            good = piece.has_value();
            if (!good || piece->empty()) break;
            run.bytes += piece->size();
        }
        if (!good) ++run.failed;
    }
    if (--run.running == 0) loop.stop();
}

}  // namespace

int main(int argc, char** argv) {
    const auto url = argc > 1 ? Url::Parse(argv[1]) : std::nullopt;
    if (!url) {
        std::fprintf(stderr,
                     "usage: http_client_bench URL [exchanges] [connections] [authorities.pem]\n");
        return 2;
    }
    const long exchanges = argc > 2 ? std::atol(argv[2]) : 100'000;
    const int connections = argc > 3 ? std::atoi(argv[3]) : 16;
    TlsContext::Options tls;
    if (argc > 4) {
        std::ifstream file(argv[4]);
        tls.extra_authorities_pem.assign(std::istreambuf_iterator<char>(file), {});
    }
    auto context = TlsContext::Create(tls);
    if (!context) {
        std::fprintf(stderr, "%s\n", context.error().message.c_str());
        return 2;
    }
    boost::asio::io_context loop(1);
    TimerQueue timers(loop);
    AsioClient client(loop, timers, std::make_shared<Resolver>(Resolver::Options{}), *context, {});
    Run run;
    for (const long count : {exchanges / 20 + connections, exchanges}) {  // the first to warm up
        run = Run{count, connections, 0, 0};
        rusage before{};
        getrusage(RUSAGE_SELF, &before);
        const auto began = std::chrono::steady_clock::now();
        for (int i = 0; i < connections; ++i)
            boost::asio::co_spawn(loop, Work(client, *url, run, loop), boost::asio::detached);
        loop.restart();
        loop.run();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        rusage after{};
        getrusage(RUSAGE_SELF, &after);
        if (count != exchanges) continue;
        const double user = Seconds(after.ru_utime) - Seconds(before.ru_utime);
        const double system = Seconds(after.ru_stime) - Seconds(before.ru_stime);
        const auto per = [&](double seconds) {
            return seconds * 1e6 / static_cast<double>(exchanges);
        };
        std::printf(
            "%ld exchanges, %d connections, %ld failed, %zu bytes: %.2f us CPU each (%.2f user, "
            "%.2f system), %.0f/s, %lld created\n",
            exchanges, connections, run.failed, run.bytes, per(user + system), per(user),
            per(system), static_cast<double>(exchanges) / took.count(),
            static_cast<long long>(client.stats().connections_created.Value()));
    }
    return run.failed == 0 ? 0 : 1;
}
