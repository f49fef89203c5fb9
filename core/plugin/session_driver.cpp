#include "core/plugin/session_driver.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>

#include "core/plugin/abi_text.hpp"
#include "core/plugin/request_builder.hpp"
#include "core/plugin/request_view.hpp"

namespace aim::plugin {
namespace {

constexpr int kMaxRoundTrips = 4096;
constexpr int kMaxWaits = 100'000;
// An error page is read to this point; what is beyond it decides nothing.
constexpr std::size_t kMaxErrorBodyBytes = 256 * 1024;

// aim_http_head over a HeaderMap, with the names in lower case: made when the plugin goes through
// them, which few do.
class HeadView {
  public:
    HeadView(int status, const http::HeaderMap& headers) : headers_(headers) {
        head_.struct_size = sizeof head_;
        head_.status = static_cast<uint32_t>(status);
        head_.header_count = static_cast<uint32_t>(headers.size());
        head_.header = &OnHeader;
        head_.find = &OnFind;
        head_.impl = this;
    }
    const aim_http_head* get() const { return &head_; }

  private:
    static int32_t OnHeader(const aim_http_head* head, uint32_t i, aim_str* name, aim_str* value) {
        const auto& self = *static_cast<const HeadView*>(head->impl);
        if (i >= self.headers_.size() || name == nullptr || value == nullptr) return AIM_FAILED;
        *name = Str(self.NameAt(i));
        *value = Str(self.headers_[i].value);
        return AIM_OK;
    }
    static int32_t OnFind(const aim_http_head* head, aim_str name, aim_str* value) {
        const auto& self = *static_cast<const HeadView*>(head->impl);
        const std::string_view found = self.headers_.Find(View(name));
        if (found.data() == nullptr || value == nullptr) return AIM_FAILED;
        *value = Str(found);
        return AIM_OK;
    }

    std::string_view NameAt(std::size_t i) const {
        if (names_.empty()) names_.resize(headers_.size());
        std::string& name = names_[i];
        if (name.empty()) {
            name = headers_[i].name;
            for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
        }
        return name;
    }

    const http::HeaderMap& headers_;
    mutable std::vector<std::string> names_;  // empty until it is asked for
    aim_http_head head_{};
};

bool IsJson(std::string_view content_type) {
    return http::EqualsIgnoreCase(
        content_type.substr(0, std::string_view("application/json").size()), "application/json");
}

// The way to the provider failed, and not what was to be sent.
bool IsLostConnection(const Error& error) {
    return error.kind == ErrorKind::kUpstreamFailure || error.kind == ErrorKind::kUpstreamTimeout;
}

int32_t EndReason(const Error& error) {
    if (error.code == "too_large") return AIM_END_TOO_LARGE;
    if (error.kind == ErrorKind::kProtocolError) return AIM_END_MALFORMED;
    return AIM_END_TRUNCATED;
}

}  // namespace

ProviderSession::ProviderSession(const Bounds& bounds, std::shared_ptr<const void> provider,
                                 const aim_session_functions& functions,
                                 http::client::HttpClient& client, const Clock& clock,
                                 std::uint64_t seed, Cancellation& cancellation)
    : bounds_(bounds),
      provider_(std::move(provider)),
      functions_(functions),
      client_(client),
      clock_(clock),
      seed_(seed),
      cancellation_(cancellation),
      sink_(seed, bounds_.conduct) {
    if (bounds_.conduct != nullptr) bounds_.conduct->SessionBegins();
}

ProviderSession::~ProviderSession() {
    Conduct* const conduct = bounds_.conduct;
    if (session_ != nullptr) {
        CallTimer timer(conduct, clock_, 0);
        try {
            functions_.end(session_);
        } catch (...) {
            plugin_fault_ = true;
            if (conduct != nullptr)
                conduct->Count(Misbehaviour::kException, "the plugin threw out of end");
        }
        EndCall(timer);
    }
    if (conduct == nullptr) return;
    if (plugin_fault_ || sink_.misbehaviour() > 0) conduct->Strike(clock_.Now());
    conduct->SessionEnds(calls_, call_time_, longest_call_);
}

// Every call into the plugin goes through here: the sink is open exactly as long, nothing that is
// thrown comes out, and the time is taken.
template <typename Call>
int32_t ProviderSession::CallPlugin(completion::DeltaBatch* batch, Call&& call,
                                    std::size_t input_bytes) {
    aim_call context{};
    context.struct_size = sizeof context;
    context.now_unix_ms =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                       clock_.RoughWallNow().time_since_epoch())
                                       .count());
    context.sink = sink_.Open(batch, input_bytes);
    int32_t result = AIM_STEP_FAILED;
    bool threw = false;
    CallTimer timer(bounds_.conduct, clock_, input_bytes);
    try {
        result = call(&context);
    } catch (...) {
        threw = true;
    }
    sink_.Close();
    EndCall(timer);
    if (threw) {
        FailPlugin(Misbehaviour::kException, "the plugin threw an exception");
        return AIM_STEP_FAILED;
    }
    if (sink_.overflowed()) {
        FailPlugin(Misbehaviour::kOutputFlood,
                   "the plugin put out more than a call or a session may");
        return AIM_STEP_FAILED;
    }
    if (sink_.misbehaviour() > 0) plugin_fault_ = true;
    return result;
}

