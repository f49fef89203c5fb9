#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "core/base/cancellation.hpp"
#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/completion/chat_request.hpp"
#include "core/completion/chat_response.hpp"
#include "core/completion/embeddings.hpp"
#include "core/http/client/http_client.hpp"
#include "core/pipeline/drain_room.hpp"
#include "core/pipeline/settings.hpp"
#include "core/pipeline/stream_relay.hpp"
#include "core/routing/candidate.hpp"

namespace aim::pipeline {

// What an attempt works with on its loop.
struct AttemptTools {
    http::client::HttpClient& client;
    TimerQueue& timers;
    const Clock& clock;
    Random& random;
    const Settings& settings;
    DrainRoom& drains;
};

struct AttemptResult {
    std::optional<Error> error;               // absent = success
    completion::ChatResponse response;        // whole, or what was produced until it failed
    std::vector<std::vector<float>> vectors;  // of embeddings; the usage is the response's
    bool content_started = false;  // the caller has got something, so there is no restart
    bool plugin_fault = false;
    bool client_left = false;  // and the answer was read on for its usage (ON_DISCONNECT=drain)
    std::chrono::microseconds duration{0};  // less the time that the client made it wait
    std::optional<std::chrono::milliseconds> first_content;
};

// One try of one candidate: a plugin's session under the four timers of design section 6. With a
// relay the deltas go to the caller as they come, nothing before the first content. Any of the
// timers ends it as kUpstreamTimeout, the caller's leaving as kCancelled, unless the attempt is to
// be drained: then it goes on without the relay and ends as it does, or as kCancelled at a bound of
// Settings. `deadline` is the request's own. `result` is empty before, and stands with the caller
// so that it is once in the memory of a stream.
Task<> RunAttempt(AttemptTools& tools, const routing::Candidate& candidate,
                  const completion::ChatRequest& request, StreamRelay* relay,
                  MonotonicTime deadline, Cancellation& caller, AttemptResult& result);

// The same for vectors, which come all at once.
Task<> RunAttempt(AttemptTools& tools, const routing::Candidate& candidate,
                  const completion::EmbeddingsRequest& request, MonotonicTime deadline,
                  Cancellation& caller, AttemptResult& result);

}  // namespace aim::pipeline
