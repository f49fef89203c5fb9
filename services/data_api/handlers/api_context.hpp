#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/random.hpp"
#include "core/base/uuid.hpp"
#include "core/http/error_response.hpp"
#include "core/http/handler.hpp"
#include "core/json/json.hpp"
#include "core/security/master_key.hpp"
#include "core/telemetry/log.hpp"
#include "services/data_api/database/connection_pool.hpp"

namespace aim::data_api {

// What every handler needs. Shared by all handler threads; everything in it outlives the server.
struct ApiContext {
    database::ConnectionPool& pool;
    telemetry::Logger& logger;
    // For everything that one request does in the database.
    std::chrono::milliseconds database_timeout{5000};
    std::size_t history_text_max = 256 * 1024;
    bool token_required = false;  // a service token is configured, so who got this far has shown it
    // Encrypts the keys of rows; empty: there can be none.
    std::optional<security::MasterKey> master_key = std::nullopt;
    http::ErrorWriter errors{};

    database::SqlResult<database::ConnectionPool::Lease> Lease() const {
        return pool.Acquire(SystemClock().Now() + database_timeout);
    }

    http::Response Fail(const http::Request& request, const Error& error) const;
    http::Response Fail(const http::Request& request, std::string_view code,
                        std::string_view message, std::string_view field = {}) const;
    // 503 while the database cannot be used; 400 when it refused the data; anything else is a fault
    // of ours: logged, 500.
    http::Response Fail(const http::Request& request, const database::SqlError& error) const;
};

// The request's body as JSON: checks the media type, 415, and the text, 400. `repair` makes poison
// storable first (text_repair.hpp). An empty body is an absent value where it is allowed.
Result<json::Document> ReadBody(const http::Request& request, bool repair,
                                bool may_be_empty = false);

// The {id} of the path.
Result<Uuid> PathId(const http::PathParameters& parameters);

// All decoded values of a repeated query key; a badly encoded one is an empty text.
std::vector<std::string> QueryValues(std::string_view query, std::string_view key);

// A true or false in the query; nullopt when absent.
Result<std::optional<bool>> QueryFlag(const http::Request& request, std::string_view key);

// Whether an If-None-Match names this tag, or any.
bool EtagMatches(std::string_view if_none_match, std::string_view etag);

// This thread's own generator.
Random& ThreadRandom();

}  // namespace aim::data_api
