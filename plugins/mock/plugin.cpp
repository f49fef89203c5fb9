// The mock provider: answers from its settings alone, by waits instead of requests. It needs no
// network and no key, and a row can make it play any fault.
#include "aim/sdk/plugin.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "plugins/mock/answer.hpp"
#include "plugins/mock/embeddings.hpp"
#include "plugins/mock/plan.hpp"
#include "plugins/mock/settings.hpp"

namespace aim::mock {
namespace {

// Latency first; then, when streamed, the tokens at their pace, else the time of all of them and
// then everything at once. Ends by a finish, a planned failure, or never (a planned stall).
class MockSession final : public sdk::Session {
  public:
    MockSession(const Settings& settings, Answer answer, bool stream, std::uint64_t seed)
        : error_kind_(settings.error_kind), answer_(std::move(answer)), stream_(stream) {
        Draws draws(seed);
        fails_ = draws.Unit() < settings.error_rate;
        const double jitter = draws.Unit() * (static_cast<double>(settings.jitter_ms) + 1);
        remaining_ms_ = settings.latency_ms + static_cast<std::uint64_t>(jitter);
        if (settings.tokens_per_second > 0) {
            ms_per_token_ = 1000 / settings.tokens_per_second;
        }
        const std::size_t all = answer_.tokens.size();
        end_ = all;
        if (settings.cut_after_tokens && *settings.cut_after_tokens <= end_) {
            end_ = static_cast<std::size_t>(*settings.cut_after_tokens);
            ending_ = Ending::kCut;
        }
        if (settings.stall_after_tokens && *settings.stall_after_tokens <= end_) {
            end_ = static_cast<std::size_t>(*settings.stall_after_tokens);
            ending_ = Ending::kStall;
        }
        if (!stream_ && !fails_) {
            remaining_ms_ += static_cast<std::uint64_t>(
                std::ceil(ms_per_token_ * static_cast<double>(end_ > 0 ? end_ - 1 : 0)));
        }
    }

    sdk::Step Begin(const sdk::Call& call) override { return Go(call); }
    sdk::Step Wake(const sdk::Call& call) override { return Go(call); }

    // The host never gets as far: the session asks for no request.
    bool Next(const sdk::Call& call, sdk::HttpRequest&) override { return Unasked(call); }
    sdk::Step Head(const sdk::Call& call, const sdk::HttpHead&) override {
        Unasked(call);
        return sdk::Step::kFailed;
    }
    sdk::Step Data(const sdk::Call& call, const sdk::HttpData&) override {
        Unasked(call);
        return sdk::Step::kFailed;
    }
    sdk::Step End(const sdk::Call& call, sdk::Ending) override {
        Unasked(call);
        return sdk::Step::kFailed;
    }

  private:
    enum class Ending { kFinish, kCut, kStall };

    static bool Unasked(const sdk::Call& call) {
        call.Fail({sdk::ErrorKind::kInternal, "the mock sends no requests", {}, {}});
        return false;
    }

    sdk::Step Go(const sdk::Call& call) {
        if (remaining_ms_ > 0) {
            const std::uint64_t piece = std::min(remaining_ms_, kLongestWaitMs);
            remaining_ms_ -= piece;
            return call.WaitFor(piece);
        }
        if (fails_) {
            return call.Fail({error_kind_,
                              "the mock was told to fail (error_rate)",
                              "mock_error",
                              {},
                              StatusOf(error_kind_)});
        }
        if (!stream_) {
            if (ending_ == Ending::kFinish) {
                EmitUpTo(call, end_);
            }
            return Conclude(call);
        }
        if (!started_) {
            started_ = true;
            started_at_ms_ = call.NowUnixMs();
        }
        EmitUpTo(call, DueBy(call.NowUnixMs()));
        if (sent_ < end_) {
            return call.WaitFor(UntilNext(call.NowUnixMs()));
        }
        return Conclude(call);
    }

    // Token i is due i token times after the first one. Every wake brings at least one, so that a
    // clock that stands still or jumps back cannot stop the answer.
    std::size_t DueBy(std::uint64_t now_ms) const {
        if (ms_per_token_ <= 0) {
            return end_;
        }
        const double elapsed =
            now_ms > started_at_ms_ ? static_cast<double>(now_ms - started_at_ms_) : 0;
        const double due = std::floor(elapsed / ms_per_token_) + 1;
        const std::size_t by_clock =
            due >= static_cast<double>(end_) ? end_ : static_cast<std::size_t>(due);
        return std::min(end_, std::max(by_clock, sent_ + 1));
    }
    std::uint64_t UntilNext(std::uint64_t now_ms) const {
        const double due_at = static_cast<double>(sent_) * ms_per_token_;
        const double elapsed =
            now_ms > started_at_ms_ ? static_cast<double>(now_ms - started_at_ms_) : 0;
        const double wait = std::min(due_at - elapsed, std::max(ms_per_token_, 1.0));
        return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(std::max(wait, 1.0))),
                                         1, kLongestWaitMs);
    }

