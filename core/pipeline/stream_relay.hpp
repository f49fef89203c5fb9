#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/completion/chat_delta.hpp"
#include "core/completion/usage.hpp"
#include "core/http/handler.hpp"
#include "core/pipeline/settings.hpp"
#include "core/routing/candidate.hpp"

namespace aim::pipeline {

// How a caller's protocol writes a stream. One object a stream.
class StreamFormat {
  public:
    virtual ~StreamFormat() = default;
    // Before anything else: which model answers.
    virtual void Begin(const routing::Candidate& candidate) = 0;
    virtual void AppendBatch(const completion::DeltaBatch& batch, std::string& out) = 0;
    virtual void AppendEnd(const completion::Usage& usage, std::string& out) = 0;
    virtual void AppendError(const Error& error, std::string& out) = 0;
};

// Brings a stream to the caller: the head with the first content, the pieces as they come, comments
// while nothing comes, an end or an error. One loop's thread; End() or Fail() or Close() is awaited
// before it is destroyed.
class StreamRelay {
  public:
    StreamRelay(http::ResponseWriter& writer, std::unique_ptr<StreamFormat> format,
                TimerQueue& timers, const Settings& settings, Executor executor);
    StreamRelay(const StreamRelay&) = delete;
    StreamRelay& operator=(const StreamRelay&) = delete;

    // The next attempt begins; what its head would say.
    struct AttemptFacts {
        int attempts = 1;
        double score = 0;
        std::chrono::microseconds overhead{0};
    };
    void OnAttempt(const AttemptFacts& facts) { facts_ = facts; }

    // Sends a batch, and the head before the first one. False: the client is gone.
    Task<bool> Forward(const routing::Candidate& candidate, const completion::DeltaBatch& batch);

    // The regular end. Everything must have been forwarded.
    Task<> End(const completion::Usage& usage);

    // The end after a failure, when something was sent: an error event in the caller's protocol, no
    // normal terminator.
    Task<> Fail(const Error& error);

    // Waits until nothing of this object is under way any more. For a stream that never began.
    Task<> Close();

    // The caller has got a head: what fails from now on ends in an error event.
    bool started() const { return started_; }

  private:
    Task<> WaitIdle();
    Task<bool> StartHead(const routing::Candidate* candidate);
    Task<> WriteComment();
    Task<> StartEarly();
    void OnCommentDue();
    void OnEarlyDue();
    void Release();

    http::ResponseWriter& writer_;
    std::unique_ptr<StreamFormat> format_;
    const Settings& settings_;
    Executor executor_;
    AttemptFacts facts_;
    TimerQueue::Timer comment_timer_;
    TimerQueue::Timer early_timer_;
    bool started_ = false;
    bool format_begun_ = false;
    bool gone_ = false;
    bool ended_ = false;
    bool busy_ = false;  // a comment is being written
    std::function<void()> when_idle_;
    std::string out_;
};

}  // namespace aim::pipeline
