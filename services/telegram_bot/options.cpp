#include "services/telegram_bot/options.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace aim::telegram_bot {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kTokenCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

http::Url ReadUrl(config::Reader& reader, std::string_view name, std::string_view otherwise) {
    const std::string text = reader.Url(name, otherwise);
    if (auto url = http::Url::Parse(text)) return std::move(*url);
    reader.AddError(name, "is not a URL");
    return {};
}

SecretString ReadToken(config::Reader& reader) {
    SecretString token = reader.Secret("TELEGRAM_BOT_TOKEN");
    if (token.empty()) {
        reader.AddError("TELEGRAM_BOT_TOKEN",
                        "must be set: the bot does not run without a token (BotFather gives one)");
    } else if (!LooksLikeToken(token.Reveal())) {
        reader.AddError("TELEGRAM_BOT_TOKEN",
                        "is not a bot's token, which is digits, a colon and letters");
    }
    return token;
}

std::set<std::int64_t> ReadAdmins(config::Reader& reader) {
    std::set<std::int64_t> admins;
    for (const std::string& text : reader.List("BOT_ADMIN_IDS")) {
        std::int64_t id = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (error != std::errc() || end != text.data() + text.size() || id <= 0) {
            reader.AddError("BOT_ADMIN_IDS",
                            "must be user ids: whole positive numbers, separated by commas");
            return {};
        }
        admins.insert(id);
    }
    return admins;
}

void ReadBot(config::Reader& reader, Options& options) {
    options.bot.admins = ReadAdmins(reader);
    options.bot.prompts_per_minute =
        static_cast<std::uint32_t>(reader.Integer("BOT_RATE_LIMIT_PER_MINUTE", 10, 0, 1'000'000));
    options.bot.queue.waiting_per_chat =
        static_cast<std::size_t>(reader.Integer("BOT_QUEUE_PER_CHAT", 3, 0, 100));
    options.bot.queue.total =
        static_cast<std::size_t>(reader.Integer("BOT_MAX_PROMPTS", 256, 1, 10'000));
    const milliseconds edit = reader.Milliseconds("BOT_EDIT_INTERVAL_MS", milliseconds(1000),
                                                  milliseconds(50), milliseconds(60'000));
    options.bot.runner.edit_interval = edit;
    options.bot.runner.group_edit_interval = edit * 3;
    options.bot.choices_file = options.state_dir / "telegram_choices.json";
    options.poller.offset_file = options.state_dir / "telegram_offset.json";
    options.poller.poll_time = reader.Seconds("BOT_POLL_TIMEOUT", std::chrono::seconds(50),
                                              std::chrono::seconds(1), std::chrono::seconds(50));
    options.poller.conflict_wait =
        reader.Milliseconds("BOT_CONFLICT_WAIT_MS", options.poller.conflict_wait, milliseconds(10),
                            milliseconds(60'000));
}

}  // namespace

bool LooksLikeToken(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == 0 || colon == std::string_view::npos) return false;
    const std::string_view id = text.substr(0, colon);
    const std::string_view secret = text.substr(colon + 1);
    return id.size() <= 20 && id.find_first_not_of(kDigits) == std::string_view::npos &&
           secret.size() >= 16 && secret.size() <= 128 &&
           secret.find_first_not_of(kTokenCharacters) == std::string_view::npos;
}

Options Options::Read(config::Reader& reader) {
    Options options;
    options.host = reader.Text("TELEGRAM_BOT_HOST", "127.0.0.1");
    options.port = reader.Port("TELEGRAM_BOT_PORT", 8003);
    options.token = ReadToken(reader);
    options.telegram = ReadUrl(reader, "TELEGRAM_API_URL", "https://api.telegram.org");
    const bool old_name = !reader.environment().Has("BUSINESS_API_URL") &&
                          reader.environment().Has("AI_MANAGER_API_URL");
    options.business_api = ReadUrl(reader, old_name ? "AI_MANAGER_API_URL" : "BUSINESS_API_URL",
                                   "http://127.0.0.1:8000");
    options.api_key = reader.Secret("BOT_API_KEY");
    if (options.api_key.empty()) options.api_key = reader.Secret("API_KEY");
    if (options.api_key.empty())
        reader.AddError("BOT_API_KEY", "must be set (or API_KEY): the business API asks for it");
    if (const auto level = telemetry::ParseLevel(reader.Text("LOG_LEVEL", "INFO"))) {
        options.log_level = *level;
    } else {
        reader.AddError("LOG_LEVEL", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL");
    }
    options.drain_timeout = reader.Milliseconds("DRAIN_TIMEOUT_MS", options.drain_timeout);
    const auto variable = [&reader](const char* name) {
        return std::string(reader.environment().Get(name).value_or(""));
    };
    if (auto proxy = http::client::ProxyOptions::FromEnvironment(variable)) {
        options.proxy = std::move(*proxy);
    } else {
        reader.AddError("HTTPS_PROXY", proxy.error().message);
    }
    options.state_dir = reader.Text("AIM_STATE_DIR", "./var");
    ReadBot(reader, options);
    return options;
}

}  // namespace aim::telegram_bot
