#include "plugins/mock/settings.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "aim/sdk/json.hpp"

namespace aim::mock {
namespace {

constexpr std::uint64_t kMaxMilliseconds = 3'600'000;
constexpr std::uint64_t kMaxTokens = 1'000'000;
constexpr std::uint64_t kMaxSeed = 9'007'199'254'740'991;  // what every JSON writer can say exactly
constexpr double kMaxTokensPerSecond = 1e6;

constexpr std::array<std::pair<std::string_view, sdk::ErrorKind>, 15> kErrorKinds = {{
    {"invalid_request", sdk::ErrorKind::kInvalidRequest},
    {"unauthenticated", sdk::ErrorKind::kUnauthenticated},
    {"forbidden", sdk::ErrorKind::kForbidden},
    {"quota_exhausted", sdk::ErrorKind::kQuotaExhausted},
    {"model_not_found", sdk::ErrorKind::kModelNotFound},
    {"rate_limited", sdk::ErrorKind::kRateLimited},
    {"context_too_long", sdk::ErrorKind::kContextTooLong},
    {"content_filtered", sdk::ErrorKind::kContentFiltered},
    {"overloaded", sdk::ErrorKind::kOverloaded},
    {"upstream_failure", sdk::ErrorKind::kUpstreamFailure},
    {"upstream_timeout", sdk::ErrorKind::kUpstreamTimeout},
    {"protocol_error", sdk::ErrorKind::kProtocolError},
    {"unsupported", sdk::ErrorKind::kUnsupported},
    {"cancelled", sdk::ErrorKind::kCancelled},
    {"internal", sdk::ErrorKind::kInternal},
}};

class SettingsReader final {
  public:
    SettingsReader(const sdk::Call& call, sdk::JsonValue row) : call_(call), row_(row) {}

    std::optional<std::uint64_t> Count(std::string_view name, std::uint64_t most) {
        const sdk::JsonValue value = Find(name);
        if (!value) {
            return std::nullopt;
        }
        const std::optional<std::int64_t> number = value.Integer();
        if (!number || *number < 0 || static_cast<std::uint64_t>(*number) > most) {
            Refuse(name, "a whole number from 0 to " + std::to_string(most));
            return std::nullopt;
        }
        return static_cast<std::uint64_t>(*number);
    }
    std::optional<double> Real(std::string_view name, double most, std::string_view range) {
        const sdk::JsonValue value = Find(name);
        if (!value) {
            return std::nullopt;
        }
        const std::optional<double> number = value.Number();
        if (!number || !(*number >= 0 && *number <= most)) {
            Refuse(name, std::string(range));
            return std::nullopt;
        }
        return number;
    }
    std::optional<std::string> Text(std::string_view name) {
        const sdk::JsonValue value = Find(name);
        if (!value) {
            return std::nullopt;
        }
        if (!value.IsString()) {
            Refuse(name, "a text");
            return std::nullopt;
        }
        return std::string(value.Text());
    }
    std::optional<sdk::ErrorKind> Kind(std::string_view name) {
        const std::optional<std::string> wanted = Text(name);
        if (!wanted) {
            return std::nullopt;
        }
        for (const auto& [known, kind] : kErrorKinds) {
            if (known == *wanted) {
                return kind;
            }
        }
        Refuse(name, "the name of an error kind such as rate_limited");
        return std::nullopt;
    }

  private:
    // A null is a setting that is not given.
    sdk::JsonValue Find(std::string_view name) const {
        const sdk::JsonValue value = row_[name];
        return value.IsNull() ? sdk::JsonValue() : value;
    }
    void Refuse(std::string_view name, const std::string& expected) {
        if (call_.Failed()) {
            return;
        }
        const std::string message = "the setting " + std::string(name) + " must be " + expected;
        call_.Fail({sdk::ErrorKind::kInvalidRequest, message, "invalid_setting", name});
    }

    const sdk::Call& call_;
    sdk::JsonValue row_;
};

}  // namespace

std::optional<Settings> ParseSettings(const sdk::Call& call, std::string_view row_settings) {
    sdk::JsonDocument document;
    if (!document.Parse(row_settings) || !document.Root().IsObject()) {
        call.Fail({sdk::ErrorKind::kInvalidRequest, "the row's settings are not a JSON object",
                   "invalid_setting", "settings"});
        return std::nullopt;
    }
    SettingsReader reader(call, document.Root());
    Settings settings;
    settings.latency_ms = reader.Count("latency_ms", kMaxMilliseconds).value_or(0);
    settings.jitter_ms = reader.Count("jitter_ms", kMaxMilliseconds).value_or(0);
    settings.error_rate = reader.Real("error_rate", 1, "a number from 0 to 1").value_or(0);
    settings.error_kind = reader.Kind("error_kind").value_or(settings.error_kind);
    settings.tokens_per_second =
        reader.Real("tokens_per_second", kMaxTokensPerSecond, "a number from 0 to 1000000")
            .value_or(0);
    settings.answer_tokens = reader.Count("answer_tokens", kMaxTokens);
    settings.answer_text = reader.Text("answer_text");
    settings.stall_after_tokens = reader.Count("stall_after_tokens", kMaxTokens);
    settings.cut_after_tokens = reader.Count("cut_after_tokens", kMaxTokens);
    settings.seed = reader.Count("seed", kMaxSeed);
    if (call.Failed()) {
        return std::nullopt;
    }
    return settings;
}

}  // namespace aim::mock
