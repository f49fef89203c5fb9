#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/http/handler.hpp"
#include "core/security/scope.hpp"

namespace aim::http {

// How errors on a route are written (contract.md "Errors").
enum class Protocol { kNative, kOpenAi };

// What the middleware needs to know of a route.
struct RoutePolicy {
    bool open = false;          // no key needed
    bool rate_limited = false;  // a POST that reaches a provider
    Protocol protocol = Protocol::kNative;
    security::Scope scope = security::Scope::kNone;  // what the key must be good for
};

struct Route {
    Method method;
    std::string pattern;  // "/api/v1/models/{id}/stats"; also the label of metrics
    RoutePolicy policy;
    std::variant<PlainHandler, StreamHandler> handler;
};

// Finds the handler of a request. Built before the server starts, read-only afterwards, so any
// thread may ask.
class Router {
  public:
    // Patterns begin with '/'; a segment is literal or one {name}. The last segment may be
    // {name...}: the rest of the path, slashes included. A literal segment wins over a parameter. A
    // second route of the same method and pattern replaces the first.
    void Add(Method method, std::string_view pattern, PlainHandler handler,
             RoutePolicy policy = {});
    void AddStream(Method method, std::string_view pattern, StreamHandler handler,
                   RoutePolicy policy = {});

    struct Match {
        const Route* route = nullptr;  // null: no such path, or another method
        std::string allow;             // for 405: the methods that the path has; empty: 404
    };
    // HEAD matches a GET route. `parameters` is cleared and filled in.
    Match Find(Method method, std::string_view path, PathParameters& parameters) const;

    const std::vector<Route>& routes() const { return routes_; }

  private:
    void Insert(Route route);

    std::vector<Route> routes_;  // the most specific first
};

}  // namespace aim::http
