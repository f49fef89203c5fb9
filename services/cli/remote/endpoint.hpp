#pragma once

#include <string>

#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/config/environment.hpp"
#include "core/http/url.hpp"

namespace aim::cli {

// Where a service of ours listens, and the key that it wants.
struct Endpoint {
    std::string name;  // "business API", for sentences
    std::string base;  // "http://127.0.0.1:8000", for sentences; holds no secret
    http::Url url;
    SecretString key;        // sent as X-API-Key; empty: none
    std::string key_source;  // "API_KEY", or the file's path
};

// The business API: `url` when it is not empty (--url), else BUSINESS_API_URL or
// AI_MANAGER_API_URL, else BUSINESS_API_HOST and _PORT, else the default. The key is API_KEY, else
// the one that tools/run.sh keeps in the state folder; that one goes to this machine only. Fails
// (kInvalidRequest) for a bad URL or a key that no header can carry, never for a missing key.
Result<Endpoint> BusinessApi(const config::Environment& environment, const std::string& url);

// The data API: `url` (--data-url), DATA_API_URL, DATA_API_HOST and _PORT, the default; the key is
// DATA_API_TOKEN, and there may be none.
Result<Endpoint> DataApi(const config::Environment& environment, const std::string& url);

// The health worker and the Telegram bot, of which only health and metrics are asked: `url`
// (--worker-url, --bot-url), HEALTH_WORKER_URL or TELEGRAM_BOT_URL, their _HOST and _PORT (port 0,
// any free one, says nothing), the address that tools/run.sh has left in the state folder while
// they run, the default. Without a key.
Result<Endpoint> HealthWorker(const config::Environment& environment, const std::string& url);
Result<Endpoint> TelegramBot(const config::Environment& environment, const std::string& url);

// Fails (kInvalidRequest) with a sentence on where a key is taken from when there is none.
Result<void> RequireKey(const Endpoint& endpoint);

}  // namespace aim::cli
