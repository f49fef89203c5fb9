#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "core/base/secret_string.hpp"
#include "core/config/reader.hpp"
#include "core/http/client/proxy.hpp"
#include "core/http/url.hpp"
#include "core/telemetry/log.hpp"
#include "services/telegram_bot/bot.hpp"
#include "services/telegram_bot/poller.hpp"

namespace aim::telegram_bot {

// The bot's settings, read once at start (README.md lists the variables).
struct Options {
    std::string host;
    std::uint16_t port = 8003;
    SecretString token;
    http::Url telegram;
    http::Url business_api;
    SecretString api_key;
    telemetry::Level log_level = telemetry::Level::kInfo;
    std::chrono::milliseconds drain_timeout{30000};
    http::client::ProxyOptions proxy;  // to Telegram; the business API is reached directly
    Bot::Settings bot;
    Poller::Settings poller;
    std::filesystem::path state_dir;

    // Everything that is wrong stands in reader.errors() afterwards.
    static Options Read(config::Reader& reader);
};

// Whether the text looks like a bot's token, digits:letters. Anything else in a URL's path would be
// another call.
bool LooksLikeToken(std::string_view text);

}  // namespace aim::telegram_bot
