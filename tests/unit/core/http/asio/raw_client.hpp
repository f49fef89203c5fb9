#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace aim::http {

inline constexpr std::chrono::seconds kPatience{10};

// Waits until `condition` holds; false when it does not within kPatience.
bool Eventually(const std::function<bool()>& condition);

// One answer as it came over the wire, without 100 Continue before it.
struct RawResponse {
    int status = 0;  // 0: none came before the connection ended or patience did
    std::string head;
    std::string body;
    bool complete = false;   // the body ended as its head had said
    bool continued = false;  // 100 Continue came first

    // The value of a header; empty without it.
    std::string Header(std::string_view name) const;
};

// A client of bytes: sends what it is given, reads answers one after the other. Every wait is
// bounded.
class RawClient {
  public:
    explicit RawClient(std::uint16_t port, int receive_buffer = 0);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    // False when the server has closed.
    bool Send(std::string_view bytes);
    bool SendByteByByte(std::string_view bytes);

    // `head_only`: the answer to a HEAD.
    RawResponse Read(bool head_only = false);
    // The same request and answer in one.
    RawResponse Ask(std::string_view request, bool head_only = false);
    // At least `size` bytes of whatever comes, as they are.
    std::string ReadSome(std::size_t size);
    // True when the server closes (end or reset) before `patience` is over; what comes before that
    // is thrown away.
    bool Closes(std::chrono::milliseconds patience = kPatience);

    void HalfClose();
    void Reset();  // ends with RST
    void Close();
    bool connected() const { return descriptor_ >= 0; }

  private:
    bool Fill(std::chrono::steady_clock::time_point deadline);
    RawResponse ReadOne(bool head_only);

    int descriptor_ = -1;
    bool ended_ = false;
    std::string buffer_;
};

// "POST path HTTP/1.1" with a Host, these header lines (each with its CRLF) and this body with its
// length.
std::string PostRequest(std::string_view path, std::string_view body, std::string_view fields = "");
std::string GetRequest(std::string_view path, std::string_view fields = "");

}  // namespace aim::http
