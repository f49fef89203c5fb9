#include "services/business_api/options.hpp"

#include <algorithm>
#include <utility>

#include "core/plugin/registry.hpp"

namespace aim::business_api {
namespace {

using std::chrono::milliseconds;

// The plugins that were built with this program: beside its folder of binaries.
std::string BuiltPlugins() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string() : (program.parent_path().parent_path() / "plugins").string();
}

void ReadPipeline(config::Reader& reader, pipeline::Settings& settings) {
    const milliseconds least(1);
    settings.request_timeout =
        reader.Milliseconds("REQUEST_TIMEOUT_MS", settings.request_timeout, least);
    settings.max_attempts =
        static_cast<int>(reader.Integer("MAX_ATTEMPTS", settings.max_attempts, 1, 100));
    settings.stream_max = reader.Milliseconds("STREAM_MAX_MS", settings.stream_max, least);
    settings.timeouts.connect =
        reader.Milliseconds("CONNECT_TIMEOUT_MS", settings.timeouts.connect, least);
    settings.timeouts.first_content =
        reader.Milliseconds("FIRST_CONTENT_TIMEOUT_MS", settings.timeouts.first_content, least);
    settings.timeouts.between_content =
        reader.Milliseconds("BETWEEN_CONTENT_TIMEOUT_MS", settings.timeouts.between_content, least);
    settings.timeouts.attempt =
        reader.Milliseconds("ATTEMPT_TIMEOUT_MS", settings.timeouts.attempt, least);
    settings.early_stream_head =
        reader.Milliseconds("EARLY_STREAM_HEAD_MS", settings.early_stream_head);
    settings.stream_comment =
        reader.Milliseconds("STREAM_COMMENT_MS", settings.stream_comment, least);
    settings.on_disconnect =
        reader.Choice("ON_DISCONNECT", "cancel", {"cancel", "drain"}) == "drain"
            ? pipeline::OnDisconnect::kDrain
            : pipeline::OnDisconnect::kCancel;
    settings.max_in_flight =
        static_cast<std::size_t>(reader.Integer("MAX_IN_FLIGHT", 10000, 1, 10'000'000));
    const std::string mock =
        reader.Choice("AUTO_INCLUDES_MOCK", "auto", {"auto", "always", "never"});
    settings.mock_in_auto = mock == "always"  ? pipeline::MockInAuto::kAlways
                            : mock == "never" ? pipeline::MockInAuto::kNever
                                              : pipeline::MockInAuto::kAuto;
    settings.history_text_max = reader.Bytes("HISTORY_TEXT_MAX", 256 * 1024, 1024, 1024 * 1024);
}

}  // namespace

Options Options::Read(config::Reader& reader) {
    Options options;
    options.host = reader.Text("BUSINESS_API_HOST", "127.0.0.1");
    options.port = reader.Port("BUSINESS_API_PORT", 8000);
    const std::string data_api = reader.Url("DATA_API_URL", "http://127.0.0.1:8001");
    if (auto url = http::Url::Parse(data_api)) {
        options.data_api = std::move(*url);
    } else {
        reader.AddError("DATA_API_URL", "is not a URL");
    }
    options.data_api_token = reader.Secret("DATA_API_TOKEN");
    options.api_key = reader.RequiredSecret("API_KEY");
    options.state_dir = reader.Text("AIM_STATE_DIR", "./var");
    const std::string plugin_path = BuiltPlugins() + ":" + (options.state_dir / "plugins").string();
    options.plugin_path = plugin::Registry::SplitPath(reader.Text("PLUGIN_PATH", plugin_path));
    if (auto trust = plugin::TrustPolicy::Parse(reader.Text("PLUGIN_SHA256_ALLOW"))) {
        options.trust = std::move(*trust);
    } else {
        reader.AddError("PLUGIN_SHA256_ALLOW", trust.error().message);
    }
    if (const auto level = telemetry::ParseLevel(reader.Text("LOG_LEVEL", "INFO"))) {
        options.log_level = *level;
    } else {
        reader.AddError("LOG_LEVEL", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL");
    }
    ReadPipeline(reader, options.pipeline);
    options.drain_timeout = reader.Milliseconds("DRAIN_TIMEOUT_MS", options.drain_timeout);
    options.rate_limit_per_minute =
        static_cast<std::uint32_t>(reader.Integer("RATE_LIMIT_PER_MINUTE", 10, 0, 1'000'000'000));
    if (auto proxies = http::TrustedProxies::Parse(reader.Text("TRUSTED_PROXIES"))) {
        options.trusted_proxies = std::move(*proxies);
    } else {
        reader.AddError("TRUSTED_PROXIES", proxies.error().message);
    }
    options.cors_allowed_origins = reader.Text("CORS_ALLOWED_ORIGINS", "*");
    options.catalogue_refresh =
        reader.Milliseconds("CATALOGUE_REFRESH_MS", options.catalogue_refresh, milliseconds(10));
    options.ledger_max_bytes = reader.Bytes("LEDGER_MAX_BYTES", std::uint64_t{1} << 30, 64 * 1024);
    const std::string fsync =
        reader.Choice("LEDGER_FSYNC", "interval", {"interval", "always", "off", "never"});
    options.ledger_fsync = fsync == "always"     ? ledger::FsyncPolicy::kAlways
                           : fsync == "interval" ? ledger::FsyncPolicy::kInterval
                                                 : ledger::FsyncPolicy::kNever;
    options.secret_hosts = reader.List("SECRET_HOSTS");
    const auto variable = [&reader](const char* name) {
        return std::string(reader.environment().Get(name).value_or(""));
    };
    if (auto proxy = http::client::ProxyOptions::FromEnvironment(variable)) {
        options.proxy = std::move(*proxy);
    } else {
        reader.AddError("HTTPS_PROXY", proxy.error().message);
    }
    options.engine_threads = static_cast<std::size_t>(reader.Integer("ENGINE_THREADS", 0, 0, 256));
    options.max_body_bytes =
        reader.Bytes("MAX_BODY_BYTES", 32u * 1024 * 1024, 1024, std::uint64_t{1} << 30);
    return options;
}

}  // namespace aim::business_api
