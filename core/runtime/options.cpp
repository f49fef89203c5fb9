#include "core/runtime/options.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/plugin/registry.hpp"

namespace aim::runtime {
namespace {

using std::chrono::milliseconds;

// It is sent to every model every hour.
constexpr std::size_t kLongestTestPrompt = 10'000;

// The plugins that were built with this program: beside its folder of binaries.
std::string BuiltPlugins() {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? std::string() : (program.parent_path().parent_path() / "plugins").string();
}

void ReadTimeouts(config::Reader& reader, routing::AttemptTimeouts& timeouts) {
    const milliseconds least(1);
    timeouts.connect = reader.Milliseconds("CONNECT_TIMEOUT_MS", timeouts.connect, least);
    timeouts.first_content =
        reader.Milliseconds("FIRST_CONTENT_TIMEOUT_MS", timeouts.first_content, least);
    timeouts.between_content =
        reader.Milliseconds("BETWEEN_CONTENT_TIMEOUT_MS", timeouts.between_content, least);
    timeouts.attempt = reader.Milliseconds("ATTEMPT_TIMEOUT_MS", timeouts.attempt, least);
}

void ReadPlugins(config::Reader& reader, const std::filesystem::path& base, Options& options) {
    const std::string plugin_path = BuiltPlugins() + ":" + (base / "plugins").string();
    options.plugin_path = plugin::Registry::SplitPath(reader.Text("PLUGIN_PATH", plugin_path));
    if (auto trust = plugin::TrustPolicy::Parse(reader.Text("PLUGIN_SHA256_ALLOW"))) {
        options.trust = std::move(*trust);
    } else {
        reader.AddError("PLUGIN_SHA256_ALLOW", trust.error().message);
    }
}

void ReadLedger(config::Reader& reader, Options& options) {
    options.ledger_max_bytes = reader.Bytes("LEDGER_MAX_BYTES", std::uint64_t{1} << 30, 64 * 1024);
    const std::string fsync =
        reader.Choice("LEDGER_FSYNC", "interval", {"interval", "always", "off", "never"});
    options.ledger_fsync = fsync == "always"     ? ledger::FsyncPolicy::kAlways
                           : fsync == "interval" ? ledger::FsyncPolicy::kInterval
                                                 : ledger::FsyncPolicy::kNever;
}

// MASTER_KEY, and while keys are being changed those that it replaces as well, with commas between.
void ReadMasterKeys(config::Reader& reader, Options& options) {
    for (const char* name : {"MASTER_KEY", "MASTER_KEY_PREVIOUS"}) {
        const SecretString text = reader.Secret(name);
        for (std::string_view rest = text.Reveal(); !rest.empty();) {
            const std::string_view one = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(one.size() + 1, rest.size()));
            if (auto key = security::MasterKey::Parse(one)) {
                options.master_keys.Add(std::move(*key));
            } else {
                reader.AddError(name, key.error().message);
            }
        }
    }
}

}  // namespace

Options Options::Read(config::Reader& reader, std::string_view state_folder) {
    Options options;
    const std::string data_api = reader.Url("DATA_API_URL", "http://127.0.0.1:8001");
    if (auto url = http::Url::Parse(data_api)) {
        options.data_api = std::move(*url);
    } else {
        reader.AddError("DATA_API_URL", "is not a URL");
    }
    options.data_api_token = reader.Secret("DATA_API_TOKEN");
    ReadMasterKeys(reader, options);
    const std::filesystem::path base = reader.Text("AIM_STATE_DIR", "./var");
    options.state_dir = state_folder.empty() ? base : base / state_folder;
    ReadPlugins(reader, base, options);
    if (const auto level = telemetry::ParseLevel(reader.Text("LOG_LEVEL", "INFO"))) {
        options.log_level = *level;
    } else {
        reader.AddError("LOG_LEVEL", "must be DEBUG, INFO, WARNING, ERROR or CRITICAL");
    }
    ReadTimeouts(reader, options.pipeline.timeouts);
    options.drain_timeout = reader.Milliseconds("DRAIN_TIMEOUT_MS", options.drain_timeout);
    options.catalogue_refresh =
        reader.Milliseconds("CATALOGUE_REFRESH_MS", options.catalogue_refresh, milliseconds(10));
    ReadLedger(reader, options);
    options.upstream_connections_per_host = static_cast<std::size_t>(
        reader.Integer("UPSTREAM_CONNECTIONS_PER_HOST", 10000, 1, 1'000'000));
    options.secret_hosts = reader.List("SECRET_HOSTS");
    options.synthetic_test_prompt =
        reader.Text("SYNTHETIC_TEST_PROMPT", "Hello! Please respond with 'OK'");
    if (!IsValidUtf8(options.synthetic_test_prompt) ||
        options.synthetic_test_prompt.size() > kLongestTestPrompt) {
        reader.AddError("SYNTHETIC_TEST_PROMPT", "must be UTF-8 text of at most 10000 bytes");
    }
    const auto variable = [&reader](const char* name) {
        return std::string(reader.environment().Get(name).value_or(""));
    };
    if (auto proxy = http::client::ProxyOptions::FromEnvironment(variable)) {
        options.proxy = std::move(*proxy);
    } else {
        reader.AddError("HTTPS_PROXY", proxy.error().message);
    }
    return options;
}

}  // namespace aim::runtime
