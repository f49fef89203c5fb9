#include "plugins/common/openai_embeddings.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "plugins/common/embedding_vectors.hpp"
#include "plugins/common/json_writer.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::openai {
namespace {

using sdk::ErrorKind;
using sdk::JsonValue;
using sdk::Step;

class OpenAiEmbeddingsSession final : public native::SingleExchange {
  public:
    OpenAiEmbeddingsSession(const Dialect& dialect, std::string url, std::string body,
                            std::uint32_t input_count, std::int64_t dimensions)
        : native::SingleExchange(false),
          dialect_(dialect),
          url_(std::move(url)),
          body_(std::move(body)),
          vectors_(input_count, dimensions) {}

  private:
    void Describe(sdk::HttpRequest& request) override {
        request.Url(url_).Body(body_);
        AddHeaders(request, dialect_);
        std::string().swap(body_);
    }
    Step ReadWhole(const sdk::Call& call, std::string_view body) override {
        sdk::JsonDocument document;
        if (!document.Parse(body) || !document.Root().IsObject()) {
            return native::FailProtocol(call, "the provider's answer is no readable JSON",
                                        "invalid_json");
        }
        const JsonValue root = document.Root();
        if (!root["data"].IsArray() && HasError(root)) {
            return call.Fail(ReadErrorObject(root, dialect_.errors, call.NowUnixMs()).AsFailure());
        }
        std::int64_t position = 0;
        for (const JsonValue item : root["data"]) {
            const std::int64_t index = item["index"].Integer().value_or(position);
            if (!vectors_.Take(call, static_cast<std::uint64_t>(index), item["embedding"])) {
                return Step::kFailed;
            }
            ++position;
        }
        if (const JsonValue usage = root["usage"]; usage.IsObject()) {
            sdk::Usage counts;
            counts.prompt_tokens = usage["prompt_tokens"].Integer().value_or(-1);
            counts.total_tokens = usage["total_tokens"].Integer().value_or(-1);
            counts.json = usage.Raw();
            call.out.Usage(counts);
        }
        return vectors_.Conclude(call);
    }
    Step ReadEvent(const sdk::Call& call, std::string_view, std::string_view) override {
        return native::FailUnfinished(call);
    }
    Step ReadStreamEnd(const sdk::Call& call) override { return native::FailUnfinished(call); }
    Step ReadError(const sdk::Call& call, int status, std::string_view body,
                   const RateLimitHints& hints, bool) override {
        return call.Fail(
            ReadErrorAnswer(status, body, hints, dialect_.errors, call.NowUnixMs()).AsFailure());
    }

    const Dialect& dialect_;
    std::string url_;
    std::string body_;
    native::EmbeddingVectors vectors_;
};

// False after call.Fail().
bool WriteBody(const sdk::Call& call, const sdk::EmbeddingsRequest& request,
               const EmbeddingsPolicy& policy, const RowSettings& row, std::string& body) {
    sdk::JsonDocument document;
    if (!document.Parse(request.Json()) || !document.Root().IsObject()) {
        call.Fail({ErrorKind::kInvalidRequest, "the request is not a JSON object", {}, {}});
        return false;
    }
    if (request.HasTokens() && !policy.token_ids) {
        call.Fail({ErrorKind::kUnsupported, "this provider takes texts, no token ids",
                   "unsupported", "input"});
        return false;
    }
    if (request.Dimensions() && policy.dimensions.empty()) {
        call.Fail({ErrorKind::kUnsupported, "this provider's models have one number of dimensions",
                   "unsupported", "dimensions"});
        return false;
    }
    const JsonValue root = document.Root();
    native::JsonWriter writer(body);
    writer.BeginObject();
    for (const JsonValue member : root) {
        const std::string_view name = member.Key();
        const bool wanted = name == "model" || name == "input" || name == "dimensions" ||
                            (!policy.known_fields_only &&
                             std::find(row.omit.begin(), row.omit.end(), name) == row.omit.end());
        if (!wanted || member.IsNull()) {
            continue;
        }
        if (name == "dimensions") {
            writer.Key(policy.dimensions).Raw(member.Raw());
        } else {
            writer.Raw(member.RawMember());
        }
    }
    if (policy.base64) {
        writer.Key("encoding_format").Text("base64");
    }
    sdk::JsonDocument extra;
    if (!row.extra_body.empty() && extra.Parse(row.extra_body)) {
        for (const JsonValue member : extra.Root()) {
            const bool reserved = member.Key() == "encoding_format" || root[member.Key()];
            if (!reserved) {
                writer.Raw(member.RawMember());
            }
        }
    }
    writer.EndObject();
    return true;
}

}  // namespace

std::unique_ptr<sdk::Session> StartEmbeddings(const sdk::Call& call,
                                              const sdk::EmbeddingsRequest& request,
                                              const Dialect& dialect, const RowSettings& row) {
    std::string body;
    if (!WriteBody(call, request, dialect.embeddings, row, body)) {
        return nullptr;
    }
    constexpr std::string_view kChat = "/chat/completions";
    std::string base(request.Endpoint());
    if (const std::size_t at = base.find(kChat); at != base.npos) {  // a row with a full path
        base.erase(at, kChat.size());
    }
    return std::make_unique<OpenAiEmbeddingsSession>(dialect, OperationUrl(base, "/embeddings"),
                                                     std::move(body), request.InputCount(),
                                                     request.Dimensions().value_or(-1));
}

}  // namespace aim::openai
