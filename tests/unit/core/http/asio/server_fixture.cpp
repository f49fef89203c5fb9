#include "tests/unit/core/http/asio/server_fixture.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "core/http/url.hpp"

namespace aim::http {
namespace {

std::size_t Number(const Request& request, std::string_view key) {
    return std::stoul(QueryValue(request.query(), key).value_or("0"));
}

// Until the test says so, or nobody wants the answer any more.
Task<> Wait(Loop& loop, std::shared_ptr<HandlerRoom> room, Exchange& exchange) {
    exchange.request.DropBody(0);
    const int place = room->waiting++;
    while (room->release <= place && !exchange.cancellation.IsCancelled())
        co_await loop.timers().Sleep(std::chrono::milliseconds(1));
    room->last_reason = static_cast<int>(exchange.cancellation.reason());
    Response response = Response::Text(200, "text/plain", "waited");
    co_await exchange.writer.Send(std::move(response));
    ++room->returned;
}

Task<> Count(Exchange& exchange) {
    const std::size_t last = Number(exchange.request, "n");
    Response head = Response::Text(200, "text/event-stream", "");
    if (!co_await exchange.writer.Start(std::move(head))) co_return;
    for (std::size_t i = 1; i <= last; ++i) {
        const std::string piece = std::to_string(i) + ";";
        co_await exchange.writer.Write("");
        if (!co_await exchange.writer.Write(piece)) co_return;
    }
    co_await exchange.writer.Finish();
}

Task<> Flood(std::shared_ptr<HandlerRoom> room, Exchange& exchange) {
    Response head = Response::Text(200, "application/octet-stream", "");
    bool going = co_await exchange.writer.Start(std::move(head));
    const std::string piece(64 * 1024, 'f');
    while (going) {
        going = co_await exchange.writer.Write(piece);
        if (going) room->flooded += piece.size();
    }
    room->last_reason = static_cast<int>(exchange.cancellation.reason());
    ++room->returned;
}

Task<> Throw(Loop& loop, Exchange& exchange, bool midway) {
    if (midway) {
        Response head = Response::Text(200, "text/plain", "");
        co_await exchange.writer.Start(std::move(head));
        co_await exchange.writer.Write("begun");
    }
    co_await loop.timers().Sleep(std::chrono::milliseconds(1));
    throw std::runtime_error("thrown later");
}

Task<> Abort(Exchange& exchange) {
    Response head = Response::Text(200, "text/plain", "");
    co_await exchange.writer.Start(std::move(head));
    co_await exchange.writer.Write("last words");
    exchange.writer.Abort();
}

Task<> Silent(Exchange&) { co_return; }

Task<> Twice(Exchange& exchange) {
    Response first = Response::Text(200, "text/plain", "once");
    co_await exchange.writer.Send(std::move(first));
    Response second = Response::Text(200, "text/plain", "twice");
    if (co_await exchange.writer.Send(std::move(second)))
        throw std::logic_error("a second answer was sent");
}

}  // namespace

std::shared_ptr<const Router> TestRouter(Loop& loop, std::shared_ptr<HandlerRoom> room) {
    auto router = std::make_shared<Router>();
    router->Add(Method::kGet, "/hello", [](const Request&, const PathParameters&) {
        return Response::Text(200, "text/plain", "hello");
    });
    router->Add(Method::kGet, "/capacity", [](const Request& request, const PathParameters&) {
        return Response::Text(200, "text/plain", std::to_string(request.body.capacity()));
    });
    router->Add(Method::kPost, "/age", [](const Request& request, const PathParameters&) {
        const auto age = std::chrono::steady_clock::now() - request.received_at;
        return Response::Text(200, "text/plain",
                              std::to_string(age / std::chrono::milliseconds(1)));
    });
    router->Add(Method::kGet, "/loop", [&loop](const Request&, const PathParameters&) {
        return Response::Text(200, "text/plain", std::to_string(loop.index()));
    });
    router->Add(Method::kGet, "/peer", [](const Request& request, const PathParameters&) {
        return Response::Text(200, "text/plain", request.client_address);
    });
    router->Add(Method::kGet, "/empty", [](const Request&, const PathParameters&) {
        return Response{204, {}, "not sent"};
    });
    router->Add(Method::kGet, "/big", [](const Request& request, const PathParameters&) {
        return Response::Text(200, "text/plain", std::string(Number(request, "bytes"), 'b'));
    });
    router->Add(Method::kGet, "/evil", [](const Request&, const PathParameters&) {
        Response response = Response::Text(200, "text/plain", "evil");
        response.headers.Add("X-Model", "a\r\nSet-Cookie: b\r\n\r\nbody");
        response.headers.Add("Content-Length", "1");
        response.headers.Add("Transfer-Encoding", "chunked");
        return response;
    });
    const PlainHandler echo = [room](const Request& request, const PathParameters&) {
        ++room->echoes;
        return Response::Text(200, "text/plain", request.body);
    };
    router->Add(Method::kPost, "/echo", echo);
    RoutePolicy open_ai;
    open_ai.protocol = Protocol::kOpenAi;
    router->Add(Method::kPost, "/v1/echo", echo, open_ai);
    router->Add(Method::kGet, "/throw", [](const Request&, const PathParameters&) -> Response {
        throw std::runtime_error("thrown");
    });
    router->Add(
        Method::kGet, "/v1/throw",
        [](const Request&, const PathParameters&) -> Response { throw 42; }, open_ai);
    router->AddStream(Method::kGet, "/wait",
                      [&loop, room](Exchange& exchange) { return Wait(loop, room, exchange); });
    router->AddStream(Method::kPost, "/wait",
                      [&loop, room](Exchange& exchange) { return Wait(loop, room, exchange); });
    router->AddStream(Method::kGet, "/count", [](Exchange& exchange) { return Count(exchange); });
    router->AddStream(Method::kGet, "/flood",
                      [room](Exchange& exchange) { return Flood(room, exchange); });
    router->AddStream(Method::kGet, "/throw-later",
                      [&loop](Exchange& exchange) { return Throw(loop, exchange, false); });
    router->AddStream(Method::kGet, "/throw-midway",
                      [&loop](Exchange& exchange) { return Throw(loop, exchange, true); });
    router->AddStream(Method::kGet, "/abort", [](Exchange& exchange) { return Abort(exchange); });
    router->AddStream(Method::kGet, "/silent", [](Exchange& exchange) { return Silent(exchange); });
    router->AddStream(Method::kGet, "/twice", [](Exchange& exchange) { return Twice(exchange); });
    return router;
}

void ServerFixture::StartServer(ServerOptions options, std::size_t loops,
                                std::shared_ptr<const MiddlewareChain> chain) {
    loops_ = std::make_unique<EngineLoops>(loops);
    loops_->Start();
    if (!options.on_exception) {
        options.on_exception = [room = room_](std::string_view, std::string_view what) {
            const std::lock_guard lock(room->mutex);
            room->exceptions.emplace_back(what);
        };
    }
    const Server::RouterFactory factory = [room = room_](Loop& loop) {
        return TestRouter(loop, room);
    };
    auto server = Server::Start(*loops_, options, factory, std::move(chain));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
}

ServerFixture::~ServerFixture() {
    room_->release = 1'000'000;
    server_.reset();
    loops_.reset();
}

}  // namespace aim::http
