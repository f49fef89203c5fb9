#include "core/http/client/connection.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "core/http/client/connection_pool.hpp"

namespace aim::http::client {
namespace {

// Encrypted at once, so that a large body does not stand in memory twice.
constexpr std::size_t kEncryptAtOnce = 64 * 1024;

}  // namespace

struct Connection::ReadHandler {
    ConnectionPtr connection;
    void operator()(const boost::system::error_code& error) { connection->OnReadable(error); }
};

struct Connection::WriteHandler {
    ConnectionPtr connection;
    void operator()(const boost::system::error_code& error, std::size_t count) {
        connection->OnWritten(error, count);
    }
};

Connection::Connection(const Executor& executor, OriginPool* pool)
    : socket_(executor), pool_(pool) {}

Connection::~Connection() { Close(); }

bool Connection::Adopt(Socket socket) {
    socket_ = std::move(socket);
    boost::system::error_code error;
    socket_.non_blocking(true, error);
    if (error) {
        SetEnd(End::kBroken, error);
        return false;
    }
    // Requests are written whole: waiting for more to send would only add delay.
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), error);
    connected_ = true;
    return true;
}

void Connection::StartTls(std::shared_ptr<const TlsContext> context, const std::string& host,
                          std::shared_ptr<TlsSessionSlot> sessions) {
    tls_ = std::make_unique<TlsChannel>(std::move(context), host, std::move(sessions));
}

void Connection::SetEnd(End end, const boost::system::error_code& error) {
    if (end_ != End::kOpen) return;
    end_ = end;
    error_ = error;
}

void Connection::Tell() {
    if (user_ != nullptr) {
        user_->OnChange();
    } else if (pool_ != nullptr) {
        pool_->OnIdleChange(*this);
    }
}

bool Connection::WantInput() {
    if (end_ != End::kOpen) return true;
    if (reading_) return false;
    if (tls_ && Decrypt()) return true;
    StartRead();
    return false;
}

bool Connection::PollInput() {
    if (end_ != End::kOpen || reading_ || !connected_) return false;
    ByteBuffer& buffer = tls_ ? tls_->incoming() : input_;
    const auto room = buffer.Space();
    boost::system::error_code error;
    const std::size_t count =
        socket_.read_some(boost::asio::buffer(room.data(), room.size()), error);
    if (error) return false;  // nothing there, or the end, which the next real read finds
    buffer.Commit(count);
    if (tls_) Decrypt();
    return !input_.empty();
}

void Connection::StartRead() {
    reading_ = true;
    input_.Rest();
    if (tls_) tls_->incoming().Rest();
    socket_.async_wait(Socket::wait_read, ReadHandler{this});
}

void Connection::OnReadable(boost::system::error_code error) {
    reading_ = false;
    if (end_ == End::kClosed) return;
    ByteBuffer& buffer = tls_ ? tls_->incoming() : input_;
    if (!error) {
        const auto room = buffer.Space();
        buffer.Commit(socket_.read_some(boost::asio::buffer(room.data(), room.size()), error));
        if (error == boost::asio::error::would_block) return StartRead();
    }
    if (error) {
        const bool eof = error == boost::asio::error::eof;
        if (eof && tls_) {
            SetEnd(End::kTruncated, error);
        } else {
            SetEnd(eof ? End::kPeerClosed : End::kBroken, error);
        }
        return Tell();
    }
    if (tls_ && !Decrypt()) return StartRead();
    Tell();
}

// Runs TLS over what has come. True when there is something new for the user.
bool Connection::Decrypt() {
    bool news = false;
    if (!tls_->established()) {
        const TlsChannel::Status status = tls_->Handshake();
        if (!tls_->outgoing().empty()) FlushOutput();
        if (status == TlsChannel::Status::kFailed || status == TlsChannel::Status::kClosed) {
            SetEnd(End::kTlsFailed);
            return true;
        }
        if (status == TlsChannel::Status::kWantInput) return end_ != End::kOpen;
        news = true;
        if (tls_->incoming().empty()) return true;
    }
    // One buffer's worth: the rest waits until the reader comes back.
    std::size_t total = 0;
    while (total < ByteBuffer::kLargestRead) {
        const auto room = input_.Space();
        std::size_t count = 0;
        const TlsChannel::Status status = tls_->Read(room, count);
        if (status == TlsChannel::Status::kDone) {
            input_.Commit(count);
            total += count;
            news = true;
            continue;
        }
        if (status == TlsChannel::Status::kClosed) SetEnd(End::kPeerClosed);
        if (status == TlsChannel::Status::kFailed) SetEnd(End::kTlsFailed);
        break;
    }
    if (!tls_->outgoing().empty() && !writing_) FlushOutput();  // an answer to a key update
    return news || end_ != End::kOpen;
}

void Connection::Write(std::string_view first, std::string_view second) {
    output_ = {first, second};
    FlushOutput();
}

void Connection::EncryptOutput() {
    std::string& outgoing = tls_->outgoing();
    for (std::string_view& part : output_) {
        if (part.empty() || outgoing.size() >= kEncryptAtOnce) continue;
        const std::string_view piece = part.substr(0, kEncryptAtOnce);
        if (tls_->Write(piece) != TlsChannel::Status::kDone) {
            SetEnd(End::kTlsFailed);
            return;
        }
        part.remove_prefix(piece.size());
    }
}

void Connection::Consumed(std::size_t count) {
    if (tls_) {
        cipher_out_.erase(0, count);
        return;
    }
    for (std::string_view& part : output_) {
        const std::size_t piece = std::min(count, part.size());
        part.remove_prefix(piece);
        count -= piece;
    }
}

void Connection::FlushOutput() {
    while (!writing_ && !output_failed_ && end_ == End::kOpen) {
        std::array<boost::asio::const_buffer, 2> buffers;
        if (tls_) {
            if (cipher_out_.empty()) {
                if (tls_->established()) EncryptOutput();
                cipher_out_.swap(tls_->outgoing());
            }
            buffers[0] = boost::asio::buffer(cipher_out_);
        } else {
            buffers = {boost::asio::buffer(output_[0]), boost::asio::buffer(output_[1])};
        }
        if (boost::asio::buffer_size(buffers) == 0) return;
        boost::system::error_code error;
        const std::size_t count = socket_.send(buffers, 0, error);
        if (!error) {
            Consumed(count);
        } else if (error == boost::asio::error::would_block ||
                   error == boost::asio::error::try_again) {
            writing_ = true;
            socket_.async_write_some(buffers, WriteHandler{this});
        } else {
            DropOutput();
        }
    }
}

void Connection::DropOutput() {
    output_failed_ = true;
    output_ = {};
    cipher_out_.clear();
}

void Connection::OnWritten(const boost::system::error_code& error, std::size_t count) {
    writing_ = false;
    if (end_ == End::kClosed) return;
    if (error) {
        DropOutput();
    } else {
        Consumed(count);
        FlushOutput();
    }
    Tell();
}

void Connection::Close() {
    if (end_ != End::kClosed) {
        if (tls_ && end_ == End::kOpen && !writing_ && connected_) {
            tls_->outgoing().clear();
            tls_->Shutdown();
            boost::system::error_code ignored;
            if (!tls_->outgoing().empty())
                socket_.send(boost::asio::buffer(tls_->outgoing()), 0, ignored);
        }
        end_ = End::kClosed;
        output_ = {};
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    user_ = nullptr;
    if (OriginPool* pool = std::exchange(pool_, nullptr)) pool->OnClosed();
}

}  // namespace aim::http::client
