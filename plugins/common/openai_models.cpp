#include "plugins/common/openai_models.hpp"

#include <string>
#include <utility>

namespace aim::openai {
namespace {

using sdk::ErrorKind;
using sdk::JsonValue;
using sdk::Step;

class OpenAiModelsSession final : public sdk::Session {
  public:
    OpenAiModelsSession(std::string url, const Dialect& dialect)
        : url_(std::move(url)), dialect_(dialect) {}

    bool Next(const sdk::Call&, sdk::HttpRequest& request) override {
        request.Method("GET")
            .Url(url_)
            .Header("accept", "application/json")
            .Header("authorization", dialect_.authorization)
            .Frame(sdk::Framing::kWhole);
        return true;
    }
    Step Head(const sdk::Call& call, const sdk::HttpHead& head) override {
        status_ = head.Status();
        ok_ = head.Ok();
        if (!ok_) {
            hints_ = ReadRateLimitHeaders(head, call.NowUnixMs());
        }
        return Step::kContinue;
    }
    Step Data(const sdk::Call&, const sdk::HttpData& data) override {
        body_ += data.Bytes();
        return Step::kContinue;
    }
    Step End(const sdk::Call& call, sdk::Ending ending) override {
        if (!ok_) {
            return call.Fail(ReadErrorAnswer(status_, body_, hints_, dialect_.errors).AsFailure());
        }
        if (ending == sdk::Ending::kTruncated) {
            return call.Fail(
                {ErrorKind::kUpstreamFailure, "the list of models was cut short", "truncated", {}});
        }
        sdk::JsonDocument document;
        if (ending != sdk::Ending::kComplete || !document.Parse(body_)) {
            return call.Fail({ErrorKind::kProtocolError,
                              "the list of models is no readable JSON",
                              "invalid_json",
                              {}});
        }
        const JsonValue root = document.Root();
        // Some providers send the bare array.
        const JsonValue list = root.IsArray() ? root : root["data"];
        if (!list.IsArray()) {
            return call.Fail(
                {ErrorKind::kProtocolError, "the list of models has no `data`", "no_data", {}});
        }
        return Emit(call, list);
    }

  private:
    static Step Emit(const sdk::Call& call, JsonValue list) {
        for (const JsonValue item : list) {
            sdk::ModelInfo model;
            model.id = item["id"].Text();
            if (model.id.empty() || item["active"].Type() == sdk::JsonType::kFalse) {
                continue;
            }
            for (const std::string_view name :
                 {"context_window", "context_length", "max_context_length", "max_model_len"}) {
                if (model.context_window < 0) {
                    model.context_window = item[name].Integer().value_or(-1);
                }
            }
            model.max_output_tokens = item["max_completion_tokens"].Integer().value_or(-1);
            if (!sdk::EmitModel(call.out, model)) {
                return call.Fail(
                    {ErrorKind::kUnsupported, "the host takes no list of models", {}, {}});
            }
        }
        return Step::kDone;
    }

    std::string url_;
    const Dialect& dialect_;
    int status_ = 0;
    bool ok_ = false;
    RateLimitHints hints_;
    std::string body_;
};

}  // namespace

std::unique_ptr<sdk::Session> StartModels(std::string_view endpoint, const Dialect& dialect) {
    constexpr std::string_view kChat = "/chat/completions";
    std::string base(endpoint);
    if (const std::size_t at = base.find(kChat); at != base.npos) {  // a row with a full path
        base.erase(at, kChat.size());
    }
    return std::make_unique<OpenAiModelsSession>(OperationUrl(base, "/models"), dialect);
}

}  // namespace aim::openai