Error ProviderSession::Truncated(std::string message) {
    Error error;
    error.kind = ErrorKind::kUpstreamFailure;
    error.code = "truncated";
    error.message = std::move(message);
    return error;
}

void ProviderSession::FailWith(Error error) {
    if (state_ == State::kFailed) return;
    error_ = std::move(error);
    state_ = State::kFailed;
    exchange_.reset();
}

// An answer that came too late is an answer: it is used, and the plugin gets its strike.
void ProviderSession::EndCall(CallTimer& timer) {
    if (timer.Judge() == CallVerdict::kBreach) plugin_fault_ = true;
    ++calls_;
    call_time_ += timer.took();
    longest_call_ = std::max(longest_call_, timer.took());
}

void ProviderSession::FailPlugin(Misbehaviour kind, std::string message) {
    plugin_fault_ = true;
    if (bounds_.conduct != nullptr) bounds_.conduct->Count(kind, message);
    Error error;
    error.kind = ErrorKind::kInternal;
    error.code = "plugin_fault";
    error.message = std::move(message);
    FailWith(std::move(error));
}

void ProviderSession::Follow(int32_t step) {
    if (state_ == State::kFailed) return;
    switch (step) {
        case AIM_STEP_CONTINUE:
            return;
        case AIM_STEP_NEXT_REQUEST:
            LeaveExchange();
            if (++round_trips_ > kMaxRoundTrips)
                return FailPlugin(Misbehaviour::kIllegalStep,
                                  "the plugin asked for more than 4096 requests");
            state_ = State::kRequest;
            return;
        case AIM_STEP_WAIT:
            LeaveExchange();
            if (++waits_ > kMaxWaits)
                return FailPlugin(Misbehaviour::kIllegalStep,
                                  "the plugin asked for more than 100000 waits");
            state_ = State::kWaiting;
            return;
        case AIM_STEP_DONE:
            LeaveExchange();
            if (auto missing = WhatIsMissing()) return FailWith(std::move(*missing));
            state_ = State::kDone;
            return;
        case AIM_STEP_FAILED:
            if (sink_.has_error()) return FailWith(sink_.error());
            return FailPlugin(Misbehaviour::kIllegalStep, "the plugin failed without saying why");
        default:
            return FailPlugin(Misbehaviour::kIllegalStep,
                              "the plugin returned an unknown step " + std::to_string(step));
    }
}

void ProviderSession::LeaveExchange() {
    if (exchange_ == nullptr) return;
    // What has arrived already is taken, so that the connection can go back to its pool; what has
    // not is not waited for.
    exchange_->Drain();
    exchange_.reset();
}

Task<ProviderSession::Status> ProviderSession::Next(completion::DeltaBatch& batch) {
    const std::size_t before = batch.size();
    const bool had_usage = batch.has_usage();
    while (state_ != State::kDone && state_ != State::kFailed) {
        if (cancellation_.IsCancelled()) {
            Error error;
            error.kind = ErrorKind::kCancelled;
            error.message = "cancelled";
            FailWith(std::move(error));
            break;
        }
        switch (state_) {
            case State::kBegin:
                Begin(batch);
                break;
            case State::kRequest:
                co_await SendRequest(batch);
                break;
            case State::kReading: {
                const auto bytes = co_await exchange_->Read();
                OnRead(bytes, batch);
                break;
            }
            case State::kWaiting:
                co_await Wait(batch);
                break;
            case State::kDone:
            case State::kFailed:
                break;
        }
        if (state_ != State::kDone && state_ != State::kFailed &&
            (batch.size() != before || batch.has_usage() != had_usage)) {
            co_return Status::kMore;
        }
    }
    co_return state_ == State::kDone ? Status::kDone : Status::kFailed;
}

void ProviderSession::Begin(completion::DeltaBatch& batch) {
    if (bounds_.conduct != nullptr && bounds_.conduct->quarantined()) {
        Error error;
        error.kind = ErrorKind::kInternal;
        error.code = "plugin_quarantined";
        error.message = "the plugin is in quarantine";
        return FailWith(std::move(error));
    }
    const int32_t step = CallPlugin(
        &batch, [&](const aim_call* call) { return CallBegin(call, seed_, &session_); },
        request_bytes_);
    if (step == AIM_STEP_CONTINUE)
        return FailPlugin(Misbehaviour::kIllegalStep,
                          "begin returned CONTINUE, which has no answer to go on with");
    if (step != AIM_STEP_FAILED && session_ == nullptr)
        return FailPlugin(Misbehaviour::kIllegalStep, "begin made no session");
    Follow(step);
}

