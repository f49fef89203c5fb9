// From a request to the plan of its answer: control calls, models, chat completions.
//
// One per loop (the cache is its own); the script book and the log are shared and thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_map>

#include "tests/support/fake_provider/answer_plan.hpp"
#include "tests/support/fake_provider/embeddings.hpp"
#include "tests/support/fake_provider/http_request.hpp"
#include "tests/support/fake_provider/native_dialects.hpp"
#include "tests/support/fake_provider/request_log.hpp"
#include "tests/support/fake_provider/script_book.hpp"

namespace aim::testing {

struct ServerCounters {
    std::atomic<std::uint64_t> connections_total{0};
    std::atomic<std::uint64_t> connections_open{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> tls_handshakes{0};
    std::atomic<std::uint64_t> tls_resumed{0};
    std::atomic<std::uint64_t> bytes_written{0};  // of answers, before TLS
};

// What all loops of one server share.
struct ServerState {
    ScriptBook scripts;
    RequestLog log;
    ServerCounters counters;
    std::string required_key;  // when set, `Authorization: Bearer <key>` or 401
    bool tls = false;          // the addresses in its answers are https

    // How often a named scenario was asked for.
    std::size_t NextScenarioStep(const std::string& name);
    void Reset();

  private:
    std::mutex scenario_mutex_;
    std::map<std::string, std::size_t> scenario_steps_;
};

struct Answer {
    AnswerPlanPtr plan;
    std::uint64_t record_id = 0;  // 0: not recorded
};

class Answerer {
  public:
    explicit Answerer(ServerState& state);

    Answer AnswerTo(const HttpRequest& request, std::uint64_t connection_id,
                    const std::string& server_name);

  private:
    struct Choice {
        ScriptStepPtr step;
        bool cacheable = false;
        AnswerPlanPtr refusal;
    };

    bool IsPlainBench(const HttpRequest& request) const;
    AnswerPlanPtr Control(const HttpRequest& request, const AnswerFraming& framing);
    AnswerPlanPtr Models(const HttpRequest& request, const AnswerFraming& framing);
    Answer Native(const HttpRequest& request, const NativeCall& call, const AnswerFraming& framing,
                  std::uint64_t connection_id, const std::string& server_name);
    Answer Embeddings(const HttpRequest& request, const EmbeddingsCall& call,
                      const AnswerFraming& framing, std::uint64_t connection_id,
                      const std::string& server_name);
    AnswerPlanPtr Chat(const HttpRequest& request, const ChatRequest& chat,
                       const AnswerFraming& framing);
    Choice Choose(const HttpRequest& request, const ChatRequest& chat,
                  const AnswerFraming& framing);

    using CacheKey = std::tuple<const ScriptStep*, const Accent*, bool, bool, bool>;
    static constexpr std::size_t kMaxCachedPlans = 64;

    ServerState& state_;
    ScriptStepPtr echo_step_;
    ScriptStepPtr bench_step_;
    ScriptStepPtr bench_stream_step_;
    AnswerPlanPtr bench_plan_;
    std::map<CacheKey, std::pair<ScriptStepPtr, AnswerPlanPtr>> cache_;  // bench models only
};

}  // namespace aim::testing
