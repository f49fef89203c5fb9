#include "core/http/middleware/json_body.hpp"

#include <string>

namespace aim::http {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kJsonSuffix = "+json";
constexpr std::size_t kLongestShown = 100;

bool HasBody(const Request& request) {
    if (request.headers.Has("Transfer-Encoding")) return true;
    const std::string_view length = request.headers.Find("Content-Length");
    return !length.empty() && length.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

bool IsJsonType(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
    if (EqualsIgnoreCase(type, kJson)) return true;
    return type.size() > kJsonSuffix.size() &&
           EqualsIgnoreCase(type.substr(type.size() - kJsonSuffix.size()), kJsonSuffix);
}

std::optional<Response> JsonBodyMiddleware::Before(Request& request, const Route* route) {
    if (route == nullptr || !HasBody(request)) return std::nullopt;
    const std::string_view coding = request.headers.Find("Content-Encoding");
    if (!coding.empty() && !EqualsIgnoreCase(coding, "identity")) {
        return Refuse(request, route,
                      "The body is compressed (Content-Encoding: '" +
                          std::string(coding.substr(0, kLongestShown)) +
                          "'), which is not supported. Send it as it is.");
    }
    const std::string_view type = request.headers.Find("Content-Type");
    if (type.empty() || IsJsonType(type)) return std::nullopt;
    // curl's -d says application/x-www-form-urlencoded when nobody says anything else.
    return Refuse(
        request, route,
        "The body must be JSON, but its Content-Type is '" +
            std::string(type.substr(0, kLongestShown)) +
            "'. Send the header 'Content-Type: application/json' (with curl: -H 'Content-Type: "
            "application/json').");
}

Response JsonBodyMiddleware::Refuse(const Request& request, const Route* route,
                                    const std::string& message) const {
    ErrorAnswer answer;
    answer.code = "unsupported_media_type";
    answer.message = message;
    return errors_.Write(ProtocolFor(request, route), request.request_id, answer);
}

}  // namespace aim::http
