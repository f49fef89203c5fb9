#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/http/header_map.hpp"
#include "services/cli/remote/endpoint.hpp"

namespace aim::cli {

// What was asked of a service and did not come as an Error with this code: Ctrl-C.
inline constexpr std::string_view kInterrupted = "interrupted";

struct RemoteAnswer {
    int status = 0;
    http::HeaderMap headers;
    std::string body;  // empty for a stream
    // Of a stream: why its body ended too early.
    std::optional<Error> cut;
};

// The engine's HTTP client for a program that does one thing after another: each call runs the loop
// on the caller's thread until it is over. From its making to its end SIGINT does not end the
// process but whatever is under way, at once (the connection is closed, so that the server stops as
// well); a second one ends the process. One thread.
class Remote {
  public:
    // How long it has waited so far; called about every second while a stream has sent nothing yet.
    using OnWait = std::function<void(std::chrono::seconds)>;

    // Fails (kInvalidRequest) for wrong proxy variables.
    static Result<std::unique_ptr<Remote>> Create(const config::Environment& environment);
    ~Remote();
    Remote(const Remote&) = delete;
    Remote& operator=(const Remote&) = delete;

    // Any status is an answer. Errors: kUpstreamFailure, kUpstreamTimeout, kProtocolError with a
    // sentence that names the service and its URL; kCancelled with the code kInterrupted.
    Result<RemoteAnswer> Call(const Endpoint& endpoint, std::string method, std::string path,
                              std::string body = {},
                              std::chrono::milliseconds timeout = std::chrono::seconds(15));

    // The text of a 2xx answer. Any other status is an Error too: upstream_status, the service's
    // own sentence and code.
    Result<std::string> Fetch(const Endpoint& endpoint, std::string method, std::string path,
                              std::string body = {},
                              std::chrono::milliseconds timeout = std::chrono::seconds(15));

    // POSTs and hands a 2xx answer's body to `on_data` as it comes, until that returns false. Of
    // other answers the body is in the result. An error of the body is in `cut`.
    Result<RemoteAnswer> Stream(const Endpoint& endpoint, std::string path, std::string body,
                                std::function<bool(const RemoteAnswer&, std::string_view)> on_data,
                                OnWait on_wait);

    // False when Ctrl-C ended it.
    bool Sleep(std::chrono::milliseconds time);

    // Whether Ctrl-C was pressed. Not from within a callback.
    bool interrupted();

  private:
    struct Engine;
    explicit Remote(std::unique_ptr<Engine> engine);
    std::unique_ptr<Engine> engine_;
};

// What an answer other than 2xx says, as an Error with its status.
Error RefusalOf(const Endpoint& endpoint, const RemoteAnswer& answer);

// The text of a URL's query value or path segment.
std::string PercentEncode(std::string_view text);

}  // namespace aim::cli
