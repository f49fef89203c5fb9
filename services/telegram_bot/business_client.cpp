#include "services/telegram_bot/business_client.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/http/sse_parser.hpp"
#include "core/json/writer.hpp"
#include "services/telegram_bot/http_call.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::size_t kMostPageBytes = std::size_t{16} << 20;
constexpr std::size_t kMostRefusalBytes = std::size_t{256} << 10;
constexpr std::size_t kMostDetail = 300;

std::optional<std::chrono::milliseconds> RetryAfter(const http::HeaderMap& headers) {
    const std::string_view text = headers.Find("Retry-After");
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || error != std::errc() || seconds < 0 || seconds > 86'400)
        return std::nullopt;
    return std::chrono::seconds(seconds);
}

// What the chunks of one answer say, taken together.
class ChunkReader {
  public:
    ChunkReader(ChatListener& listener, std::string_view model, std::string_view score)
        : listener_(listener), score_(score) {
        if (!model.empty()) Head(model);
    }

    // False when nothing follows.
    bool Read(std::string_view data) {
        if (data == "[DONE]") {
            completed_ = true;
            return false;
        }
        const auto chunk = json::Parse(data);
        if (!chunk) return Broken("a chunk that is not JSON");
        const json::Value root = chunk->root();
        if (const json::Value error = root.Get("error"); error.IsObject()) {
            code_ = error.Get("code").StringOr("");
            return Broken(error.Get("message").StringOr("an error in the stream"));
        }
        if (!headed_) Head(root.Get("model").StringOr(""));
        const json::Value choice = root.Get("choices").At(0);
        const json::Value delta = choice.Get("delta");
        for (const char* member : {"content", "refusal"}) {
            const std::string_view text = delta.Get(member).StringOr("");
            if (text.empty()) continue;
            listener_.OnText(text);
        }
        if (const auto finish = choice.Get("finish_reason").AsString()) finish_reason_ = *finish;
        return true;
    }

    bool Broken(std::string_view detail) {
        detail_ = detail.substr(0, kMostDetail);
        return false;
    }

    ChatEnd End() const {
        ChatEnd end;
        end.kind = completed_ ? ChatEnd::Kind::kCompleted : ChatEnd::Kind::kCut;
        end.status = 200;
        end.code = code_;
        end.detail = detail_.empty() && !completed_ ? "the stream ended early" : detail_;
        end.finish_reason = finish_reason_;
        return end;
    }

  private:
    void Head(std::string_view model) {
        headed_ = true;
        listener_.OnHead(model, score_);
    }

    ChatListener& listener_;
    const std::string_view score_;
    bool headed_ = false;
    bool completed_ = false;
    std::string code_;
    std::string detail_;
    std::string finish_reason_;
};

}  // namespace

std::string ChatBody(const ChatQuery& query) {
    std::string body;
    json::Writer writer(body);
    writer.BeginObject()
        .Field("model", query.model.empty() ? std::string_view("auto") : query.model)
        .Field("stream", true)
        .Field("user_id", "telegram_" + std::to_string(query.user_id));
    if (!query.username.empty()) writer.Field("username", query.username);
    writer.Key("messages").BeginArray().BeginObject();
    writer.Field("role", "user").Field("content", query.text);
    writer.EndObject().EndArray().EndObject();
    return body;
}

http::client::UpstreamRequest BusinessClient::Request(std::string method,
                                                      std::string_view path) const {
    http::client::UpstreamRequest request;
    request.method = std::move(method);
    request.url = base_;
    if (request.url.target == "/") request.url.target.clear();
    request.url.target.append(path);
    if (!key_.empty()) request.headers.Add("X-API-Key", key_.Reveal());
    return request;
}

