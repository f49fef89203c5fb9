#include "plugins/gemini/operation_url.hpp"

#include <algorithm>

#include "plugins/common/canonical_chat.hpp"

namespace aim::gemini {
namespace {

struct Pieces {
    std::string_view path;  // without '/' at the end
    std::string_view query;
};

Pieces Split(std::string_view endpoint) {
    const std::size_t mark = std::min(endpoint.find('?'), endpoint.size());
    Pieces pieces{endpoint.substr(0, mark), endpoint.substr(std::min(mark + 1, endpoint.size()))};
    while (!pieces.path.empty() && pieces.path.back() == '/') {
        pieces.path.remove_suffix(1);
    }
    return pieces;
}

// Where ":operation" begins in ".../models/NAME:operation"; npos when there is none.
std::size_t OperationAt(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::size_t colon = path.rfind(':');
    constexpr std::string_view kFolder = "odels";  // of models and tunedModels
    const bool found = slash != path.npos && colon != path.npos && colon > slash &&
                       slash > kFolder.size() &&
                       path.substr(slash - kFolder.size(), kFolder.size()) == kFolder;
    return found ? colon : path.npos;
}

std::string WithQuery(std::string url, std::string_view query, std::string_view parameter) {
    char mark = '?';
    for (const std::string_view piece : {query, parameter}) {
        if (!piece.empty()) {
            url += mark;
            url += piece;
            mark = '&';
        }
    }
    return url;
}

}  // namespace

std::string OperationUrl(std::string_view endpoint, std::string_view model,
                         std::string_view operation, std::string_view parameter) {
    const Pieces pieces = Split(endpoint);
    std::string url;
    const std::size_t at = OperationAt(pieces.path);
    if (at != pieces.path.npos) {
        url = pieces.path.substr(0, at);
    } else {
        url = pieces.path;
        url += model.find('/') == model.npos ? "/models/" : "/";
        url += native::PathEncoded(model);
    }
    url += ':';
    url += operation;
    return WithQuery(std::move(url), pieces.query, parameter);
}

std::string ModelsUrl(std::string_view endpoint, std::string_view parameters) {
    const Pieces pieces = Split(endpoint);
    std::string url(pieces.path);
    if (OperationAt(pieces.path) != pieces.path.npos) {
        url.resize(std::min(url.find("/models/"), url.size()));
    }
    return WithQuery(url + "/models", pieces.query, parameters);
}

}  // namespace aim::gemini
