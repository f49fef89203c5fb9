#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/completion/chat_request.hpp"
#include "core/completion/embeddings.hpp"
#include "core/http/client/http_client.hpp"
#include "core/pipeline/attempt.hpp"
#include "core/pipeline/pipeline_shared.hpp"
#include "core/pipeline/progress.hpp"
#include "core/pipeline/recorder.hpp"
#include "core/pipeline/stream_relay.hpp"
#include "core/pipeline/work.hpp"
#include "core/routing/chooser.hpp"

namespace aim::pipeline {

// A prompt's way (design section 5): plan, attempts, fallback, rating, ledger. When Run() returns,
// outcomes and history are in the ledger; the last byte of the answer has not gone out yet. One
// object a loop.
class CompletionService {
  public:
    CompletionService(PipelineShared& shared, http::client::HttpClient& client, TimerQueue& timers);

    Task<CompletionResult> Run(const completion::ChatRequest& request, const Caller& caller,
                               StreamRelay* relay);

    // Vectors go the same way. A model that the caller named is replaced only by one that has the
    // same vectors.
    Task<CompletionResult> Run(const completion::EmbeddingsRequest& request, const Caller& caller);

    // The newest table, for handlers that list models.
    const std::shared_ptr<const routing::RoutingTable>& Table();

  private:
    class Place;

    std::optional<Error> Admit(const Place& place) const;
    Task<CompletionResult> RunWork(Work work, const Caller& caller, StreamRelay* relay);
    routing::Choice Choose(const Work& work, Progress& progress, MonotonicTime now);
    Task<> Attempts(const Work& work, const Caller& caller, StreamRelay* relay, Progress& progress);
    Task<> Attempt(const Work& work, const Caller& caller, StreamRelay* relay,
                   const routing::Candidate& candidate, MonotonicTime deadline,
                   AttemptResult& result);
    Task<> FinishAsFiltered(const routing::Candidate& candidate, StreamRelay* relay,
                            CompletionResult& result);

    PipelineShared& shared_;
    std::unique_ptr<Random> random_;
    AttemptTools tools_;
    Recorder recorder_;
    routing::Chooser chooser_;
    std::uint64_t table_version_ = 0;
};

}  // namespace aim::pipeline
