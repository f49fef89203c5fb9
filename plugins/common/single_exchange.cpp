#include "plugins/common/single_exchange.hpp"

namespace aim::native {

using sdk::ErrorKind;
using sdk::Step;

Step FailEnding(const sdk::Call& call, sdk::Ending ending) {
    switch (ending) {
        case sdk::Ending::kTruncated:
            return call.Fail({ErrorKind::kUpstreamFailure,
                              "the provider's answer was cut short",
                              "truncated",
                              {}});
        case sdk::Ending::kNotConnected:
            return call.Fail(
                {ErrorKind::kUpstreamFailure, "the provider sent no answer", "no_answer", {}});
        case sdk::Ending::kTooLarge:
            return call.Fail(
                {ErrorKind::kProtocolError, "the provider's answer is too large", "too_large", {}});
        case sdk::Ending::kComplete:
        case sdk::Ending::kMalformed:
            break;
    }
    return call.Fail(
        {ErrorKind::kProtocolError, "the provider's answer is malformed", "malformed", {}});
}

Step FailUnfinished(const sdk::Call& call) {
    return call.Fail({ErrorKind::kUpstreamFailure,
                      "the provider's answer ended without a finish reason",
                      "truncated",
                      {},
                      200});
}

Step FailProtocol(const sdk::Call& call, std::string_view message, std::string_view code) {
    return call.Fail({ErrorKind::kProtocolError, message, code, {}, 200});
}

bool IsJsonType(std::string_view content_type) {
    return content_type.find("json") != content_type.npos;
}

bool SingleExchange::Next(const sdk::Call&, sdk::HttpRequest& request) {
    request.Method("POST")
        .Header("content-type", "application/json")
        .Header("accept", stream_ ? "text/event-stream" : "application/json")
        .Frame(stream_ ? sdk::Framing::kServerSentEvents : sdk::Framing::kWhole);
    Describe(request);
    return true;
}

Step SingleExchange::Head(const sdk::Call& call, const sdk::HttpHead& head) {
    status_ = head.Status();
    hints_ = {};
    body_.clear();
    if (!head.Ok()) {
        hints_ = openai::ReadRateLimitHeaders(head, call.NowUnixMs());
    }
    // A stream was asked for and a document came: an error, or a model that cannot stream.
    whole_ = !stream_ || IsJsonType(head.Find("content-type").value_or(""));
    return Step::kContinue;
}

Step SingleExchange::Data(const sdk::Call& call, const sdk::HttpData& data) {
    if (IsError() || whole_) {
        // Understood at the end: only a complete body is an answer.
        body_ += data.Bytes();
        return Step::kContinue;
    }
    return ReadEvent(call, data.Event(), data.Bytes());
}

Step SingleExchange::End(const sdk::Call& call, sdk::Ending ending) {
    if (IsError()) {  // what came of the body is good enough to tell the kind
        return ReadError(call, status_, body_, hints_, ending == sdk::Ending::kComplete);
    }
    if (ending != sdk::Ending::kComplete) {
        return FailEnding(call, ending);
    }
    return whole_ ? ReadWhole(call, body_) : ReadStreamEnd(call);
}

}  // namespace aim::native
