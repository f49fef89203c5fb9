// What the author of a provider plugin derives from. A session is a pure state machine: no I/O, no
// clock, no randomness of its own. Calls of one session never overlap but may change threads;
// several sessions run at once on one provider, which is therefore const to them.
#ifndef AIM_SDK_SESSION_HPP
#define AIM_SDK_SESSION_HPP

#include <cstdint>
#include <memory>
#include <string_view>

#include "aim/sdk/emitter.hpp"
#include "aim/sdk/http_request.hpp"
#include "aim/sdk/views.hpp"

namespace aim::sdk {

// What a session wants next (status.h has the table of which is legal where). Waiting and failing
// are made by Call, which tells the host the time or the reason as well.
enum class Step : std::int32_t {
    kFailed = AIM_STEP_FAILED,
    kContinue = AIM_STEP_CONTINUE,
    kNextRequest = AIM_STEP_NEXT_REQUEST,
    kWait = AIM_STEP_WAIT,
    kDone = AIM_STEP_DONE,
};

// What every function of a session gets: the time, and the way out for what it understood.
class Call final {
  public:
    explicit Call(const aim_call* raw) : out(raw->sink), now_unix_ms_(raw->now_unix_ms) {}

    std::uint64_t NowUnixMs() const { return now_unix_ms_; }

    // Gives the reason to the host and returns the step to return. The first reason counts.
    Step Fail(const Failure& failure) const {
        failed_ = true;
        out.Error(failure);
        return Step::kFailed;
    }
    Step WaitFor(std::uint64_t milliseconds) const {
        out.Wait(milliseconds);
        return Step::kWait;
    }
    bool Failed() const { return failed_; }

    const Emitter out;

  private:
    std::uint64_t now_unix_ms_;
    mutable bool failed_ = false;
};

class Session {
  public:
    virtual ~Session() = default;

    // The first step, right after the session was made.
    virtual Step Begin(const Call&) { return Step::kNextRequest; }

    // Describe the next request. False after call.Fail().
    virtual bool Next(const Call& call, HttpRequest& request) = 0;

    // Status and headers of the answer; Step::kContinue to see the body.
    virtual Step Head(const Call& call, const HttpHead& head) = 0;
    virtual Step Data(const Call& call, const HttpData& data) = 0;
    virtual Step End(const Call& call, Ending ending) = 0;

    virtual Step Wake(const Call& call) {
        return call.Fail({ErrorKind::kInternal, "the session did not ask to be woken", {}, {}});
    }
};

// What the sessions of one model row share; read-only once made. A derived class also has
//   static std::unique_ptr<Derived> Create(const Call&, const Config&);
// which checks the row's settings and returns null after call.Fail() with the setting as `field`.
class ChatProvider {
  public:
    virtual ~ChatProvider() = default;

    // Null after call.Fail(). The request is valid for this call only: copy what the session keeps.
    // `seed` is random for each session and the same in a replay.
    virtual std::unique_ptr<Session> Start(const Call& call, const ChatRequest& request,
                                           std::uint64_t seed) const = 0;
};

// The same for interface aim.models/1.
class ModelsProvider {
  public:
    virtual ~ModelsProvider() = default;

    virtual std::unique_ptr<Session> Start(const Call& call, std::string_view endpoint,
                                           std::uint64_t seed) const = 0;
};

// The same for interface aim.embeddings/1.
class EmbeddingsProvider {
  public:
    virtual ~EmbeddingsProvider() = default;

    virtual std::unique_ptr<Session> Start(const Call& call, const EmbeddingsRequest& request,
                                           std::uint64_t seed) const = 0;
};

// The vector of input `index`. False when the host takes no vectors (the session may then fail as
// kUnsupported).
inline bool EmitEmbedding(const Emitter& out, std::uint32_t index, const float* values,
                          std::uint64_t count) {
    const auto* sink =
        static_cast<const aim_embeddings_sink*>(out.Extension(AIM_EMBEDDINGS_SINK_ID));
    if (sink == nullptr || !AIM_HAS(sink, aim_embeddings_sink, embedding)) {
        return false;
    }
    sink->embedding(sink->context, index, values, count);
    return true;
}

struct ModelInfo {
    std::string_view id;
    std::string_view display_name;
    std::int64_t context_window = -1;
    std::int64_t max_output_tokens = -1;
    std::string_view capabilities;
    std::string_view input_price_per_million;
    std::string_view output_price_per_million;
};

// False when the host takes no models (the session may then fail as kUnsupported).
inline bool EmitModel(const Emitter& out, const ModelInfo& model) {
    const auto* sink = static_cast<const aim_models_sink*>(out.Extension(AIM_MODELS_SINK_ID));
    if (sink == nullptr || !AIM_HAS(sink, aim_models_sink, model)) {
        return false;
    }
    aim_model_info raw{};
    raw.struct_size = sizeof(raw);
    raw.id = Str(model.id);
    raw.display_name = Str(model.display_name);
    raw.context_window = model.context_window;
    raw.max_output_tokens = model.max_output_tokens;
    raw.capabilities = Str(model.capabilities);
    raw.input_price_per_million = Str(model.input_price_per_million);
    raw.output_price_per_million = Str(model.output_price_per_million);
    sink->model(sink->context, &raw);
    return true;
}

}  // namespace aim::sdk

#endif  // AIM_SDK_SESSION_HPP
