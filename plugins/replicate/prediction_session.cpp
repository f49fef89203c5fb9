#include "plugins/replicate/prediction_session.hpp"

#include <algorithm>
#include <array>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/json_writer.hpp"
#include "plugins/common/single_exchange.hpp"

namespace aim::replicate {
namespace {

using openai::ErrorRule;
using openai::UpstreamError;
using sdk::ErrorKind;
using sdk::FinishReason;
using sdk::JsonValue;
using sdk::Step;

constexpr std::uint64_t kLongestPauseMs = 2000;
constexpr std::int64_t kLongestBackoffMs = 30'000;
constexpr int kMaxFailedPolls = 4;
constexpr int kMaxUnfinishedCounts = 4;

constexpr std::array<ErrorRule, 6> kRuleList = {{
    {0, "flagged as sensitive", ErrorKind::kContentFiltered},
    {0, "nsfw", ErrorKind::kContentFiltered},
    {0, "(e005)", ErrorKind::kContentFiltered},
    {0, "queue is full", ErrorKind::kOverloaded},
    {422, "invalid version", ErrorKind::kModelNotFound},
    {422, "version does not exist", ErrorKind::kModelNotFound},
}};
constexpr openai::ErrorRules kRules = {kRuleList.data(), kRuleList.size()};

// "E1001: out of memory" has its code in front.
std::string_view LeadingCode(std::string_view text) {
    std::size_t size = 1;
    while (size < text.size() && text[size] >= '0' && text[size] <= '9') {
        ++size;
    }
    const bool is_code = size > 3 && !text.empty() && text.front() == 'E';
    return is_code ? text.substr(0, size) : std::string_view();
}

bool IsRunning(std::string_view status) {
    return status == "starting" || status == "processing" || status == "queued";
}

}  // namespace

UpstreamError ReadFailure(JsonValue prediction) {
    UpstreamError error = openai::ReadErrorObject(prediction, kRules);
    if (const std::string_view code = LeadingCode(error.message); !code.empty()) {
        error.code = code;
    }
    return error;
}

UpstreamError ReadErrorAnswer(int status, std::string_view body,
                              const openai::RateLimitHints& hints) {
    UpstreamError error = openai::ReadErrorAnswer(status, body, hints, kRules);
    if (error.code == "about:blank") {  // a problem of no type in particular
        error.code.clear();
    }
    return error;
}

bool PredictionSession::Next(const sdk::Call&, sdk::HttpRequest& request) {
    request.Header("authorization", kAuthorization);
    switch (stage_) {
        case Stage::kCreate:
            request.Method("POST").Url(plan_.creation.url);
            request.Header("content-type", "application/json").Header("accept", "application/json");
            if (!plan_.stream && plan_.wait_seconds > 0) {
                request.Header("prefer", "wait=" + std::to_string(plan_.wait_seconds));
            }
            // Nobody can cancel once the caller has left: what is not fetched ends by itself.
            request.Header("cancel-after", std::to_string(plan_.cancel_after_seconds) + "s");
            request.Body(plan_.body);
            std::string().swap(plan_.body);
            break;
        case Stage::kStream:
            request.Method("GET").Url(stream_url_);
            request.Header("accept", "text/event-stream").Header("cache-control", "no-store");
            request.Frame(sdk::Framing::kServerSentEvents);
            break;
        case Stage::kPoll:
        case Stage::kCounts:
            request.Method("GET").Url(get_url_).Header("accept", "application/json");
            break;
    }
    answer_.clear();
    return true;
}

Step PredictionSession::Head(const sdk::Call& call, const sdk::HttpHead& head) {
    status_ = head.Status();
    hints_ =
        head.Ok() ? openai::RateLimitHints() : openai::ReadRateLimitHeaders(head, call.NowUnixMs());
    whole_ = stage_ != Stage::kStream || !head.Ok() ||
             native::IsJsonType(head.Find("content-type").value_or(""));
    return Step::kContinue;
}

Step PredictionSession::Data(const sdk::Call& call, const sdk::HttpData& data) {
    if (whole_) {
        answer_ += data.Bytes();
        return Step::kContinue;
    }
    return ReadStreamEvent(call, data.Event(), data.Bytes());
}

Step PredictionSession::End(const sdk::Call& call, sdk::Ending ending) {
    const bool ok = status_ >= 200 && status_ < 300;
    if (ending != sdk::Ending::kComplete && (stage_ == Stage::kPoll || stage_ == Stage::kCounts) &&
        ++failed_polls_ < kMaxFailedPolls) {
        return call.WaitFor(pause_ms_);  // the prediction goes on while a question about it is lost
    }
    if (ending == sdk::Ending::kNotConnected) {
        return stage_ == Stage::kStream ? Poll(call) : native::FailEnding(call, ending);
    }
    if (ending != sdk::Ending::kComplete) {
        return ok ? native::FailEnding(call, ending)
                  : call.Fail(ReadErrorAnswer(status_, answer_, hints_).AsFailure());
    }
    if (!ok) {
        return ReadError(call);
    }
    return whole_ ? ReadPrediction(call) : native::FailUnfinished(call);
}

Step PredictionSession::Wake(const sdk::Call&) { return Step::kNextRequest; }

// The prediction goes on while a question about it fails.
Step PredictionSession::ReadError(const sdk::Call& call) {
    UpstreamError error = ReadErrorAnswer(status_, answer_, hints_);
    if (stage_ == Stage::kPoll && error.kind == ErrorKind::kModelNotFound) {
        error.kind = ErrorKind::kUpstreamFailure;  // it is the prediction that is gone
    }
    if (stage_ == Stage::kCounts) {
        return Finish(call, -1);  // the answer is there, only its counts are not
    }
    if (stage_ == Stage::kStream) {  // nothing was read yet: the prediction tells it as well
        return Poll(call);
    }
    const bool passing = status_ == 429 || status_ >= 500;
    if (stage_ == Stage::kCreate || !passing || ++failed_polls_ >= kMaxFailedPolls) {
        return call.Fail(error.AsFailure());
    }
    stage_ = Stage::kPoll;
    const std::int64_t hint = error.retry_after_ms >= 0 ? error.retry_after_ms : 1000;
    return call.WaitFor(static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(hint, static_cast<std::int64_t>(pause_ms_), kLongestBackoffMs)));
}

