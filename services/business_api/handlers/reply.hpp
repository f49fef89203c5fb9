#pragma once

#include "core/http/error_response.hpp"
#include "core/http/response.hpp"
#include "core/pipeline/completion_service.hpp"

namespace aim::business_api {

// The answer to a prompt that failed before anything was sent, in the caller's protocol.
http::Response ErrorReply(const http::ErrorWriter& errors, http::Protocol protocol,
                          std::string_view request_id, const pipeline::CompletionResult& result);

// X-AIManager-Model, -Provider, -Score, -Attempts, -Overhead-Us.
void AddCompletionHeaders(const pipeline::CompletionResult& result, http::Response& response);

}  // namespace aim::business_api
