#include "services/business_api/handlers/chat_completions.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/random.hpp"
#include "core/base/uuid.hpp"
#include "core/dialect/openai_chat.hpp"
#include "services/business_api/handlers/reply.hpp"

namespace aim::business_api {
namespace {

std::string CompletionId(WallTime now, Random& random) {
    constexpr std::string_view kPrefix = "chatcmpl-";
    const std::array<char, 36> uuid = Uuid::MakeV7(now, random).Chars();
    std::array<char, kPrefix.size() + 32> id;
    char* const digits = std::copy(kPrefix.begin(), kPrefix.end(), id.data());
    std::remove_copy(uuid.begin(), uuid.end(), digits, '-');
    return {id.data(), id.size()};
}

std::int64_t UnixSeconds(WallTime now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

// OpenAI's server-sent chunks.
class OpenAiFormat final : public pipeline::StreamFormat {
  public:
    OpenAiFormat(std::string id, std::int64_t created_unix_s, bool include_usage)
        : id_(std::move(id)), created_unix_s_(created_unix_s), include_usage_(include_usage) {}

    void Begin(const routing::Candidate& candidate) override {
        writer_.emplace(dialect::CompletionIdentity{id_, created_unix_s_, candidate.row->name},
                        include_usage_);
    }
    void AppendBatch(const completion::DeltaBatch& batch, std::string& out) override {
        writer_->AppendBatch(batch, out);
    }
    void AppendEnd(const completion::Usage& usage, std::string& out) override {
        writer_->AppendEnd(usage, out);
    }
    void AppendError(const Error& error, std::string& out) override {
        // What the plugin calls it is for the history; a name of contract.md's would mislead here.
        dialect::OpenAiStreamWriter::AppendError(
            error.message, http::FindErrorCode(http::CodeForKind(error.kind)).openai_type,
            ErrorKindName(error.kind), out);
    }

  private:
    const std::string id_;
    const std::int64_t created_unix_s_;
    const bool include_usage_;
    std::optional<dialect::OpenAiStreamWriter> writer_;
};

struct ChatTools {
    std::shared_ptr<LoopServices> services;
    const pipeline::Settings& settings;
    const http::ErrorWriter& errors;
    const Clock& clock;
    std::unique_ptr<Random> random = MakeRandom();
};

Task<> AnswerWhole(http::Exchange& exchange, ChatTools& tools, const completion::ChatRequest& chat,
                   const pipeline::Caller& caller) {
    pipeline::CompletionResult result =
        co_await tools.services->completions().Run(chat, caller, nullptr);
    if (result.client_left) {
        exchange.writer.Abort();
        co_return;
    }
    if (result.error) {
        http::Response failure =
            ErrorReply(tools.errors, http::Protocol::kOpenAi, exchange.request.request_id, result);
        co_await exchange.writer.Send(std::move(failure));
        co_return;
    }
    const WallTime now = tools.clock.WallNow();
    dialect::CompletionIdentity identity;
    identity.id = CompletionId(now, *tools.random);
    identity.created_unix_s = UnixSeconds(now);
    identity.model = result.candidate->row->name;
    http::Response response =
        http::Response::Json(200, dialect::WriteChatCompletion(result.response, identity));
    AddCompletionHeaders(result, response);
    co_await exchange.writer.Send(std::move(response));
}

Task<> AnswerStream(http::Exchange& exchange, ChatTools& tools, const completion::ChatRequest& chat,
                    const pipeline::Caller& caller) {
    const WallTime now = tools.clock.WallNow();
    auto format = std::make_unique<OpenAiFormat>(CompletionId(now, *tools.random), UnixSeconds(now),
                                                 chat.include_usage);
    Loop& loop = tools.services->loop();
    pipeline::StreamRelay relay(exchange.writer, std::move(format), loop.timers(), tools.settings,
                                loop.executor());
    pipeline::CompletionResult result =
        co_await tools.services->completions().Run(chat, caller, &relay);
    if (result.client_left) {
        co_await relay.Close();
        exchange.writer.Abort();
        co_return;
    }
    if (result.error) {
        if (relay.started()) {
            const Error error = *result.error;
            co_await relay.Fail(error);
            co_return;
        }
        co_await relay.Close();
        http::Response failure =
            ErrorReply(tools.errors, http::Protocol::kOpenAi, exchange.request.request_id, result);
        co_await exchange.writer.Send(std::move(failure));
        co_return;
    }
    co_await relay.End(result.response.usage);
}

Task<> AnswerChat(http::Exchange& exchange, ChatTools& tools) {
    const http::Request& request = exchange.request;
    auto chat = dialect::ReadChatCompletion(request.body);
    if (!chat) {
        http::Response refusal =
            tools.errors.Write(http::Protocol::kOpenAi, request.request_id, chat.error());
        co_await exchange.writer.Send(std::move(refusal));
        co_return;
    }
    const pipeline::Caller caller{request.request_id, request.key_id, request.received_at,
                                  exchange.cancellation};
    // What it says is in `chat`, and the answer may take minutes: of thousands of streams each byte
    // counts.
    exchange.request.DropBody(chat->stream ? 0 : http::Request::kKeptBody);
    if (chat->stream) {
        co_await AnswerStream(exchange, tools, *chat, caller);
    } else {
        co_await AnswerWhole(exchange, tools, *chat, caller);
    }
}

}  // namespace

void AddChatRoutes(http::Router& router, const std::shared_ptr<LoopServices>& services,
                   const pipeline::Settings& settings, const http::ErrorWriter& errors,
                   const Clock& clock) {
    http::RoutePolicy policy;
    policy.rate_limited = true;
    policy.scope = security::Scope::kPrompts;
    policy.protocol = http::Protocol::kOpenAi;
    const std::shared_ptr<ChatTools> tools(new ChatTools{services, settings, errors, clock});
    router.AddStream(
        http::Method::kPost, "/v1/chat/completions",
        [tools](http::Exchange& exchange) { return AnswerChat(exchange, *tools); }, policy);
}

}  // namespace aim::business_api