Task<Result<json::Document>> BusinessClient::Page(std::string path, int also_accepted,
                                                  Cancellation& cancellation) {
    std::string method = "GET";
    http::client::UpstreamRequest request = Request(std::move(method), path);
    request.headers.Add("Accept", "application/json");
    std::string peer = "the business API";
    auto reply = co_await CallWhole(client_, timers_, std::move(request), std::move(peer),
                                    limits_.page, kMostPageBytes, cancellation);
    if (!reply) co_return Unexpected(std::move(reply.error()));
    if (reply->status != 200 && reply->status != also_accepted) {
        co_return Fail(ErrorKind::kUpstreamFailure,
                       "the business API answered " + std::to_string(reply->status));
    }
    auto document = json::Parse(reply->body);
    if (!document)
        co_return Fail(ErrorKind::kProtocolError, "the business API's answer is not JSON");
    co_return std::move(*document);
}

Task<ChatEnd> BusinessClient::Chat(const ChatQuery& query, ChatListener& listener,
                                   Cancellation& cancellation) {
    ChatEnd end;
    std::string method = "POST";
    http::client::UpstreamRequest request = Request(std::move(method), "/v1/chat/completions");
    request.headers.Add("Content-Type", "application/json");
    request.headers.Add("Accept", "text/event-stream");
    request.body = ChatBody(query);
    http::client::ExchangeLimits limits;
    limits.connect = limits_.connect;
    limits.head = limits_.first_byte;
    limits.body_gap = limits_.between_bytes;
    auto exchange = co_await client_.Send(std::move(request), limits, cancellation);
    if (!exchange) {
        end.kind =
            cancellation.IsCancelled() ? ChatEnd::Kind::kCancelled : ChatEnd::Kind::kUnreachable;
        end.detail = exchange.error().message;
        co_return end;
    }
    if ((*exchange)->status() != 200) {
        end = co_await ReadRefusal(**exchange);
    } else {
        end = co_await ReadStream(**exchange, listener, cancellation);
    }
    co_return end;
}

Task<ChatEnd> BusinessClient::ReadRefusal(http::client::UpstreamExchange& exchange) {
    ChatEnd end;
    end.kind = ChatEnd::Kind::kRefused;
    end.status = exchange.status();
    end.retry_after = RetryAfter(exchange.headers());
    std::string body;
    for (;;) {
        const auto piece = co_await exchange.Read();
        if (!piece || piece->empty() || body.size() + piece->size() > kMostRefusalBytes) break;
        body.append(*piece);
    }
    const auto document = json::Parse(body);
    if (!document) {
        // A proxy in between: the business API always says why.
        if (end.status >= 500) end.kind = ChatEnd::Kind::kUnreachable;
        end.detail = "status " + std::to_string(end.status) + " without a reason";
        co_return end;
    }
    const json::Value error = document->root().Get("error");
    end.code = error.Get("code").StringOr("");
    end.detail = error.Get("message").StringOr("").substr(0, kMostDetail);
    co_return end;
}

Task<ChatEnd> BusinessClient::ReadStream(http::client::UpstreamExchange& exchange,
                                         ChatListener& listener, Cancellation& cancellation) {
    // Copies: the head's memory is the exchange's.
    const std::string model(exchange.headers().Find("X-AIManager-Model"));
    const std::string score(exchange.headers().Find("X-AIManager-Score"));
    ChunkReader chunks(listener, model, score);
    http::SseParser parser;
    for (bool more = true; more;) {
        const auto piece = co_await exchange.Read();
        if (!piece) {
            chunks.Broken(piece.error().message);
            break;
        }
        if (piece->empty()) break;
        parser.Push(*piece);
        while (more) {
            const auto event = parser.Next();
            if (!event) break;
            more = chunks.Read(event->data);
        }
        if (more && parser.failed()) more = chunks.Broken(parser.problem());
    }
    ChatEnd end = chunks.End();
    if (end.kind == ChatEnd::Kind::kCompleted) exchange.Drain();
    if (end.kind != ChatEnd::Kind::kCompleted && cancellation.IsCancelled())
        end.kind = ChatEnd::Kind::kCancelled;
    co_return end;
}

}  // namespace aim::telegram_bot
