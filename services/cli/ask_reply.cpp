#include "services/cli/ask_reply.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/json/writer.hpp"
#include "services/cli/console/output.hpp"

namespace aim::cli {
namespace {

std::string Number(std::chrono::milliseconds took) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(took.count()) / 1000);
    return text;
}

}  // namespace

void ReadHead(const RemoteAnswer& answer, Reply& reply) {
    reply.model = answer.headers.Find("X-AIManager-Model");
    reply.provider = answer.headers.Find("X-AIManager-Provider");
    reply.score = answer.headers.Find("X-AIManager-Score");
    reply.attempts = answer.headers.Find("X-AIManager-Attempts");
    reply.request_id = answer.headers.Find("X-Request-Id");
}

void ReadUsage(json::Value usage, Reply& reply) {
    if (!usage.IsObject()) return;
    reply.prompt_tokens = usage.Get("prompt_tokens").AsInt64();
    reply.completion_tokens = usage.Get("completion_tokens").AsInt64();
}

std::string SummaryOf(const Reply& reply) {
    std::string line = reply.model.empty() ? "unknown model" : reply.model;
    if (!reply.provider.empty()) line += " (" + reply.provider + ")";
    line += ", " + Number(reply.took);
    if (!reply.score.empty()) line += ", score " + reply.score;
    if (reply.prompt_tokens && reply.completion_tokens) {
        line += ", " + std::to_string(*reply.prompt_tokens) + " + " +
                std::to_string(*reply.completion_tokens) + " tokens";
    }
    if (!reply.finish_reason.empty() && reply.finish_reason != "stop")
        line += ", ended by " + reply.finish_reason;
    return line;
}

std::string ToJson(const Reply& reply) {
    std::string text;
    json::Writer out(text);
    out.BeginObject()
        .Field("response", reply.text)
        .Field("model", reply.model)
        .Field("provider", reply.provider)
        .Field("reliability_score",
               reply.score.empty() ? std::nullopt : std::optional(std::atof(reply.score.c_str())))
        .Field("processing_time_ms", static_cast<std::int64_t>(reply.took.count()))
        .Field("attempts", reply.attempts.empty()
                               ? std::nullopt
                               : std::optional(std::atoi(reply.attempts.c_str())))
        .Field("finish_reason", reply.finish_reason)
        .Field("request_id", reply.request_id);
    out.Key("usage")
        .BeginObject()
        .Field("prompt_tokens", reply.prompt_tokens)
        .Field("completion_tokens", reply.completion_tokens)
        .EndObject();
    out.EndObject();
    return text + "\n";
}

Error BrokenAnswer(std::string message, std::string_view code) {
    Error error;
    error.kind = ErrorKind::kUpstreamFailure;
    error.upstream_status = 200;
    error.message = std::move(message);
    error.code = code;
    return error;
}

bool StreamPrinter::Feed(std::string_view bytes) {
    parser_.Push(bytes);
    while (const auto event = parser_.Next()) {
        if (event->data == "[DONE]") {
            done_ = true;
            return true;  // the end of the body keeps the connection in order
        }
        if (!OnEvent(event->data)) return false;
    }
    if (parser_.failed()) error_ = BrokenAnswer(parser_.problem(), "bad_response");
    return !parser_.failed();
}

bool StreamPrinter::OnEvent(std::string_view data) {
    const auto document = json::Parse(data);
    if (!document) {
        error_ = BrokenAnswer("the stream has an event that is not JSON", "bad_response");
        return false;
    }
    const json::Value root = document->root();
    if (const json::Value problem = root.Get("error"); problem.IsObject()) {
        error_ = BrokenAnswer("the answer broke off: " +
                                  std::string(problem.Get("message").StringOr("no reason given")),
                              problem.Get("code").StringOr(""));
        return false;
    }
    ReadUsage(root.Get("usage"), reply_);
    const json::Value choice = root.Get("choices").At(0);
    if (const auto reason = choice.Get("finish_reason").AsString()) reply_.finish_reason = *reason;
    const auto text = choice.Get("delta").Get("content").AsString();
    if (!text || text->empty()) return true;
    line_open_ = text->back() != '\n';
    closed_output_ = !Print(harmless_ ? Harmless(*text) : std::string(*text));
    return !closed_output_;
}

}  // namespace aim::cli
