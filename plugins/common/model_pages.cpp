#include "plugins/common/model_pages.hpp"

#include "plugins/common/single_exchange.hpp"

namespace aim::native {
namespace {

using sdk::ErrorKind;
using sdk::JsonValue;
using sdk::Step;

constexpr int kMaxPages = 100;

}  // namespace

bool ModelPages::Next(const sdk::Call&, sdk::HttpRequest& request) {
    request.Method("GET")
        .Url(PageUrl(token_))
        .Header("accept", "application/json")
        .Frame(sdk::Framing::kWhole);
    for (const auto& [name, value] : headers_) {
        request.Header(name, value);
    }
    body_.clear();
    ++pages_;
    return true;
}

Step ModelPages::Head(const sdk::Call& call, const sdk::HttpHead& head) {
    status_ = head.Status();
    ok_ = head.Ok();
    if (!ok_) {
        hints_ = openai::ReadRateLimitHeaders(head, call.NowUnixMs());
    }
    return Step::kContinue;
}

Step ModelPages::Data(const sdk::Call&, const sdk::HttpData& data) {
    body_ += data.Bytes();
    return Step::kContinue;
}

Step ModelPages::End(const sdk::Call& call, sdk::Ending ending) {
    if (!ok_) {
        return call.Fail(ReadError(call, status_, body_, hints_).AsFailure());
    }
    if (ending != sdk::Ending::kComplete) {
        return FailEnding(call, ending);
    }
    sdk::JsonDocument document;
    if (!document.Parse(body_)) {
        return FailProtocol(call, "the list of models is no readable JSON", "invalid_json");
    }
    const JsonValue list = List(document.Root());
    if (!list.IsArray()) {
        return FailProtocol(call, "the answer holds no list of models", "no_models");
    }
    for (const JsonValue item : list) {
        sdk::ModelInfo model;
        if (!Describe(item, model) || model.id.empty()) {
            continue;
        }
        if (!sdk::EmitModel(call.out, model)) {
            return call.Fail({ErrorKind::kUnsupported, "the host takes no list of models", {}, {}});
        }
    }
    std::string next = NextToken(document.Root());
    // A provider that repeats a page must not keep us for ever.
    if (next.empty() || next == token_ || pages_ >= kMaxPages) {
        return Step::kDone;
    }
    token_ = std::move(next);
    return Step::kNextRequest;
}

}  // namespace aim::native
