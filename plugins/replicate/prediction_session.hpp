// One chat with a model on Replicate, in several round trips: create a prediction, then ask until
// it is done, or read its stream and fetch its counts at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/rate_limit_headers.hpp"
#include "plugins/replicate/address.hpp"
#include "plugins/replicate/settings.hpp"

namespace aim::replicate {

inline constexpr std::string_view kAuthorization = "Bearer {REPLICATE_API_TOKEN}";

// What a prediction that failed, or an answer other than 2xx, means.
openai::UpstreamError ReadFailure(sdk::JsonValue prediction);
openai::UpstreamError ReadErrorAnswer(int status, std::string_view body,
                                      const openai::RateLimitHints& hints);

class PredictionSession final : public sdk::Session {
  public:
    struct Plan {
        Creation creation;
        std::string endpoint;
        std::string body;
        bool stream = false;
        std::int64_t max_tokens = -1;  // as sent, -1 = no limit
        std::int64_t wait_seconds = 0;
        std::int64_t cancel_after_seconds = 0;
    };
    explicit PredictionSession(Plan plan) : plan_(std::move(plan)) {}

    bool Next(const sdk::Call& call, sdk::HttpRequest& request) override;
    sdk::Step Head(const sdk::Call& call, const sdk::HttpHead& head) override;
    sdk::Step Data(const sdk::Call& call, const sdk::HttpData& data) override;
    sdk::Step End(const sdk::Call& call, sdk::Ending ending) override;
    sdk::Step Wake(const sdk::Call& call) override;

  private:
    // What the request under way is for.
    enum class Stage { kCreate, kPoll, kStream, kCounts };

    sdk::Step ReadError(const sdk::Call& call);
    sdk::Step ReadPrediction(const sdk::Call& call);
    sdk::Step ReadStreamEvent(const sdk::Call& call, std::string_view name, std::string_view data);
    void Remember(sdk::JsonValue prediction);
    void EmitOutput(const sdk::Emitter& out, sdk::JsonValue output, bool complete);
    std::int64_t EmitUsage(const sdk::Emitter& out, sdk::JsonValue metrics) const;
    sdk::Step Poll(const sdk::Call& call);
    sdk::Step Finish(const sdk::Call& call, std::int64_t output_tokens) const;

    Plan plan_;
    Stage stage_ = Stage::kCreate;
    int status_ = 0;
    bool whole_ = true;
    openai::RateLimitHints hints_;
    std::string answer_;
    std::string get_url_;
    std::string stream_url_;
    std::uint64_t pause_ms_ = 500;
    int failed_polls_ = 0;
    int unfinished_counts_ = 0;
    std::size_t emitted_items_ = 0;  // of an output that is a list
};

}  // namespace aim::replicate