Task<> ProviderSession::SendRequest(completion::DeltaBatch& batch) {
    RequestBuilder builder;
    const int32_t status = CallPlugin(
        &batch,
        [&](const aim_call* call) {
            return functions_.next_request(session_, call, builder.get());
        },
        request_bytes_);
    if (state_ == State::kFailed) co_return;
    if (status != AIM_OK) {
        Follow(AIM_STEP_FAILED);
        co_return;
    }
    auto request = builder.Finish(*bounds_.slots);
    if (!request) {
        if (request.error().kind == ErrorKind::kInternal) {
            plugin_fault_ = true;
            if (bounds_.conduct != nullptr)
                bounds_.conduct->Count(Misbehaviour::kBadRequest, request.error().message);
        }
        FailWith(std::move(request.error()));
        co_return;
    }
    framing_ = builder.framing();
    http::client::UpstreamRequest upstream = std::move(*request);
    auto exchange = co_await client_.Send(std::move(upstream), bounds_.limits, cancellation_);
    transport_failed_ = false;
    if (!exchange) {
        const bool told =
            round_trips_ > 1 && IsLostConnection(exchange.error()) && !cancellation_.IsCancelled();
        if (!told) {
            FailWith(std::move(exchange.error()));
            co_return;
        }
        transport_failed_ = true;
        transport_error_ = std::move(exchange.error());
        OnEnd(AIM_END_NOT_CONNECTED, batch);
        co_return;
    }
    exchange_ = std::move(*exchange);
    const bool success = exchange_->status() >= 200 && exchange_->status() < 300;
    // Who asked for a stream and gets one JSON text has got an error inside a 200, or a provider
    // that cannot stream.
    const bool json_answer =
        framing_ == AIM_FRAMING_SSE && IsJson(exchange_->headers().Find("Content-Type"));
    if (!success || json_answer) framing_ = AIM_FRAMING_WHOLE;
    whole_.clear();
    sse_.reset();
    lines_.reset();
    if (framing_ == AIM_FRAMING_SSE) sse_.emplace();
    if (framing_ == AIM_FRAMING_JSON_LINES) lines_.emplace();
    state_ = State::kReading;
    const HeadView head(exchange_->status(), exchange_->headers());
    Follow(CallPlugin(&batch, [&](const aim_call* call) {
        return functions_.on_head(session_, call, head.get());
    }));
}

void ProviderSession::OnRead(const Result<std::string_view>& bytes, completion::DeltaBatch& batch) {
    if (!bytes) {
        if (bytes.error().kind == ErrorKind::kCancelled ||
            bytes.error().kind == ErrorKind::kUpstreamTimeout) {
            return FailWith(bytes.error());
        }
        transport_failed_ = true;
        transport_error_ = bytes.error();
        if (framing_ == AIM_FRAMING_WHOLE && !whole_.empty()) OnData(whole_, {}, {}, batch);
        if (state_ == State::kReading) OnEnd(EndReason(transport_error_), batch);
        return;
    }
    if (!bytes->empty()) return OnBytes(*bytes, batch);
    if (framing_ == AIM_FRAMING_WHOLE && !whole_.empty()) OnData(whole_, {}, {}, batch);
    if (state_ == State::kReading && lines_) {
        lines_->Finish();
        while (state_ == State::kReading) {
            const auto line = lines_->Next();
            if (!line) break;
            OnData(*line, {}, {}, batch);
        }
    }
    if (state_ == State::kReading) OnEnd(AIM_END_COMPLETE, batch);
}

void ProviderSession::OnBytes(std::string_view bytes, completion::DeltaBatch& batch) {
    switch (framing_) {
        case AIM_FRAMING_WHOLE: {
            const bool success = exchange_->status() >= 200 && exchange_->status() < 300;
            const std::size_t limit = success ? bounds_.max_body_bytes : kMaxErrorBodyBytes;
            if (whole_.size() + bytes.size() <= limit) {
                whole_.append(bytes);
                return;
            }
            if (success) return OnEnd(AIM_END_TOO_LARGE, batch);
            whole_.append(bytes.substr(0, limit - whole_.size()));
            OnData(whole_, {}, {}, batch);
            if (state_ == State::kReading) OnEnd(AIM_END_COMPLETE, batch);
            return;
        }
        case AIM_FRAMING_RAW:
            return OnData(bytes, {}, {}, batch);
        case AIM_FRAMING_SSE: {
            sse_->Push(bytes);
            while (state_ == State::kReading) {
                const auto event = sse_->Next();
                if (!event) break;
                OnData(event->data, event->event, event->id, batch);
            }
            if (state_ == State::kReading && sse_->failed()) OnEnd(AIM_END_TOO_LARGE, batch);
            return;
        }
        case AIM_FRAMING_JSON_LINES: {
            lines_->Push(bytes);
            while (state_ == State::kReading) {
                const auto line = lines_->Next();
                if (!line) break;
                OnData(*line, {}, {}, batch);
            }
            if (state_ == State::kReading && lines_->failed()) OnEnd(AIM_END_TOO_LARGE, batch);
            return;
        }
        default:
            return FailPlugin(Misbehaviour::kIllegalStep, "unknown framing");
    }
}

