#include "tests/support/fake_provider/connection.hpp"

#include <algorithm>

namespace aim::testing {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
// A client that pipelines more than this while its answer is pending is cut off.
constexpr std::size_t kMaxInputBytes = kMaxBodyBytes + kMaxHeadBytes + kReadBytes;

}  // namespace

Connection::Connection(int socket, SSL_CTX* context, std::uint64_t id, ServerState& state,
                       Answerer& answerer, LoopTimers& timers)
    : state_(state), answerer_(answerer), timers_(timers), transport_(socket, context), id_(id) {
    ++state_.counters.connections_total;
    ++state_.counters.connections_open;
}

Connection::~Connection() {
    ClientLeft();
    --state_.counters.connections_open;
}

// An answer that is still pending when the connection dies was left by its client.
void Connection::ClientLeft() {
    if (!plan_ || record_id_ == 0) return;
    state_.log.ClientClosed(record_id_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                            LoopClock::now() - asked_at_));
    record_id_ = 0;
}

bool Connection::OnReady(bool peer_closed) {
    if (!ready_) {
        const IoState state = transport_.Handshake();
        if (state == IoState::kWouldBlock) return true;
        if (state != IoState::kOk) return false;
        ready_ = true;
        if (transport_.tls()) {
            server_name_ = transport_.ServerName();
            ++state_.counters.tls_handshakes;
            if (transport_.resumed()) ++state_.counters.tls_resumed;
        }
    }
    return ReadAll(peer_closed) != Next::kOver && Run();
}

bool Connection::OnTimer(std::uint64_t token) {
    if (!waiting_ || token != timer_token_) return true;
    waiting_ = false;
    return Run();
}

// Edge-triggered: reads until the socket has nothing more. A short read of a plain socket says so
// too, unless the end of the stream is waiting behind it, for which no further event would come.
Connection::Next Connection::ReadAll(bool peer_closed) {
    thread_local char buffer[kReadBytes];
    while (true) {
        const IoResult result = transport_.Read(buffer, sizeof buffer);
        if (result.state == IoState::kWouldBlock) return Next::kWait;
        if (result.state != IoState::kOk) return Next::kOver;
        input_.append(buffer, result.bytes);
        if (input_.size() > kMaxInputBytes) return Next::kOver;
        if (!transport_.tls() && !peer_closed && result.bytes < sizeof buffer) return Next::kWait;
    }
}

bool Connection::Run() {
    while (true) {
        const Next next = plan_ ? Write() : StartRequest();
        if (next == Next::kOver) return false;
        if (next == Next::kWait) return true;
    }
}

Connection::Next Connection::StartRequest() {
    if (input_.size() < needed_) return Next::kWait;
    switch (ReadHttpRequest(input_, &request_, &needed_)) {
        case RequestState::kIncomplete:
            if (request_.expects_continue && !continue_sent_) {
                continue_sent_ = true;
                static_cast<void>(transport_.Write("HTTP/1.1 100 Continue\r\n\r\n"));
            }
            return Next::kWait;
        case RequestState::kMalformed: {
            const std::string body =
                ErrorBody("The HTTP request is malformed.", "invalid_request_error", "bad_http");
            const AnswerPlan plan = PlanJsonAnswer(400, body, {true, false});
            static_cast<void>(transport_.Write(plan.pieces.front().bytes));
            transport_.Close(true);
            return Next::kOver;
        }
        case RequestState::kComplete:
            break;
    }
    Answer answer = answerer_.AnswerTo(request_, id_, server_name_);
    if (request_.bytes == input_.size()) {
        input_.clear();
    } else {
        input_.erase(0, request_.bytes);
    }
    needed_ = 1;
    continue_sent_ = false;
    plan_ = std::move(answer.plan);
    record_id_ = answer.record_id;
    asked_at_ = due_ = LoopClock::now();
    piece_ = offset_ = 0;
    delay_over_ = false;
    return Next::kGoOn;
}

void Connection::WaitFor(std::chrono::milliseconds delay) {
    due_ += delay;
    waiting_ = true;
    timers_.At(due_, id_, ++timer_token_);
}

Connection::Next Connection::Write() {
    if (waiting_) return Next::kWait;
    while (piece_ < plan_->pieces.size()) {
        const AnswerPiece& piece = plan_->pieces[piece_];
        if (!delay_over_ && piece.delay_before.count() > 0) {
            delay_over_ = true;
            WaitFor(piece.delay_before);
            return Next::kWait;
        }
        delay_over_ = true;
        std::string_view bytes = std::string_view(piece.bytes).substr(offset_);
        if (plan_->write_size > 0) bytes = bytes.substr(0, plan_->write_size);
        const IoResult result = transport_.Write(bytes);
        if (result.state == IoState::kWouldBlock) return Next::kWait;
        if (result.state != IoState::kOk) return Next::kOver;
        offset_ += result.bytes;
        state_.counters.bytes_written.fetch_add(result.bytes, std::memory_order_relaxed);
        const bool whole = offset_ == piece.bytes.size();
        if (whole) {
            offset_ = 0;
            delay_over_ = false;
            ++piece_;
            if (piece_ == plan_->pieces.size() && plan_->repeat_from) piece_ = *plan_->repeat_from;
        }
        // Each small write has a loop turn of its own, so that the reader has a chance to see it
        // alone.
        if (plan_->write_size > 0 && piece_ < plan_->pieces.size()) {
            due_ = LoopClock::now();
            WaitFor(plan_->write_gap);
            return Next::kWait;
        }
    }
    return FinishAnswer();
}

Connection::Next Connection::FinishAnswer() {
    switch (plan_->end) {
        case AnswerEnd::kStall:
            return Next::kWait;
        case AnswerEnd::kKeepOpen:
            if (record_id_ != 0) state_.log.Answered(record_id_);
            plan_.reset();
            return Next::kGoOn;
        case AnswerEnd::kClose:
            if (record_id_ != 0) state_.log.Answered(record_id_);
            transport_.Close(plan_->close_notify);
            break;
        case AnswerEnd::kReset:
            if (record_id_ != 0) state_.log.Answered(record_id_);
            transport_.Reset();
            break;
    }
    plan_.reset();
    return Next::kOver;
}

}  // namespace aim::testing
