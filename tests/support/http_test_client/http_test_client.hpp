#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aim::test {

struct HttpAnswer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    // The first value of that name, without case; empty when there is none.
    std::string Header(std::string_view name) const;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// One keep-alive connection to 127.0.0.1, with plain blocking sockets and none of the product's
// code, so that a test sees the bytes as a stranger would. Every wait ends by the timeout. Connects
// when first used, and again after the server has closed. One thread.
class HttpTestClient {
  public:
    explicit HttpTestClient(std::uint16_t port,
                            std::chrono::milliseconds timeout = std::chrono::seconds(20))
        : port_(port), timeout_(timeout) {}
    ~HttpTestClient() { Close(); }
    HttpTestClient(HttpTestClient&& other) noexcept;
    HttpTestClient& operator=(HttpTestClient&&) = delete;

    // Status 0 when there was no answer. Adds Host and, with a body, Content-Length and
    // Content-Type: application/json (unless given).
    HttpAnswer Request(std::string_view method, std::string_view target, std::string_view body = {},
                       const HttpHeaders& headers = {});
    HttpAnswer Get(std::string_view target, const HttpHeaders& headers = {}) {
        return Request("GET", target, {}, headers);
    }
    HttpAnswer Post(std::string_view target, std::string_view body,
                    const HttpHeaders& headers = {}) {
        return Request("POST", target, body, headers);
    }

    // For tests of the protocol: bytes as they are, and the next answer (no body for `to_head`).
    bool Connect();
    bool Send(std::string_view bytes);
    std::optional<HttpAnswer> ReadAnswer(bool to_head = false);
    // True when the server closed within the time, with or without further bytes.
    bool WaitForClose(std::chrono::milliseconds time);
    // No more bytes from us.
    void FinishSending();
    void Close();

    int socket() const { return socket_; }
    // How often a connection was opened.
    int connections() const { return connections_; }

  private:
    bool Fill();

    std::uint16_t port_;
    std::chrono::milliseconds timeout_;
    int socket_ = -1;
    int connections_ = 0;
    std::string buffer_;
};

}  // namespace aim::test
