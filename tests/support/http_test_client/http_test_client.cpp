#include "tests/support/http_test_client/http_test_client.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aim::test {

using Clock = std::chrono::steady_clock;

std::string HttpAnswer::Header(std::string_view name) const {
    const std::string wanted(name);
    for (const auto& [key, value] : headers) {
        if (strcasecmp(key.c_str(), wanted.c_str()) == 0) return value;
    }
    return {};
}

HttpTestClient::HttpTestClient(HttpTestClient&& other) noexcept
    : port_(other.port_),
      timeout_(other.timeout_),
      socket_(std::exchange(other.socket_, -1)),
      connections_(other.connections_),
      buffer_(std::move(other.buffer_)) {}

void HttpTestClient::Close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    buffer_.clear();
}

bool HttpTestClient::Connect() {
    Close();
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{timeout_.count() / 1000, (timeout_.count() % 1000) * 1000};
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++connections_;
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return true;
    Close();
    return false;
}

bool HttpTestClient::Send(std::string_view bytes) {
    if (socket_ < 0 && !Connect()) return false;
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void HttpTestClient::FinishSending() { ::shutdown(socket_, SHUT_WR); }

bool HttpTestClient::Fill() {
    pollfd descriptor{socket_, POLLIN, 0};
    if (socket_ < 0 || ::poll(&descriptor, 1, static_cast<int>(timeout_.count())) <= 0)
        return false;
    char bytes[65536];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
}

std::optional<HttpAnswer> HttpTestClient::ReadAnswer(bool to_head) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!Fill()) return std::nullopt;
    }
    HttpAnswer answer;
    std::string_view head = std::string_view(buffer_).substr(0, end + 2);
    const std::string status_line(head.substr(0, head.find("\r\n")));
    if (!status_line.starts_with("HTTP/1.1 ")) return std::nullopt;
    answer.status = std::atoi(status_line.c_str() + 9);
    head.remove_prefix(status_line.size() + 2);
    while (!head.empty()) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(line.size() + 2);
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) return std::nullopt;
        answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    buffer_.erase(0, end + 4);
    const bool has_body =
        !to_head && answer.status >= 200 && answer.status != 204 && answer.status != 304;
    const std::size_t length =
        has_body ? std::strtoul(answer.Header("Content-Length").c_str(), nullptr, 10) : 0;
    while (buffer_.size() < length) {
        if (!Fill()) return std::nullopt;
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
}

HttpAnswer HttpTestClient::Request(std::string_view method, std::string_view target,
                                   std::string_view body, const HttpHeaders& headers) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    bool has_type = false;
    for (const auto& [name, value] : headers) {
        text.append(name).append(": ").append(value).append("\r\n");
        has_type = has_type || strcasecmp(name.c_str(), "Content-Type") == 0;
    }
    if (!body.empty()) {
        if (!has_type) text.append("Content-Type: application/json\r\n");
        text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    }
    text.append("\r\n").append(body);
    // A kept connection may have been closed by the server in the meantime; a fresh one gets no
    // second try.
    const bool is_kept = socket_ >= 0;
    for (int attempt = is_kept ? 0 : 1; attempt < 2; ++attempt) {
        if (attempt == 1 && !Connect()) return {};
        Send(text);  // an early answer may be there although not all could be sent
        if (auto answer = ReadAnswer(method == "HEAD")) {
            if (strcasecmp(answer->Header("Connection").c_str(), "close") == 0) Close();
            return std::move(*answer);
        }
        Close();
    }
    return {};
}

bool HttpTestClient::WaitForClose(std::chrono::milliseconds time) {
    const auto deadline = Clock::now() + time;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd descriptor{socket_, POLLIN, 0};
        if (left <= 0 || ::poll(&descriptor, 1, static_cast<int>(left)) <= 0) return false;
        char bytes[65536];
        if (::recv(socket_, bytes, sizeof bytes, 0) <= 0) return true;
    }
}

}  // namespace aim::test
