#include "services/cli/new_model.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "core/base/secret_string.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"

namespace aim::cli {
namespace {

constexpr std::size_t kMaxKeyBytes = 64 * 1024;

// From a variable or the standard input, never from the arguments, which every user of the machine
// can read.
Result<SecretString> ReadProviderKey(const NewModel& model) {
    std::string key;
    if (!model.api_key_env.empty()) {
        const char* const value = std::getenv(model.api_key_env.c_str());
        if (value == nullptr || *value == '\0')
            return FailField("--api-key-env", "the variable " + model.api_key_env + " is not set");
        key = value;
    } else {
        char bytes[4096];
        ssize_t got = 0;
        while ((got = ::read(STDIN_FILENO, bytes, sizeof bytes)) > 0 && key.size() <= kMaxKeyBytes)
            key.append(bytes, static_cast<std::size_t>(got));
        while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
        if (got < 0 || key.empty() || key.size() > kMaxKeyBytes)
            return FailField("--api-key-stdin", "the standard input has no key");
    }
    return SecretString(std::move(key));
}

// key=value; a value that is JSON is taken as such, everything else as a text.
Result<void> PutSettings(const std::vector<std::string>& settings, json::Writer& out) {
    out.Key("settings").BeginObject();
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == 0 || equals == std::string::npos)
            return FailField("--set", "--set wants NAME=VALUE");
        const std::string_view value = std::string_view(setting).substr(equals + 1);
        out.Key(setting.substr(0, equals));
        if (json::IsValidValue(value)) {
            out.Raw(value);
        } else {
            out.String(value);
        }
    }
    out.EndObject();
    return {};
}

}  // namespace

Result<std::string> RowOf(const NewModel& model) {
    std::string body;
    json::Writer out(body);
    out.BeginObject().Field("name", model.name).Field("provider", model.provider);
    if (!model.endpoint.empty()) out.Field("endpoint", model.endpoint);
    if (!model.upstream_model.empty()) out.Field("upstream_model", model.upstream_model);
    if (!model.settings.empty()) {
        if (auto put = PutSettings(model.settings, out); !put)
            return Unexpected(std::move(put.error()));
    }
    if (!model.capabilities.empty()) {
        out.Key("capabilities").BeginArray();
        for (const std::string& capability : model.capabilities) out.String(capability);
        out.EndArray();
    }
    if (model.context_window) out.Field("context_window", *model.context_window);
    if (!model.input_price.empty()) out.Field("input_price_per_million", model.input_price);
    if (!model.output_price.empty()) out.Field("output_price_per_million", model.output_price);
    if (model.inactive) out.Field("is_active", false);
    if (!model.api_key_env.empty() || model.api_key_stdin) {
        const auto key = ReadProviderKey(model);
        if (!key) return Unexpected(key.error());
        out.Field("api_key", key->Reveal());
    }
    out.EndObject();
    return body;
}

}  // namespace aim::cli
