#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/system/error_code.hpp>

#include "core/base/clock.hpp"
#include "core/base/task.hpp"
#include "core/http/client/byte_buffer.hpp"
#include "core/http/client/tls_channel.hpp"

namespace aim::http::client {

class OriginPool;

// One connection to an origin, plain or TLS: moves bytes between its socket and two buffers and
// tells its user when something changed. It knows nothing of HTTP, deadlines or pools' limits.
// While idle in a pool it watches for input, which sees the peer's close at once and finds the next
// answer without another system call. Watching takes no buffer. One loop's thread. Held by its user
// and by the operations under way.
class Connection final
    : public boost::intrusive_ref_counter<Connection, boost::thread_unsafe_counter> {
  public:
    using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

    // Told of changes. OnChange() is called as the last thing of a completion; it may drop the
    // connection.
    class User {
      public:
        virtual void OnChange() = 0;

      protected:
        ~User() = default;
    };

    enum class End {
        kOpen,
        kPeerClosed,  // in order: FIN, on TLS after close_notify
        kTruncated,   // TLS: FIN without close_notify
        kBroken,      // reset or another error of the socket
        kTlsFailed,
        kClosed  // by us
    };

    Connection(const Executor& executor, OriginPool* pool);
    ~Connection();

    // Takes a connected socket. False when the system refuses to make it non-blocking.
    bool Adopt(Socket socket);
    bool connected() const { return connected_; }

    // From here on bytes go through TLS; the handshake is driven by WantInput(), and tls_ready()
    // tells its end.
    void StartTls(std::shared_ptr<const TlsContext> context, const std::string& host,
                  std::shared_ptr<TlsSessionSlot> sessions);
    bool tls_ready() const { return tls_ != nullptr && tls_->established(); }
    const TlsChannel* tls() const { return tls_.get(); }

    // Who is told; null while in the pool, which is then told itself.
    void SetUser(User* user) { user_ = user; }

    // What has come and was not consumed.
    ByteBuffer& input() { return input_; }
    // Sees to it that more input comes. True when something is new already (bytes, a finished
    // handshake, the end); else OnChange() will follow.
    bool WantInput();

    // Takes what the system has already, without waiting; nothing is told. True when input() grew.
    bool PollInput();

    // Sends both, in one call to the system where possible. They stay valid until output_pending()
    // is false or Close().
    void Write(std::string_view first, std::string_view second);
    bool output_pending() const {
        return !output_[0].empty() || !output_[1].empty() || !cipher_out_.empty();
    }
    // The peer takes no more. It may have answered all the same ("too large"), so this alone ends
    // nothing: reading tells.
    bool output_failed() const { return output_failed_; }

    // kOpen while more may come; the rest of input() is still readable after the end.
    End end() const { return end_; }
    const boost::system::error_code& error() const { return error_; }

    // Idempotent. Operations under way end in this turn of the loop; the user is not told any more.
    void Close();

    OriginPool* pool() const { return pool_; }
    void Forget() { pool_ = nullptr; }
    MonotonicTime created_at{};
    MonotonicTime idle_since{};
    bool used_before = false;

  private:
    struct ReadHandler;
    struct WriteHandler;

    void StartRead();
    void OnReadable(boost::system::error_code error);
    void OnWritten(const boost::system::error_code& error, std::size_t count);
    bool Decrypt();
    void EncryptOutput();
    void FlushOutput();
    void Consumed(std::size_t count);
    void DropOutput();
    void SetEnd(End end, const boost::system::error_code& error = {});
    void Tell();

    Socket socket_;
    OriginPool* pool_;
    User* user_ = nullptr;
    std::unique_ptr<TlsChannel> tls_;
    ByteBuffer input_;
    std::array<std::string_view, 2> output_;
    End end_ = End::kOpen;
    boost::system::error_code error_;
    bool connected_ = false;
    bool reading_ = false;
    bool writing_ = false;
    bool output_failed_ = false;
    std::string cipher_out_;  // being sent; TLS may make more meanwhile
};

using ConnectionPtr = boost::intrusive_ptr<Connection>;

}  // namespace aim::http::client
