#include "tests/unit/core/http/asio/raw_client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/http/header_map.hpp"

namespace aim::http {
namespace {

using SteadyClock = std::chrono::steady_clock;

bool WaitFor(int descriptor, short events, SteadyClock::time_point deadline) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
        pollfd wanted{descriptor, events, 0};
        const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(0, left)));
        if (ready > 0) return true;
        if (ready == 0 || errno != EINTR) return false;
    }
}

}  // namespace

bool Eventually(const std::function<bool()>& condition) {
    const auto deadline = SteadyClock::now() + kPatience;
    while (!condition()) {
        if (SteadyClock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

std::string RawResponse::Header(std::string_view name) const {
    std::string_view rest = head;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find("\r\n"), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 2, rest.size()));
        const std::size_t colon = line.find(": ");
        if (colon != std::string_view::npos && EqualsIgnoreCase(line.substr(0, colon), name))
            return std::string(line.substr(colon + 2));
    }
    return {};
}

RawClient::RawClient(std::uint16_t port, int receive_buffer) {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0)
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        Close();
}

RawClient::~RawClient() { Close(); }

void RawClient::Close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

void RawClient::HalfClose() { ::shutdown(descriptor_, SHUT_WR); }

void RawClient::Reset() {
    const linger now{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
}

bool RawClient::Send(std::string_view bytes) {
    const auto deadline = SteadyClock::now() + kPatience;
    while (!bytes.empty()) {
        if (!WaitFor(descriptor_, POLLOUT, deadline)) return false;
        const ssize_t sent =
            ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::SendByteByByte(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (!Send(bytes.substr(i, 1))) return false;
    }
    return true;
}

bool RawClient::Fill(SteadyClock::time_point deadline) {
    if (ended_ || descriptor_ < 0 || !WaitFor(descriptor_, POLLIN, deadline)) return false;
    char piece[65536];
    const ssize_t size = ::recv(descriptor_, piece, sizeof piece, 0);
    if (size <= 0) {
        ended_ = true;
        return false;
    }
    buffer_.append(piece, static_cast<std::size_t>(size));
    return true;
}

std::string RawClient::ReadSome(std::size_t size) {
    const auto deadline = SteadyClock::now() + kPatience;
    while (buffer_.size() < size && Fill(deadline)) {
    }
    return std::exchange(buffer_, {});
}

bool RawClient::Closes(std::chrono::milliseconds patience) {
    const auto deadline = SteadyClock::now() + patience;
    while (Fill(deadline)) buffer_.clear();
    return ended_;
}

RawResponse RawClient::ReadOne(bool head_only) {
    const auto deadline = SteadyClock::now() + kPatience;
    RawResponse response;
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!Fill(deadline)) return response;
    }
    response.head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    response.status = std::atoi(response.head.c_str() + 9);
    if (head_only || response.status < 200 || response.status == 204 || response.status == 304) {
        response.complete = true;
        return response;
    }
    if (EqualsIgnoreCase(response.Header("Transfer-Encoding"), "chunked")) {
        for (;;) {
            while ((end = buffer_.find("\r\n")) == std::string::npos) {
                if (!Fill(deadline)) return response;
            }
            const std::size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
            while (buffer_.size() < end + 2 + size + 2) {
                if (!Fill(deadline)) return response;
            }
            response.body.append(buffer_, end + 2, size);
            buffer_.erase(0, end + 2 + size + 2);
            if (size == 0) {
                response.complete = true;
                return response;
            }
        }
    }
    const std::string length = response.Header("Content-Length");
    const std::size_t size =
        length.empty() ? std::string::npos : std::strtoul(length.c_str(), nullptr, 10);
    while (buffer_.size() < size && Fill(deadline)) {
    }
    response.complete = length.empty() ? ended_ : buffer_.size() >= size;
    response.body = buffer_.substr(0, size);
    buffer_.erase(0, response.body.size());
    return response;
}

RawResponse RawClient::Read(bool head_only) {
    RawResponse response = ReadOne(head_only);
    if (response.status != 100) return response;
    response = ReadOne(head_only);
    response.continued = true;
    return response;
}

RawResponse RawClient::Ask(std::string_view request, bool head_only) {
    Send(request);
    return Read(head_only);
}

std::string PostRequest(std::string_view path, std::string_view body, std::string_view fields) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string GetRequest(std::string_view path, std::string_view fields) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) +
           "\r\n";
}

}  // namespace aim::http