void ProviderSession::OnData(std::string_view bytes, std::string_view event, std::string_view id,
                             completion::DeltaBatch& batch) {
    aim_http_data data{};
    data.struct_size = sizeof data;
    data.bytes = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
    data.event = Str(event);
    data.id = Str(id);
    Follow(CallPlugin(
        &batch, [&](const aim_call* call) { return functions_.on_data(session_, call, &data); },
        bytes.size()));
}

void ProviderSession::OnEnd(int32_t how, completion::DeltaBatch& batch) {
    // Who understands a whole answer at its end has all of it for input.
    const std::size_t input_bytes = framing_ == AIM_FRAMING_WHOLE ? whole_.size() : 0;
    const int32_t step = CallPlugin(
        &batch, [&](const aim_call* call) { return functions_.on_end(session_, call, how); },
        input_bytes);
    if (state_ == State::kFailed) return;
    if (how == AIM_END_COMPLETE) {
        if (step == AIM_STEP_CONTINUE)
            return FailPlugin(Misbehaviour::kIllegalStep,
                              "on_end returned CONTINUE, but nothing follows");
        return Follow(step);
    }
    // This answer is lost; what the session asks for next may not be.
    if (step == AIM_STEP_NEXT_REQUEST || step == AIM_STEP_WAIT) return Follow(step);
    // The plugin may already have had the provider's own terminator; then nothing is missing.
    if (step == AIM_STEP_DONE && sink_.finished()) return Follow(step);
    if (how == AIM_END_NOT_CONNECTED) return FailWith(transport_error_);
    if (sink_.has_error()) return FailWith(sink_.error());
    if (transport_failed_) return FailWith(transport_error_);
    Error error;
    error.kind = how == AIM_END_TRUNCATED ? ErrorKind::kUpstreamFailure : ErrorKind::kProtocolError;
    error.code = how == AIM_END_TOO_LARGE ? "too_large" : "truncated";
    error.message = how == AIM_END_TOO_LARGE ? "the provider's answer is over the gateway's limit"
                                             : "the provider's answer broke off";
    FailWith(std::move(error));
}

Task<> ProviderSession::Wait(completion::DeltaBatch& batch) {
    using Timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
    const Executor executor = co_await boost::asio::this_coro::executor;
    Timer timer(executor, sink_.wait());
    const Cancellation::Listener listener(cancellation_, [&timer] { timer.cancel(); });
    boost::system::error_code error;
    co_await timer.async_wait(boost::asio::redirect_error(kUseTask, error));
    if (cancellation_.IsCancelled()) co_return;  // Next() ends the session
    const int32_t step = CallPlugin(
        &batch, [&](const aim_call* call) { return functions_.on_wake(session_, call); });
    if (step == AIM_STEP_CONTINUE) {
        FailPlugin(Misbehaviour::kIllegalStep,
                   "on_wake returned CONTINUE, which has no answer to go on with");
        co_return;
    }
    Follow(step);
}

ChatSession::ChatSession(Target target, const completion::ChatRequest& request,
                         http::client::HttpClient& client, const Clock& clock, std::uint64_t seed,
                         Cancellation& cancellation)
    : ProviderSession(target, target.provider, *target.provider->table().session, client, clock,
                      seed, cancellation),
      target_(std::move(target)),
      request_(&request) {
    SetRequestBytes(request.members.size());
}

int32_t ChatSession::CallBegin(const aim_call* call, std::uint64_t seed, void** session) {
    const RequestView view(*request_, target_.model, target_.model_json, target_.endpoint);
    const ChatProvider& provider = *target_.provider;
    const int32_t step = provider.table().begin(provider.object(), call, view.get(), seed, session);
    request_ = nullptr;
    return step;
}

std::optional<Error> ChatSession::WhatIsMissing() const {
    if (sink().finished()) return std::nullopt;
    return Truncated("the answer ended without a finish reason");
}

}  // namespace aim::plugin
