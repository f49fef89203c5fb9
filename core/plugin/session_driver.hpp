#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/cancellation.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/completion/chat_delta.hpp"
#include "core/completion/chat_request.hpp"
#include "core/http/client/http_client.hpp"
#include "core/http/json_lines_parser.hpp"
#include "core/http/sse_parser.hpp"
#include "core/plugin/call_timer.hpp"
#include "core/plugin/conduct.hpp"
#include "core/plugin/provider_object.hpp"
#include "core/plugin/session_sink.hpp"

namespace aim::plugin {

// Fills the {NAME} slots of a header's template with the settings' values, or refuses when a secret
// may not go to the URL's host. Empty when an optional setting of the template has no value: then
// the header is left out.
class HeaderSlots {
  public:
    virtual ~HeaderSlots() = default;
    virtual Result<std::string> Fill(std::string_view value_template,
                                     const http::Url& url) const = 0;
};

// Runs one session of a plugin against the HTTP client: calls the plugin's functions in the order
// of the ABI's state machine, sends what it describes, cuts the answer as it asks, waits when it
// waits. How a session is begun and when it has said all is the interface's own affair (the derived
// classes). Pulled: nothing is read from the provider while nobody asks. One loop's thread; the
// object must not be destroyed while Next() runs.
class ProviderSession {
  public:
    struct Bounds {
        const HeaderSlots* slots = nullptr;
        http::client::ExchangeLimits limits;
        std::size_t max_body_bytes = 64u * 1024 * 1024;
        // Where the plugin's conduct is kept; null: nobody keeps it. One in quarantine gets no
        // call any more.
        Conduct* conduct = nullptr;
    };

    virtual ~ProviderSession();
    ProviderSession(const ProviderSession&) = delete;
    ProviderSession& operator=(const ProviderSession&) = delete;

    enum class Status { kMore, kDone, kFailed };

    // Goes on until there is something new, adds it to `batch`, and says how it stands. After kDone
    // or kFailed it must not be called again.
    Task<Status> Next(completion::DeltaBatch& batch);

    // Why it failed, after kFailed.
    const Error& error() const { return error_; }
    // True when the fault is the plugin's own: it broke the rules of the ABI. A strike against its
    // conduct when the session ends.
    bool plugin_fault() const { return plugin_fault_; }

  protected:
    // `provider` is what the plugin's session refers to: held until that has ended. The other
    // references outlive the session.
    ProviderSession(const Bounds& bounds, std::shared_ptr<const void> provider,
                    const aim_session_functions& functions, http::client::HttpClient& client,
                    const Clock& clock, std::uint64_t seed, Cancellation& cancellation);

    // How much begin() hands over: the calls that turn it into a request are given time for it.
    void SetRequestBytes(std::size_t bytes) { request_bytes_ = bytes; }
    // Where the outputs of another interface than chat go.
    void Extend(SinkExtension& extension) { sink_.Extend(&extension); }
    const SessionSink& sink() const { return sink_; }
    // The error of an answer that ended too early.
    static Error Truncated(std::string message);

  private:
    // The interface's begin. Once.
    virtual int32_t CallBegin(const aim_call* call, std::uint64_t seed, void** session) = 0;
    // Nothing when the session has put out all that its interface asks for, so that it may be done.
    virtual std::optional<Error> WhatIsMissing() const = 0;

    enum class State { kBegin, kRequest, kReading, kWaiting, kDone, kFailed };

    template <typename Call>
    int32_t CallPlugin(completion::DeltaBatch* batch, Call&& call, std::size_t input_bytes = 0);
    void EndCall(CallTimer& timer);
    void Follow(int32_t step);
    void FailWith(Error error);
    void FailPlugin(Misbehaviour kind, std::string message);

    void Begin(completion::DeltaBatch& batch);
    Task<> SendRequest(completion::DeltaBatch& batch);
    Task<> Wait(completion::DeltaBatch& batch);
    void OnRead(const Result<std::string_view>& bytes, completion::DeltaBatch& batch);
    void OnBytes(std::string_view bytes, completion::DeltaBatch& batch);
    void OnData(std::string_view bytes, std::string_view event, std::string_view id,
                completion::DeltaBatch& batch);
    void OnEnd(int32_t how, completion::DeltaBatch& batch);
    void LeaveExchange();

    const Bounds bounds_;
    const std::shared_ptr<const void> provider_;
    const aim_session_functions& functions_;
    http::client::HttpClient& client_;
    const Clock& clock_;
    std::uint64_t seed_;
    Cancellation& cancellation_;

    State state_ = State::kBegin;
    SessionSink sink_;
    void* session_ = nullptr;
    std::size_t request_bytes_ = 0;
    int round_trips_ = 0;
    int waits_ = 0;
    std::unique_ptr<http::client::UpstreamExchange> exchange_;
    int32_t framing_ = 0;
    std::string whole_;
    std::optional<http::SseParser> sse_;
    std::optional<http::JsonLinesParser> lines_;
    Error transport_error_;  // how the body broke off, when it did
    bool transport_failed_ = false;
    Error error_;
    bool plugin_fault_ = false;
    std::uint64_t calls_ = 0;
    MonotonicTime::duration call_time_{0};
    MonotonicTime::duration longest_call_{0};
};

// A chat: one answer, by deltas.
class ChatSession final : public ProviderSession {
  public:
    struct Target : Bounds {
        std::shared_ptr<const ChatProvider> provider;
        std::string_view model;       // as the provider calls it
        std::string_view model_json;  // the same with quotes, escaped
        std::string_view endpoint;
    };

    // Everything but `request` (needed until the first Next() has returned) outlives the session.
    ChatSession(Target target, const completion::ChatRequest& request,
                http::client::HttpClient& client, const Clock& clock, std::uint64_t seed,
                Cancellation& cancellation);

  private:
    int32_t CallBegin(const aim_call* call, std::uint64_t seed, void** session) override;
    std::optional<Error> WhatIsMissing() const override;

    const Target target_;
    const completion::ChatRequest* request_;
};

}  // namespace aim::plugin
