#include "core/http/router.hpp"

#include <algorithm>

#include "core/http/url.hpp"

namespace aim::http {
namespace {

// Cuts the first segment off a path that begins with '/'.
std::string_view TakeSegment(std::string_view& path) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    return segment;
}

bool IsParameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool IsRest(std::string_view segment) { return IsParameter(segment) && segment.ends_with("...}"); }

std::string_view ParameterName(std::string_view segment) {
    segment = segment.substr(1, segment.size() - 2);
    if (segment.ends_with("...")) segment.remove_suffix(3);
    return segment;
}

// Whether `path` has the shape of `pattern`. Takes the values when `parameters` is given; a value
// that is badly encoded is no match.
bool Matches(std::string_view pattern, std::string_view path, PathParameters* parameters) {
    if (path.empty() || path.front() != '/') return false;
    while (!pattern.empty() && !path.empty()) {
        const std::string_view wanted = TakeSegment(pattern);
        if (IsRest(wanted)) {
            auto value = PercentDecode(path.substr(1));
            if (!value) return false;
            if (parameters != nullptr) parameters->Add(ParameterName(wanted), std::move(*value));
            return true;
        }
        const std::string_view given = TakeSegment(path);
        if (!IsParameter(wanted)) {
            if (wanted != given) return false;
            continue;
        }
        auto value = PercentDecode(given);
        if (!value || value->empty()) return false;
        if (parameters != nullptr) parameters->Add(ParameterName(wanted), std::move(*value));
    }
    return pattern.empty() && path.empty();
}

// Segment by segment a literal comes before a parameter, and that before the rest of a path: 0,
// 1, 2.
bool MoreSpecific(std::string_view a, std::string_view b) {
    const auto rank = [](std::string_view segment) {
        return IsRest(segment) ? 2 : IsParameter(segment) ? 1 : 0;
    };
    while (!a.empty() && !b.empty()) {
        const int rank_a = rank(TakeSegment(a));
        const int rank_b = rank(TakeSegment(b));
        if (rank_a != rank_b) return rank_a < rank_b;
    }
    return false;
}

bool Serves(Method route, Method asked) {
    return route == asked || (route == Method::kGet && asked == Method::kHead);
}

}  // namespace

void Router::Add(Method method, std::string_view pattern, PlainHandler handler,
                 RoutePolicy policy) {
    Insert({method, std::string(pattern), policy, std::move(handler)});
}

void Router::AddStream(Method method, std::string_view pattern, StreamHandler handler,
                       RoutePolicy policy) {
    Insert({method, std::string(pattern), policy, std::move(handler)});
}

void Router::Insert(Route route) {
    const auto same = std::find_if(routes_.begin(), routes_.end(), [&](const Route& other) {
        return other.method == route.method && other.pattern == route.pattern;
    });
    if (same != routes_.end()) {
        *same = std::move(route);
        return;
    }
    // Kept in the order in which they are tried, so that the first match is the most specific.
    const auto place = std::find_if(routes_.begin(), routes_.end(), [&](const Route& other) {
        return MoreSpecific(route.pattern, other.pattern);
    });
    routes_.insert(place, std::move(route));
}

Router::Match Router::Find(Method method, std::string_view path, PathParameters& parameters) const {
    Match match;
    parameters.Clear();
    // Literal paths are the most specific ones and the busiest: compared as they are.
    for (const Route& route : routes_) {
        if (route.pattern != path || !Serves(route.method, method)) continue;
        if (route.pattern.find('{') != std::string::npos) break;
        match.route = &route;
        return match;
    }
    // The most specific pattern owns the path: a method that it does not have is a 405 and never
    // somebody else's, so that DELETE /models/best deletes no model named "best".
    const Route* owner = nullptr;
    bool allowed[static_cast<std::size_t>(Method::kOther) + 1] = {};
    for (const Route& route : routes_) {
        if (!Matches(route.pattern, path, nullptr)) continue;
        if (owner == nullptr) owner = &route;
        if (MoreSpecific(owner->pattern, route.pattern)) continue;
        if (Serves(route.method, method)) {
            Matches(route.pattern, path, &parameters);
            match.route = &route;
            return match;
        }
        allowed[static_cast<std::size_t>(route.method)] = true;
        if (route.method == Method::kGet) allowed[static_cast<std::size_t>(Method::kHead)] = true;
    }
    for (std::size_t i = 0; i < std::size(allowed); ++i) {
        if (!allowed[i]) continue;
        if (!match.allow.empty()) match.allow += ", ";
        match.allow += MethodName(static_cast<Method>(i));
    }
    return match;
}

}  // namespace aim::http
