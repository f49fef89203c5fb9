#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/http/request.hpp"
#include "core/http/response.hpp"
#include "core/http/router.hpp"

namespace aim::http {

// Something every request passes on its way in and every answer on its way out: request id, key
// check, rate limit, CORS, headers. Sans-I/O: never waits. One object serves all loops, so it is
// thread-safe.
class Middleware {
  public:
    virtual ~Middleware() = default;

    // When the head is complete and the body may still be on its way (so that a refused caller need
    // not upload it), before the handler; `route` is null when nothing matched (the answer is then
    // a 404 or 405). A response ends the request here: neither the later middleware nor the handler
    // see it, but the After() of this and the earlier ones do.
    virtual std::optional<Response> Before(Request& request, const Route* route) = 0;

    // In place of Before() for a request that the server itself refuses (a bad head, a body too
    // large): fills in what the answer needs, decides nothing. Such a request may be incomplete.
    virtual void Refused(Request& request) { static_cast<void>(request); }

    // Before the head of the answer is written; for a stream the body is empty.
    virtual void After(const Request& request, const Route* route, Response& response) = 0;
};

// The chain in order; After() runs backwards. Built before the server starts.
class MiddlewareChain {
  public:
    void Add(std::unique_ptr<Middleware> middleware) { chain_.push_back(std::move(middleware)); }

    // `entered` counts the members that saw the request; After() needs it.
    std::optional<Response> Before(Request& request, const Route* route,
                                   std::size_t& entered) const {
        for (entered = 0; entered < chain_.size();) {
            if (auto response = chain_[entered++]->Before(request, route)) return response;
        }
        return std::nullopt;
    }
    void After(const Request& request, const Route* route, Response& response,
               std::size_t entered) const {
        while (entered > 0) chain_[--entered]->After(request, route, response);
    }
    // The same for who has no use for the count: After() then runs over all members.
    std::optional<Response> Before(Request& request, const Route* route) const {
        std::size_t entered = 0;
        return Before(request, route, entered);
    }
    void After(const Request& request, const Route* route, Response& response) const {
        After(request, route, response, chain_.size());
    }
    void Refused(Request& request) const {
        for (const auto& middleware : chain_) middleware->Refused(request);
    }
    std::size_t size() const { return chain_.size(); }

  private:
    std::vector<std::unique_ptr<Middleware>> chain_;
};

}  // namespace aim::http
