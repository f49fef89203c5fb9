#include "services/cli/remote/remote.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include "core/http/client/asio_client.hpp"
#include "core/json/json.hpp"

namespace aim::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxAnswerBytes = 256u * 1024 * 1024;
constexpr milliseconds kConnectTimeout{5'000};
// A stream carries a comment every ten seconds even when its model thinks for long.
constexpr milliseconds kStreamHeadTimeout{660'000};
constexpr milliseconds kStreamGapTimeout{120'000};

Error Interrupted() {
    Error error;
    error.kind = ErrorKind::kCancelled;
    error.code = kInterrupted;
    error.message = "interrupted";
    return error;
}

}  // namespace

struct Remote::Engine {
    using OnData = std::function<bool(const RemoteAnswer&, std::string_view)>;

    struct Plan {
        http::client::UpstreamRequest request;
        http::client::ExchangeLimits limits;
        milliseconds timeout{0};  // of all of it; 0: none
        OnData on_data;           // empty: the body is kept
        OnWait on_wait;
    };

    Engine(std::shared_ptr<const http::client::TlsContext> tls, http::client::ClientOptions options)
        : resolver(std::make_shared<http::client::Resolver>(http::client::Resolver::Options{})),
          client(std::make_unique<http::client::AsioClient>(loop, timers, resolver, std::move(tls),
                                                            std::move(options))) {
        signals.add(SIGINT);
        signals.async_wait([this](const boost::system::error_code& error, int) {
            if (error) return;
            interrupted = true;
            signals.clear();  // a second one ends the process
            if (current != nullptr) current->Cancel(Cancellation::Reason::kAborted);
        });
    }

    ~Engine() {
        client.reset();
        boost::system::error_code ignored;
        signals.cancel(ignored);
        timers.Stop();
        loop.restart();
        loop.run_for(seconds(1));
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    template <typename T>
    T Drive(Task<T> task) {
        std::optional<T> value;
        std::exception_ptr failure;
        boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T result) {
            failure = thrown;
            value.emplace(std::move(result));
        });
        while (!value) {
            loop.restart();
            loop.run_one();
        }
        if (failure) std::rethrow_exception(failure);
        return std::move(*value);
    }

    // Lets what is waiting happen; not from within the loop.
    void HearSignals() {
        loop.restart();
        loop.poll();
    }

    Task<Result<RemoteAnswer>> Exchange(Plan& plan, Cancellation& cancellation);
    Task<bool> Pause(milliseconds time);
    Result<RemoteAnswer> Run(Plan plan);

    boost::asio::io_context loop{1};
    TimerQueue timers{loop};
    boost::asio::signal_set signals{loop};
    std::shared_ptr<http::client::Resolver> resolver;
    std::unique_ptr<http::client::AsioClient> client;
    Cancellation* current = nullptr;
    bool interrupted = false;
};

Task<Result<RemoteAnswer>> Remote::Engine::Exchange(Plan& plan, Cancellation& cancellation) {
    TimerQueue::Timer deadline(
        timers, [&cancellation] { cancellation.Cancel(Cancellation::Reason::kDeadline); });
    if (plan.timeout.count() > 0) deadline.ArmAfter(plan.timeout);
    seconds waited{0};
    TimerQueue::Timer* again = nullptr;
    TimerQueue::Timer wait_timer(timers, [&] {
        plan.on_wait(++waited);
        again->ArmAfter(seconds(1));
    });
    again = &wait_timer;
    if (plan.on_wait) wait_timer.ArmAfter(seconds(1));

    auto exchange = co_await client->Send(std::move(plan.request), plan.limits, cancellation);
    if (!exchange) co_return Unexpected(std::move(exchange.error()));
    RemoteAnswer answer;
    answer.status = (*exchange)->status();
    answer.headers = (*exchange)->headers();
    const bool streams = plan.on_data && answer.status / 100 == 2;
    for (;;) {
        auto piece = co_await (*exchange)->Read();
        wait_timer.Disarm();
        if (!piece) {
            if (!streams) co_return Unexpected(std::move(piece.error()));
            answer.cut = std::move(piece.error());
            break;
        }
        if (piece->empty()) break;
        if (streams) {
            if (!plan.on_data(answer, *piece)) break;
            continue;
        }
        if (answer.body.size() + piece->size() > kMaxAnswerBytes)
            co_return Fail(ErrorKind::kProtocolError, "the answer is over 256 MiB");
        answer.body.append(*piece);
    }
    co_return answer;
}

Result<RemoteAnswer> Remote::Engine::Run(Plan plan) {
    HearSignals();  // one that came between two calls
    if (interrupted) return Unexpected(Interrupted());
    Cancellation cancellation;
    current = &cancellation;
    auto answer = Drive(Exchange(plan, cancellation));
    current = nullptr;
    HearSignals();  // one that ended a slow write
    if (interrupted) return Unexpected(Interrupted());
    return answer;
}

Task<bool> Remote::Engine::Pause(milliseconds time) {
    constexpr milliseconds kStep{50};
    const MonotonicTime end = std::chrono::steady_clock::now() + time;
    while (!interrupted && std::chrono::steady_clock::now() < end) {
        const milliseconds left =
            std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
        const milliseconds step = std::clamp(left, milliseconds(1), kStep);
        co_await timers.Sleep(step);
    }
    co_return !interrupted;
}

Remote::Remote(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Remote::~Remote() = default;

Result<std::unique_ptr<Remote>> Remote::Create(const config::Environment& environment) {
    http::client::ClientOptions options;
    auto proxy = http::client::ProxyOptions::FromEnvironment([&environment](const char* name) {
        return std::string(environment.Get(name).value_or(""));
    });
    if (!proxy) return Unexpected(std::move(proxy.error()));
    options.proxy = std::move(*proxy);
    auto tls = http::client::TlsContext::Create({});
    if (!tls) return Unexpected(std::move(tls.error()));
    return std::unique_ptr<Remote>(
        new Remote(std::make_unique<Engine>(std::move(*tls), std::move(options))));
}

namespace {

http::client::UpstreamRequest RequestTo(const Endpoint& endpoint, std::string method,
                                        const std::string& path, std::string body) {
    http::client::UpstreamRequest request;
    request.method = std::move(method);
    request.url = endpoint.url;
    if (request.url.target == "/") request.url.target.clear();
    request.url.target += path;
    request.headers.Add("Accept", "application/json, text/event-stream");
    if (!endpoint.key.empty()) request.headers.Add("X-API-Key", endpoint.key.Reveal());
    if (!body.empty()) request.headers.Add("Content-Type", "application/json");
    request.body = std::move(body);
    return request;
}

// The client's sentence with what was asked in front of it.
Unexpected NoAnswer(const Endpoint& endpoint, Error error) {
    if (error.code == kInterrupted) return Unexpected(std::move(error));
    if (error.kind == ErrorKind::kCancelled) {
        error.kind = ErrorKind::kUpstreamTimeout;
        error.message = "no answer in time";
    }
    error.message =
        "the " + endpoint.name + " at " + endpoint.base + " cannot be reached: " + error.message;
    return Unexpected(std::move(error));
}

}  // namespace

Result<RemoteAnswer> Remote::Call(const Endpoint& endpoint, std::string method, std::string path,
                                  std::string body, milliseconds timeout) {
    Engine::Plan plan;
    plan.request = RequestTo(endpoint, std::move(method), path, std::move(body));
    plan.limits.connect = std::min(timeout, kConnectTimeout);
    plan.timeout = timeout;
    auto answer = engine_->Run(std::move(plan));
    if (!answer) return NoAnswer(endpoint, std::move(answer.error()));
    return answer;
}

Result<std::string> Remote::Fetch(const Endpoint& endpoint, std::string method, std::string path,
                                  std::string body, milliseconds timeout) {
    auto answer = Call(endpoint, std::move(method), std::move(path), std::move(body), timeout);
    if (!answer) return Unexpected(std::move(answer.error()));
    if (answer->status / 100 != 2) return Unexpected(RefusalOf(endpoint, *answer));
    return std::move(answer->body);
}

Result<RemoteAnswer> Remote::Stream(
    const Endpoint& endpoint, std::string path, std::string body,
    std::function<bool(const RemoteAnswer&, std::string_view)> on_data, OnWait on_wait) {
    Engine::Plan plan;
    plan.request = RequestTo(endpoint, "POST", path, std::move(body));
    plan.limits.connect = kConnectTimeout;
    plan.limits.head = kStreamHeadTimeout;
    plan.limits.body_gap = kStreamGapTimeout;
    plan.on_data = std::move(on_data);
    plan.on_wait = std::move(on_wait);
    auto answer = engine_->Run(std::move(plan));
    if (!answer) return NoAnswer(endpoint, std::move(answer.error()));
    return answer;
}

bool Remote::Sleep(milliseconds time) {
    if (interrupted()) return false;
    return engine_->Drive(engine_->Pause(time));
}

bool Remote::interrupted() {
    engine_->HearSignals();
    return engine_->interrupted;
}

Error RefusalOf(const Endpoint& endpoint, const RemoteAnswer& answer) {
    Error error;
    error.kind = ErrorKind::kInvalidRequest;
    error.upstream_status = answer.status;
    std::string sentence;
    if (const auto document = json::Parse(answer.body)) {
        const json::Value root = document->root();
        if (const auto native = root.Get("error").AsString()) {
            sentence = *native;
            error.code = root.Get("error_code").StringOr("");
            error.field = root.Get("context").Get("field").StringOr("");
        } else if (const auto openai = root.Get("error").Get("message").AsString()) {
            sentence = *openai;
            error.code = root.Get("error").Get("code").StringOr("");
            error.field = root.Get("error").Get("param").StringOr("");
        }
    }
    error.message = "the " + endpoint.name + " at " + endpoint.base + " answered " +
                    std::to_string(answer.status);
    if (!error.field.empty() && sentence.find(error.field) == std::string::npos)
        sentence = error.field + ": " + sentence;
    if (!sentence.empty()) error.message += ": " + sentence.substr(0, 2000);
    if (!error.code.empty()) error.message += " (" + error.code + ")";
    if (answer.status == 401) {
        error.message += endpoint.key.empty() ? "; no key was sent"
                                              : "; the key was taken from " + endpoint.key_source;
    }
    return error;
}

std::string PercentEncode(std::string_view text) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= 'a' && byte <= 'z') || c == '-' || c == '.' || c == '_' ||
                           c == '~';
        if (plain) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(kHex[byte >> 4]);
            out.push_back(kHex[byte & 15]);
        }
    }
    return out;
}

}  // namespace aim::cli
