#include "services/data_api/handlers/api_context.hpp"

#include <algorithm>
#include <memory>

#include "core/http/url.hpp"
#include "services/data_api/records/text_repair.hpp"

namespace aim::data_api {
namespace {

bool IsJsonType(std::string_view type) {
    type = type.substr(0, type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
    return http::EqualsIgnoreCase(type, "application/json") ||
           (type.size() > 5 && http::EqualsIgnoreCase(type.substr(type.size() - 5), "+json"));
}

}  // namespace

http::Response ApiContext::Fail(const http::Request& request, const Error& error) const {
    return errors.Write(http::Protocol::kNative, request.request_id, error);
}

http::Response ApiContext::Fail(const http::Request& request, std::string_view code,
                                std::string_view message, std::string_view field) const {
    http::ErrorAnswer answer;
    answer.code = code;
    answer.message = message;
    answer.field = field;
    return errors.Write(http::Protocol::kNative, request.request_id, answer);
}

http::Response ApiContext::Fail(const http::Request& request,
                                const database::SqlError& error) const {
    if (error.IsUnavailable()) {
        logger.Warning("database_unavailable", "A request could not be served",
                       {{telemetry::kRequestIdField, request.request_id},
                        {"sqlstate", error.sqlstate},
                        {"reason", error.message}});
        return Fail(request, "database_unavailable", "The database cannot be used at the moment.");
    }
    logger.Error("statement_failed", "PostgreSQL refused a statement",
                 {{telemetry::kRequestIdField, request.request_id},
                  {"sqlstate", error.sqlstate},
                  {"reason", error.message}});
    if (error.IsAboutData())
        return Fail(request, "invalid_request", "The database cannot store this value.");
    return Fail(request, "internal", "Something went wrong on our side.");
}

Result<json::Document> ReadBody(const http::Request& request, bool repair, bool may_be_empty) {
    if (request.body.empty() && may_be_empty) return json::Document();
    if (request.headers.Has("Content-Type") && !IsJsonType(request.headers.Find("Content-Type"))) {
        return FailField("", "The body must be application/json.", "unsupported_media_type");
    }
    if (const std::string_view coding = request.headers.Find("Content-Encoding");
        !coding.empty() && coding != "identity") {
        return FailField("", "The body is compressed, which is not supported; send it as it is.",
                         "unsupported_media_type");
    }
    if (!repair) return json::Parse(request.body);
    std::string repaired = request.body;
    RepairEscapes(repaired);
    return json::Parse(repaired);
}

Result<Uuid> PathId(const http::PathParameters& parameters) {
    const auto id = Uuid::Parse(parameters.Get("id"));
    if (!id) return FailField("id", "The id in the path is not a UUID.", "invalid_id");
    return *id;
}

std::vector<std::string> QueryValues(std::string_view query, std::string_view key) {
    std::vector<std::string> values;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const auto name = http::PercentDecode(pair.substr(0, pair.find('=')));
        if (name && *name == key) values.push_back(http::QueryValue(pair, key).value_or(""));
    }
    return values;
}

Result<std::optional<bool>> QueryFlag(const http::Request& request, std::string_view key) {
    const std::vector<std::string> values = QueryValues(request.query(), key);
    if (values.empty()) return std::optional<bool>();
    if (http::EqualsIgnoreCase(values.front(), "true") || values.front() == "1")
        return std::optional(true);
    if (http::EqualsIgnoreCase(values.front(), "false") || values.front() == "0")
        return std::optional(false);
    return FailField(std::string(key), std::string(key) + " must be true or false");
}

bool EtagMatches(std::string_view if_none_match, std::string_view etag) {
    while (!if_none_match.empty()) {
        std::string_view candidate = if_none_match.substr(0, if_none_match.find(','));
        if_none_match.remove_prefix(std::min(candidate.size() + 1, if_none_match.size()));
        while (!candidate.empty() && candidate.front() == ' ') candidate.remove_prefix(1);
        while (!candidate.empty() && candidate.back() == ' ') candidate.remove_suffix(1);
        if (candidate.starts_with("W/")) candidate.remove_prefix(2);
        if (candidate == etag || candidate == "*") return true;
    }
    return false;
}

Random& ThreadRandom() {
    thread_local const std::unique_ptr<Random> random = MakeRandom();
    return *random;
}

}  // namespace aim::data_api
