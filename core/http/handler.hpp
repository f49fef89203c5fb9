#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/cancellation.hpp"
#include "core/base/task.hpp"
#include "core/http/request.hpp"
#include "core/http/response.hpp"

namespace aim::http {

// The values of a route's {parameters}, percent-decoded.
class PathParameters {
  public:
    void Add(std::string_view name, std::string value) {
        values_.emplace_back(name, std::move(value));
    }
    // Empty when the route has no such parameter.
    std::string_view Get(std::string_view name) const {
        for (const auto& [key, value] : values_) {
            if (key == name) return value;
        }
        return {};
    }
    void Clear() { values_.clear(); }

  private:
    std::vector<std::pair<std::string_view, std::string>> values_;
};

// Request in, response out, at once: health, models, documents, metrics. Runs on either server;
// must not block on the asio one.
using PlainHandler = std::function<Response(const Request&, const PathParameters&)>;

// Writes one answer to a client. Exactly one of Send() or Start() is called, once. All calls are
// awaited before the next. False from a write means that the client is gone; the handler then winds
// up, nothing it writes goes anywhere.
class ResponseWriter {
  public:
    virtual ~ResponseWriter() = default;

    // The whole answer, with its length.
    virtual Task<bool> Send(Response response) = 0;

    // The head of a stream; the body of `head` is ignored. The body follows in chunks (HTTP/1.0:
    // until close).
    virtual Task<bool> Start(Response head) = 0;

    // A piece of the stream, flushed. Suspends while the client's socket takes no more, so that a
    // reader who does not read stops who writes.
    virtual Task<bool> Write(std::string_view piece) = 0;

    // The regular end of the stream.
    virtual Task<bool> Finish() = 0;

    // Gives up: the connection is closed without the terminating chunk, so that the client can see
    // that something is missing.
    virtual void Abort() = 0;

    virtual bool started() const = 0;
};

// One exchange on the asio server. Lives until the handler returns; one loop's thread.
struct Exchange {
    Request& request;  // the handler may take the body away once it has read it
    const PathParameters& parameters;
    ResponseWriter& writer;
    // Raised when the client left or the server gives up, also while the handler waits for
    // something else.
    Cancellation& cancellation;
};

// A coroutine that may wait and stream. It must have answered when it returns, else the client gets
// 500. Runs on asio only.
using StreamHandler = std::function<Task<>(Exchange&)>;

}  // namespace aim::http