Step PredictionSession::ReadPrediction(const sdk::Call& call) {
    sdk::JsonDocument document;
    if (!document.Parse(answer_) || !document.Root().IsObject()) {
        return native::FailProtocol(call, "the provider's answer is no readable JSON",
                                    "invalid_json");
    }
    const JsonValue root = document.Root();
    const std::string_view status = root["status"].Text();
    failed_polls_ = 0;
    Remember(root);
    if (status == "succeeded") {
        if (stage_ != Stage::kCounts) {
            EmitOutput(call.out, root["output"], true);
        }
        return Finish(call, EmitUsage(call.out, root["metrics"]));
    }
    if (status == "canceled" || status == "aborted") {
        return call.Fail({ErrorKind::kUpstreamFailure,
                          "the prediction was cancelled at the provider",
                          status,
                          {},
                          200});
    }
    if (!IsRunning(status)) {  // failed, or an error inside a 200
        if (status.empty() && !openai::HasError(root)) {
            return native::FailProtocol(call, "the provider's answer is no prediction",
                                        "no_prediction");
        }
        return call.Fail(ReadFailure(root).AsFailure());
    }
    if (stage_ == Stage::kCounts) {  // the stream is a little ahead
        if (++unfinished_counts_ >= kMaxUnfinishedCounts) {
            return Finish(call, -1);
        }
        return call.WaitFor(pause_ms_);
    }
    if (stage_ == Stage::kCreate && plan_.stream && !stream_url_.empty()) {
        stage_ = Stage::kStream;
        return Step::kNextRequest;
    }
    if (plan_.stream) {  // a model without a stream: what is there so far
        EmitOutput(call.out, root["output"], false);
    }
    return Poll(call);
}

