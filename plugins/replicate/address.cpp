#include "plugins/replicate/address.hpp"

#include <algorithm>

#include "plugins/common/canonical_chat.hpp"

namespace aim::replicate {
namespace {

constexpr std::string_view kPredictions = "/predictions";

std::string_view Trimmed(std::string_view endpoint) {
    endpoint = endpoint.substr(0, endpoint.find('?'));
    while (!endpoint.empty() && endpoint.back() == '/') {
        endpoint.remove_suffix(1);
    }
    return endpoint;
}

bool EndsWith(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool Begins(std::string_view text, std::string_view begin) {
    return text.substr(0, begin.size()) == begin;
}

// Scheme, host and port.
std::string_view Origin(std::string_view url) {
    const std::size_t scheme = url.find("://");
    return scheme == url.npos ? std::string_view() : url.substr(0, url.find('/', scheme + 3));
}

}  // namespace

Creation CreationOf(std::string_view endpoint, std::string_view model) {
    const std::string_view path = Trimmed(endpoint);
    const bool by_version = model.find(':') != model.npos || model.find('/') == model.npos;
    if (EndsWith(path, kPredictions)) {
        const bool names_model =
            path.find("/models/") != path.npos || path.find("/deployments/") != path.npos;
        return {std::string(endpoint), names_model ? std::string() : std::string(model)};
    }
    std::string url(path);
    if (by_version) {
        return {url + std::string(kPredictions), std::string(model)};
    }
    url += Begins(model, "deployments/") ? "/" : "/models/";
    return {url + native::PathEncoded(model) + std::string(kPredictions), {}};
}

std::string BaseUrl(std::string_view endpoint) {
    std::string_view base = Trimmed(endpoint);
    if (EndsWith(base, kPredictions)) {
        base.remove_suffix(kPredictions.size());
        base = base.substr(0, std::min(base.find("/models/"), base.find("/deployments/")));
    }
    return std::string(base);
}

std::string PredictionUrl(std::string_view endpoint, std::string_view id) {
    return BaseUrl(endpoint) + std::string(kPredictions) + "/" + native::PathEncoded(id);
}

bool IsOurs(std::string_view url, std::string_view endpoint) {
    return Begins(url, "https://api.replicate.com/") ||
           Begins(url, "https://stream.replicate.com/") ||
           (!Origin(url).empty() && Origin(url) == Origin(endpoint));
}

}  // namespace aim::replicate
