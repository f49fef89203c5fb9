#include "core/pipeline/stream_relay.hpp"

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "core/json/writer.hpp"

namespace aim::pipeline {

StreamRelay::StreamRelay(http::ResponseWriter& writer, std::unique_ptr<StreamFormat> format,
                         TimerQueue& timers, const Settings& settings, Executor executor)
    : writer_(writer),
      format_(std::move(format)),
      settings_(settings),
      executor_(executor),
      comment_timer_(timers, [this] { OnCommentDue(); }),
      early_timer_(timers, [this] { OnEarlyDue(); }) {
    if (settings_.early_stream_head > std::chrono::milliseconds(0))
        early_timer_.ArmAfter(settings_.early_stream_head);
}

Task<> StreamRelay::WaitIdle() {
    if (!busy_) co_return;
    // Resumed by Release(), on this loop.
    auto wait = [this](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        when_idle_ = [this, shared] { boost::asio::post(executor_, [shared] { (*shared)(); }); };
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>&, void()>(
        wait, kUseTask);
}

void StreamRelay::Release() {
    busy_ = false;
    if (!when_idle_) return;
    const auto resume = std::exchange(when_idle_, nullptr);
    resume();
}

Task<bool> StreamRelay::StartHead(const routing::Candidate* candidate) {
    started_ = true;
    http::Response head;
    head.status = 200;
    head.headers.Add("Content-Type", "text/event-stream; charset=utf-8");
    head.headers.Add("Cache-Control", "no-cache");
    head.headers.Add("X-Accel-Buffering", "no");
    if (candidate != nullptr) {
        std::string score;
        json::Writer(score).Decimal(facts_.score);
        head.headers.Add("X-AIManager-Model", candidate->row->name);
        head.headers.Add("X-AIManager-Provider", candidate->row->provider);
        head.headers.Add("X-AIManager-Score", score);
        head.headers.Add("X-AIManager-Attempts", std::to_string(facts_.attempts));
        head.headers.Add("X-AIManager-Overhead-Us", std::to_string(facts_.overhead.count()));
    }
    const bool written = co_await writer_.Start(std::move(head));
    if (!written) gone_ = true;
    co_return written;
}

Task<bool> StreamRelay::Forward(const routing::Candidate& candidate,
                                const completion::DeltaBatch& batch) {
    early_timer_.Disarm();
    comment_timer_.Disarm();
    if (busy_) co_await WaitIdle();
    if (gone_) co_return false;
    if (!started_) {
        const bool written = co_await StartHead(&candidate);
        if (!written) co_return false;
    }
    if (!format_begun_) {
        format_begun_ = true;
        format_->Begin(candidate);
    }
    out_.clear();
    format_->AppendBatch(batch, out_);
    if (!out_.empty()) {
        const bool written = co_await writer_.Write(out_);
        if (!written) gone_ = true;
    }
    if (!gone_) comment_timer_.ArmAfter(settings_.stream_comment);
    co_return !gone_;
}

Task<> StreamRelay::End(const completion::Usage& usage) {
    co_await Close();
    if (gone_) co_return;
    out_.clear();
    format_->AppendEnd(usage, out_);
    const bool written = co_await writer_.Write(out_);
    if (written) co_await writer_.Finish();
}

Task<> StreamRelay::Fail(const Error& error) {
    co_await Close();
    if (gone_) co_return;
    out_.clear();
    format_->AppendError(error, out_);
    const bool written = co_await writer_.Write(out_);
    if (written) co_await writer_.Finish();
}

Task<> StreamRelay::Close() {
    ended_ = true;
    early_timer_.Disarm();
    comment_timer_.Disarm();
    if (busy_) co_await WaitIdle();
}

void StreamRelay::OnCommentDue() {
    if (ended_ || gone_ || busy_) return;
    busy_ = true;
    boost::asio::co_spawn(executor_, WriteComment(), boost::asio::detached);
}

Task<> StreamRelay::WriteComment() {
    constexpr std::string_view kComment = ": keep-alive\n\n";
    const bool written = co_await writer_.Write(kComment);
    if (!written) gone_ = true;
    if (!ended_ && !gone_) comment_timer_.ArmAfter(settings_.stream_comment);
    Release();
}

void StreamRelay::OnEarlyDue() {
    if (ended_ || started_ || busy_) return;
    busy_ = true;
    boost::asio::co_spawn(executor_, StartEarly(), boost::asio::detached);
}

Task<> StreamRelay::StartEarly() {
    const bool written = co_await StartHead(nullptr);
    if (written && !ended_) comment_timer_.ArmAfter(std::chrono::milliseconds(0));
    Release();
}

}  // namespace aim::pipeline