Step PredictionSession::Poll(const sdk::Call& call) {
    if (get_url_.empty()) {
        return native::FailProtocol(call, "the prediction has no id", "no_prediction");
    }
    stage_ = Stage::kPoll;
    const std::uint64_t pause = pause_ms_;
    pause_ms_ = std::min(kLongestPauseMs, pause_ms_ * 3 / 2);
    return call.WaitFor(pause);
}

Step PredictionSession::ReadStreamEvent(const sdk::Call& call, std::string_view name,
                                        std::string_view data) {
    if (name == "output") {
        call.out.Text(0, data);
        return Step::kContinue;
    }
    if (name == "error") {
        sdk::JsonDocument document;
        if (document.Parse(data) && document.Root().IsObject()) {
            return call.Fail(ReadFailure(document.Root()).AsFailure());
        }
        std::string wrapped;
        native::JsonWriter(wrapped).BeginObject().Key("error").Text(data).EndObject();
        const bool readable = document.Parse(wrapped);
        return call.Fail(ReadFailure(readable ? document.Root() : JsonValue()).AsFailure());
    }
    if (name == "done") {
        sdk::JsonDocument document;
        const bool readable = document.Parse(data);
        if (readable && document.Root()["reason"].Text() == "canceled") {
            return call.Fail({ErrorKind::kUpstreamFailure,
                              "the prediction was cancelled at the provider",
                              "canceled",
                              {},
                              200});
        }
        // The counts, or what went wrong, stand in the prediction only.
        if (get_url_.empty()) {
            return Finish(call, -1);
        }
        stage_ = Stage::kCounts;
        return Step::kNextRequest;
    }
    return Step::kContinue;  // logs, and what comes later
}

void PredictionSession::Remember(JsonValue prediction) {
    const std::string_view get = prediction["urls"]["get"].Text();
    const std::string_view stream = prediction["urls"]["stream"].Text();
    const std::string_view id = prediction["id"].Text();
    if (IsOurs(get, plan_.endpoint)) {
        get_url_ = get;
    } else if (!id.empty()) {
        get_url_ = PredictionUrl(plan_.endpoint, id);
    }
    if (IsOurs(stream, plan_.endpoint)) {
        stream_url_ = stream;
    }
}

// A text, a list of texts that grows, or something that is no text at all.
void PredictionSession::EmitOutput(const sdk::Emitter& out, JsonValue output, bool complete) {
    if (output.IsArray()) {
        std::size_t index = 0;
        for (const JsonValue item : output) {
            if (index++ >= emitted_items_) {
                out.Text(0, item.IsString() ? item.Text() : item.Raw());
                ++emitted_items_;
            }
        }
    } else if (complete && !output.IsNull()) {
        out.Text(0, output.IsString() ? output.Text() : output.Raw());
    }
}

std::int64_t PredictionSession::EmitUsage(const sdk::Emitter& out, JsonValue metrics) const {
    if (!metrics.IsObject() || metrics.Empty()) {
        return -1;
    }
    sdk::Usage counts;
    counts.prompt_tokens = native::CountAt(metrics, "input_token_count");
    counts.completion_tokens = native::CountAt(metrics, "output_token_count");
    counts.total_tokens = native::CountAt(metrics, "total_token_count");
    counts.json = metrics.Raw();
    out.Usage(counts);
    return counts.completion_tokens;
}

// No model says that it was cut: one that reached the limit was.
Step PredictionSession::Finish(const sdk::Call& call, std::int64_t output_tokens) const {
    const bool at_limit = plan_.max_tokens >= 0 && output_tokens >= plan_.max_tokens;
    call.out.Finish(0, at_limit ? FinishReason::kLength : FinishReason::kStop);
    return Step::kDone;
}

}  // namespace aim::replicate
