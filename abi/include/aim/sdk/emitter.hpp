// Where a session puts what it understood. Wraps aim_sink: a function that the host's sink does not
// have (an older host) does nothing. Valid for the call that it was given to, on that thread.
#ifndef AIM_SDK_EMITTER_HPP
#define AIM_SDK_EMITTER_HPP

#include <cstdint>
#include <string_view>

#include "aim/sdk/text.hpp"
#include "aim/sdk/views.hpp"

namespace aim::sdk {

enum class ErrorKind : std::int32_t {
    kInvalidRequest = AIM_ERROR_INVALID_REQUEST,
    kUnauthenticated = AIM_ERROR_UNAUTHENTICATED,
    kForbidden = AIM_ERROR_FORBIDDEN,
    kQuotaExhausted = AIM_ERROR_QUOTA_EXHAUSTED,
    kModelNotFound = AIM_ERROR_MODEL_NOT_FOUND,
    kRateLimited = AIM_ERROR_RATE_LIMITED,
    kContextTooLong = AIM_ERROR_CONTEXT_TOO_LONG,
    kContentFiltered = AIM_ERROR_CONTENT_FILTERED,
    kOverloaded = AIM_ERROR_OVERLOADED,
    kUpstreamFailure = AIM_ERROR_UPSTREAM_FAILURE,
    kUpstreamTimeout = AIM_ERROR_UPSTREAM_TIMEOUT,
    kProtocolError = AIM_ERROR_PROTOCOL_ERROR,
    kUnsupported = AIM_ERROR_UNSUPPORTED,
    kCancelled = AIM_ERROR_CANCELLED,
    kInternal = AIM_ERROR_INTERNAL,
};

enum class FinishReason : std::int32_t {
    kStop = AIM_FINISH_STOP,
    kLength = AIM_FINISH_LENGTH,
    kToolCalls = AIM_FINISH_TOOL_CALLS,
    kContentFilter = AIM_FINISH_CONTENT_FILTER,
};

enum class Scope : std::int32_t {
    kResponse = AIM_SCOPE_RESPONSE,
    kChoice = AIM_SCOPE_CHOICE,
    kMessage = AIM_SCOPE_MESSAGE,
    kToolCall = AIM_SCOPE_TOOL_CALL,
};

struct Failure {
    ErrorKind kind = ErrorKind::kInternal;
    std::string_view message;
    std::string_view code;
    std::string_view field;
    int upstream_status = 0;
    std::int64_t retry_after_ms = -1;
};

// Token counts; -1 = the provider did not say.
struct Usage {
    std::int64_t prompt_tokens = -1;
    std::int64_t completion_tokens = -1;
    std::int64_t total_tokens = -1;
    std::int64_t cached_tokens = -1;
    std::int64_t cache_write_tokens = -1;
    std::int64_t reasoning_tokens = -1;
    std::string_view json;
};

class Emitter final {
  public:
    explicit Emitter(const aim_sink* sink) : sink_(sink) {}

    void Text(std::uint32_t choice, std::string_view text) const {
        if (!text.empty() && AIM_HAS(sink_, aim_sink, text)) {
            sink_->text(sink_->context, choice, Str(text));
        }
    }
    void Reasoning(std::uint32_t choice, std::string_view text) const {
        if (!text.empty() && AIM_HAS(sink_, aim_sink, reasoning)) {
            sink_->reasoning(sink_->context, choice, Str(text));
        }
    }
    void Refusal(std::uint32_t choice, std::string_view text) const {
        if (!text.empty() && AIM_HAS(sink_, aim_sink, refusal)) {
            sink_->refusal(sink_->context, choice, Str(text));
        }
    }
    void ToolCall(std::uint32_t choice, std::uint32_t index, std::string_view id,
                  std::string_view name, std::string_view arguments) const {
        if (AIM_HAS(sink_, aim_sink, tool_call)) {
            sink_->tool_call(sink_->context, choice, index, Str(id), Str(name), Str(arguments));
        }
    }
    void Usage(const sdk::Usage& usage) const {
        if (!AIM_HAS(sink_, aim_sink, usage)) {
            return;
        }
        aim_usage raw{};
        raw.struct_size = sizeof(raw);
        raw.prompt_tokens = usage.prompt_tokens;
        raw.completion_tokens = usage.completion_tokens;
        raw.total_tokens = usage.total_tokens;
        raw.cached_tokens = usage.cached_tokens;
        raw.cache_write_tokens = usage.cache_write_tokens;
        raw.reasoning_tokens = usage.reasoning_tokens;
        raw.json = IsPassableJson(usage.json) ? Str(usage.json) : aim_str{nullptr, 0};
        sink_->usage(sink_->context, &raw);
    }
    void Finish(std::uint32_t choice, FinishReason reason) const {
        if (AIM_HAS(sink_, aim_sink, finish)) {
            sink_->finish(sink_->context, choice, static_cast<std::int32_t>(reason));
        }
    }
    // `json` is one JSON value, as JsonDocument has parsed it; one that cannot be passed on as it
    // stands is left out. `tool_index` counts for Scope::kToolCall only.
    void Extra(Scope scope, std::uint32_t choice, std::uint32_t tool_index, std::string_view name,
               std::string_view json) const {
        if (AIM_HAS(sink_, aim_sink, extra) && IsPassableJson(json)) {
            sink_->extra(sink_->context, static_cast<std::int32_t>(scope), choice, tool_index,
                         Str(name), Str(json));
        }
    }
    void Error(const Failure& failure) const {
        if (!AIM_HAS(sink_, aim_sink, error)) {
            return;
        }
        aim_error raw{};
        raw.struct_size = sizeof(raw);
        raw.kind = static_cast<std::int32_t>(failure.kind);
        raw.upstream_status = failure.upstream_status;
        raw.retry_after_ms = failure.retry_after_ms;
        raw.message = Str(failure.message);
        raw.code = Str(failure.code);
        raw.field = Str(failure.field);
        sink_->error(sink_->context, &raw);
    }
    void Wait(std::uint64_t milliseconds) const {
        if (AIM_HAS(sink_, aim_sink, wait)) {
            sink_->wait(sink_->context, milliseconds);
        }
    }
    // The table of another kind of output ("aim.models_sink/1"), or null.
    const void* Extension(const char* id) const {
        return AIM_HAS(sink_, aim_sink, get_extension) && sink_->get_extension != nullptr
                   ? sink_->get_extension(sink_->context, id)
                   : nullptr;
    }

  private:
    const aim_sink* sink_;
};

}  // namespace aim::sdk

#endif  // AIM_SDK_EMITTER_HPP