    void EmitUpTo(const sdk::Call& call, std::size_t count) {
        if (!stream_) {
            std::string text;
            for (; sent_ < count; ++sent_) {
                text += answer_.tokens[sent_];
            }
            call.out.Text(0, text);
            return;
        }
        for (; sent_ < count; ++sent_) {
            call.out.Text(0, answer_.tokens[sent_]);
        }
    }

    sdk::Step Conclude(const sdk::Call& call) {
        if (ending_ == Ending::kStall) {
            return call.WaitFor(kLongestWaitMs);
        }
        if (ending_ == Ending::kCut) {
            return call.Fail({sdk::ErrorKind::kUpstreamFailure,
                              "the mock was told to cut its answer (cut_after_tokens)",
                              "mock_cut",
                              {}});
        }
        sdk::Usage usage;
        usage.prompt_tokens = answer_.prompt_tokens;
        usage.completion_tokens = static_cast<std::int64_t>(answer_.tokens.size());
        if (!answer_.tool_name.empty()) {
            call.out.ToolCall(0, 0, {}, answer_.tool_name, "{}");
            usage.completion_tokens = 1;
        }
        usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
        call.out.Finish(0, answer_.finish);
        call.out.Usage(usage);
        return sdk::Step::kDone;
    }

    sdk::ErrorKind error_kind_;
    Answer answer_;
    bool stream_;
    bool fails_ = false;
    Ending ending_ = Ending::kFinish;
    std::uint64_t remaining_ms_ = 0;
    double ms_per_token_ = 0;
    std::size_t end_ = 0;   // tokens before the ending
    std::size_t sent_ = 0;  // tokens given to the sink
    bool started_ = false;
    std::uint64_t started_at_ms_ = 0;
};

class MockProvider final : public sdk::ChatProvider {
  public:
    explicit MockProvider(Settings settings) : settings_(std::move(settings)) {}

    static std::unique_ptr<MockProvider> Create(const sdk::Call& call, const sdk::Config& config) {
        std::optional<Settings> settings = ParseSettings(call, config.RowSettings());
        return settings ? std::make_unique<MockProvider>(*std::move(settings)) : nullptr;
    }

    std::unique_ptr<sdk::Session> Start(const sdk::Call&, const sdk::ChatRequest& request,
                                        std::uint64_t seed) const override {
        const std::uint64_t draws =
            settings_.seed ? *settings_.seed * 0x9E3779B97F4A7C15ULL ^ HashPrompt(request) : seed;
        return std::make_unique<MockSession>(settings_, MakeAnswer(settings_, request),
                                             request.Stream(), draws);
    }

  private:
    Settings settings_;
};

constexpr sdk::Descriptor kDescriptor = {
    .display_name = "Mock",
    .vendor = "AI Manager",
    .default_endpoint = "mock://local",
    .capabilities = {"stream", "tools", "json_schema", "embeddings"},
    .row_settings_schema =
        R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{
"latency_ms":{"type":"integer","minimum":0,"maximum":3600000},
"jitter_ms":{"type":"integer","minimum":0,"maximum":3600000},
"error_rate":{"type":"number","minimum":0,"maximum":1},
"error_kind":{"enum":["invalid_request","unauthenticated","forbidden","quota_exhausted","model_not_found","rate_limited","context_too_long","content_filtered","overloaded","upstream_failure","upstream_timeout","protocol_error","unsupported","cancelled","internal"]},
"tokens_per_second":{"type":"number","minimum":0,"maximum":1000000},
"answer_tokens":{"type":"integer","minimum":0,"maximum":1000000},
"answer_text":{"type":"string"},
"stall_after_tokens":{"type":"integer","minimum":0,"maximum":1000000},
"cut_after_tokens":{"type":"integer","minimum":0,"maximum":1000000},
"seed":{"type":"integer","minimum":0,"maximum":9007199254740991}}})",
};

}  // namespace
}  // namespace aim::mock

AIM_PLUGIN("mock", "1.0.0", aim::mock::kDescriptor, aim::sdk::Chat<aim::mock::MockProvider>,
           aim::sdk::Embeddings<aim::mock::EmbeddingsProvider>);
