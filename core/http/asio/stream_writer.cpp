#include "core/http/asio/stream_writer.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace aim::http {
namespace {

iovec Piece(std::string_view text) {
    // sendmsg reads only.
    return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

void StreamWriter::Begin(const Exchange& exchange) {
    exchange_ = exchange;
    state_ = State::kFresh;
}

ConnectionHeader StreamWriter::HeaderOfConnection() const {
    if (!exchange_.keep_alive) return ConnectionHeader::kClose;
    return exchange_.http_1_0 ? ConnectionHeader::kKeepAlive : ConnectionHeader::kNone;
}

void StreamWriter::MakeHead(Response& response, Framing framing) {
    chain_.After(*exchange_.request, exchange_.route, response, exchange_.middleware_entered);
    if (draining_ || ListHasToken(response.headers.Find("Connection"), "close"))
        exchange_.keep_alive = false;
    framing_ = StatusHasBody(response.status) ? framing : Framing::kNone;
    if (framing_ == Framing::kUntilClose) exchange_.keep_alive = false;
    head_.clear();
    AppendHead(response, framing_, HeaderOfConnection(), date_.Get(), head_);
}

Task<bool> StreamWriter::Send(Response response) {
    if (state_ != State::kFresh) co_return false;
    state_ = State::kDone;
    // Also for a client that has left: what After() counts and logs is true.
    MakeHead(response, Framing::kLength);
    if (Gone()) co_return false;
    const bool with_body = framing_ == Framing::kLength &&
                           exchange_.request->method != Method::kHead && !response.body.empty();
    std::array<iovec, 2> pieces = {Piece(head_), Piece(response.body)};
    const int count = with_body ? 2 : 1;
    co_return co_await connection_.Write(pieces.data(), count, write_stall_);
}

Task<bool> StreamWriter::Start(Response head) {
    if (state_ != State::kFresh) co_return false;
    state_ = State::kStreaming;
    MakeHead(head, exchange_.http_1_0 ? Framing::kUntilClose : Framing::kChunked);
    if (Gone()) co_return false;
    iovec piece = Piece(head_);
    const bool written = co_await connection_.Write(&piece, 1, write_stall_);
    // A stream may last for minutes; its head need not.
    std::string().swap(head_);
    co_return written;
}

Task<bool> StreamWriter::Write(std::string_view piece) {
    if (state_ != State::kStreaming || Gone()) co_return false;
    // An empty chunk would be the end.
    if (piece.empty() || framing_ == Framing::kNone || exchange_.request->method == Method::kHead)
        co_return true;
    if (framing_ == Framing::kUntilClose) {
        iovec whole = Piece(piece);
        co_return co_await connection_.Write(&whole, 1, write_stall_);
    }
    std::array<char, 20> size;
    char* end = std::to_chars(size.data(), size.data() + 16, piece.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    const std::string_view size_line(size.data(), static_cast<std::size_t>(end - size.data()));
    std::array<iovec, 3> pieces = {Piece(size_line), Piece(piece), Piece("\r\n")};
    co_return co_await connection_.Write(pieces.data(), 3, write_stall_);
}

Task<bool> StreamWriter::Finish() {
    if (state_ != State::kStreaming) co_return false;
    state_ = State::kDone;
    if (Gone()) co_return false;
    if (framing_ != Framing::kChunked || exchange_.request->method == Method::kHead) co_return true;
    iovec last = Piece("0\r\n\r\n");
    co_return co_await connection_.Write(&last, 1, write_stall_);
}

void StreamWriter::Abort() {
    if (finished()) return;
    state_ = State::kAborted;
    exchange_.keep_alive = false;
}

}  // namespace aim::http
