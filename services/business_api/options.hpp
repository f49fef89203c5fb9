#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/secret_string.hpp"
#include "core/config/reader.hpp"
#include "core/http/middleware/trusted_proxies.hpp"
#include "core/runtime/options.hpp"

namespace aim::business_api {

// The configuration of the business API (contract.md, "Variables and defaults"), read once at
// start.
struct Options : runtime::Options {
    std::string host;
    std::uint16_t port = 8000;
    SecretString api_key;
    SecretString bot_api_key;  // the Telegram bot's own, without a rate limit; may be empty
    std::uint32_t rate_limit_per_minute = 10;
    http::TrustedProxies trusted_proxies;
    std::string cors_allowed_origins;
    std::size_t engine_threads = 0;  // 0 = one a core
    std::size_t max_body_bytes = 0;
    std::size_t max_bodies_bytes = 0;  // of all requests under way together

    // Reads everything; what is wrong is in reader.errors(), all of it.
    static Options Read(config::Reader& reader);
};

}  // namespace aim::business_api
