// What the fake provider was asked: every request with its fate, for tests to look at.
//
// Thread-safe. The newest 10,000 requests or 64 MiB of them are kept; older ones are dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/fake_provider/http_request.hpp"

namespace aim::testing {

struct RecordedRequest {
    std::uint64_t id = 0;
    std::uint64_t connection_id = 0;
    std::string tls_server_name;  // SNI, empty without TLS
    std::string method;
    std::string path;  // with the query
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string model;
    bool answered = false;  // the last byte of the answer was written
    // The client went away before that; milliseconds after the request was complete.
    std::optional<std::int64_t> client_closed_after_ms;

    // The first value of the header, case-insensitive, or empty.
    std::string_view Header(std::string_view name) const;
};

class RequestLog {
  public:
    static constexpr std::size_t kMaxRequests = 10'000;
    static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

    // Returns the record's id.
    std::uint64_t Add(const HttpRequest& request, std::uint64_t connection_id,
                      const std::string& server_name, const std::string& model);
    void Answered(std::uint64_t id);
    void ClientClosed(std::uint64_t id, std::chrono::milliseconds after);
    void CountUnrecorded();

    std::vector<RecordedRequest> Requests() const;
    std::string Json() const;
    void Clear();

    // Waits until the requests fulfil the condition; false when the time is over.
    bool WaitUntil(const std::function<bool(const std::vector<RecordedRequest>&)>& condition,
                   std::chrono::milliseconds limit) const;

  private:
    void ChangeLocked(std::uint64_t id, const std::function<void(RecordedRequest&)>& change);

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::deque<RecordedRequest> requests_;
    std::size_t bytes_ = 0;
    std::uint64_t next_id_ = 1;
    std::uint64_t unrecorded_ = 0;
};

}  // namespace aim::testing
