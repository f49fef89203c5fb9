#include "core/plugin/descriptor.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/utf8.hpp"

namespace aim::plugin {
namespace {

constexpr std::uint32_t kMaxAliases = 32;
constexpr std::uint32_t kMaxSettings = 64;
constexpr std::uint32_t kMaxHosts = 64;
constexpr std::uint32_t kMaxCapabilities = 32;
constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxSentence = 1024;
constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kMaxSchema = 256 * 1024;

// Variables of the gateway itself: a plugin that asks for one as its setting would have the
// gateway's own keys sent to the plugin's hosts.
constexpr std::string_view kReservedSettings[] = {"API_KEY",
                                                  "DATA_API_TOKEN",
                                                  "BOT_API_KEY",
                                                  "MASTER_KEY",
                                                  "MASTER_KEY_PREVIOUS",
                                                  "DATABASE_URL",
                                                  "POSTGRES_PASSWORD",
                                                  "POSTGRES_USER",
                                                  "TELEGRAM_BOT_TOKEN",
                                                  "PLUGIN_PATH",
                                                  "PLUGIN_SHA256_ALLOW",
                                                  "SECRET_HOSTS",
                                                  "HTTPS_PROXY",
                                                  "NO_PROXY",
                                                  "AIM_STATE_DIR",
                                                  "PATH",
                                                  "HOME",
                                                  "LD_PRELOAD",
                                                  "LD_LIBRARY_PATH"};

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsSettingName(std::string_view name) {
    return !name.empty() && name.size() <= kMaxName && IsUpper(name[0]) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return IsUpper(c) || IsDigit(c) || c == '_'; });
}

bool IsHostPattern(std::string_view host) {
    if (!host.empty() && host[0] == '.') host.remove_prefix(1);
    return !host.empty() && host.size() <= 253 && host.front() != '.' && host.back() != '.' &&
           std::all_of(host.begin(), host.end(),
                       [](char c) { return IsLower(c) || IsDigit(c) || c == '.' || c == '-'; });
}

bool IsCapability(std::string_view word) {
    return !word.empty() && word.size() <= 64 && std::all_of(word.begin(), word.end(), [](char c) {
        return IsLower(c) || IsDigit(c) || c == '_';
    });
}

// A base URL is printable ASCII without spaces; what it may be beyond that is decided where it is
// used.
bool IsEndpoint(std::string_view url) {
    return url.empty() ||
           (url.find("://") != std::string_view::npos &&
            std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 127; }));
}

bool HasControl(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

// Copies texts out of the plugin and remembers the first that is wrong.
class Copier {
  public:
    std::string Text(const std::string& field, aim_str source, std::size_t most, bool required) {
        if (failed()) return {};
        if (source.size > most)
            return Wrong(field, "is longer than " + std::to_string(most) + " bytes");
        if (source.size != 0 && source.data == nullptr) return Wrong(field, "is null with a size");
        std::string text(source.size == 0 ? "" : source.data, source.size);
        if (text.empty() && required) return Wrong(field, "is empty");
        if (!IsValidUtf8(text) || text.find(char{0}) != std::string::npos) {
            return Wrong(field, "is not valid UTF-8 without NUL");
        }
        if (most <= kMaxUrl && HasControl(text)) return Wrong(field, "has control characters");
        return text;
    }

    bool List(const std::string& field, std::uint32_t count, std::uint32_t most, bool has_getter) {
        if (failed()) return false;
        if (count > most)
            Wrong(field, "has " + std::to_string(count) + " items, at most " +
                             std::to_string(most) + " are allowed");
        if (count != 0 && !has_getter) Wrong(field, "has a count and no function");
        return !failed();
    }

    std::string Wrong(const std::string& field, const std::string& what) {
        if (!failed()) message_ = "the descriptor's " + field + " " + what;
        return {};
    }

    bool failed() const { return !message_.empty(); }
    const std::string& message() const { return message_; }

  private:
    std::string message_;
};

std::string Item(const char* list, std::uint32_t i) {
    return std::string(list) + " " + std::to_string(i);
}

void CopySettings(const aim_descriptor& source, Copier& copier, Descriptor& descriptor) {
    if (!copier.List("settings", source.setting_count, kMaxSettings, source.setting != nullptr))
        return;
    for (std::uint32_t i = 0; i < source.setting_count && !copier.failed(); ++i) {
        const std::string field = Item("setting", i);
        const aim_setting* const item = source.setting(i);
        if (item == nullptr || !AIM_HAS(item, aim_setting, default_value)) {
            copier.Wrong(field, "is null or too small");
            return;
        }
        SettingDescriptor setting;
        setting.name = copier.Text(field + "'s name", item->name, kMaxName, true);
        setting.description =
            copier.Text(field + "'s description", item->description, kMaxSentence, false);
        setting.default_value =
            copier.Text(field + "'s default", item->default_value, kMaxUrl, false);
        setting.secret = (item->flags & AIM_SETTING_SECRET) != 0;
        setting.required = (item->flags & AIM_SETTING_REQUIRED) != 0;
        if (copier.failed()) return;
        if (!IsSettingName(setting.name))
            copier.Wrong(field, "has a name that is not upper case letters, digits and '_'");
        if (std::find(std::begin(kReservedSettings), std::end(kReservedSettings), setting.name) !=
            std::end(kReservedSettings)) {
            copier.Wrong(field, "is " + setting.name +
                                    ", a variable of the gateway itself; choose another name");
        }
        if (setting.secret && !setting.default_value.empty())
            copier.Wrong(field, "is a secret with a default");
        for (const SettingDescriptor& other : descriptor.settings) {
            if (other.name == setting.name) copier.Wrong(field, "is named twice: " + setting.name);
        }
        descriptor.settings.push_back(std::move(setting));
    }
}

void CopyList(Copier& copier, const char* name, std::uint32_t count, std::uint32_t most,
              aim_str (*get)(std::uint32_t), std::size_t longest,
              bool (*is_valid)(std::string_view), std::vector<std::string>& list) {
    if (!copier.List(std::string(name) + " list", count, most, get != nullptr)) return;
    for (std::uint32_t i = 0; i < count && !copier.failed(); ++i) {
        std::string item = copier.Text(Item(name, i), get(i), longest, true);
        if (!copier.failed() && is_valid != nullptr && !is_valid(item)) {
            copier.Wrong(Item(name, i), "is not valid: \"" + Printable(item, 80) + "\"");
        }
        list.push_back(std::move(item));
    }
}

}  // namespace

std::optional<PluginVersion> PluginVersion::Parse(std::string_view text) {
    PluginVersion version;
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (std::size_t i = 0; i < version.numbers.size(); ++i) {
        if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
        const auto parsed = std::from_chars(at, end, version.numbers[i]);
        if (parsed.ec != std::errc()) return std::nullopt;
        at = parsed.ptr;
    }
    if (at != end) return std::nullopt;
    return version;
}

bool IsProviderId(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return IsLower(c) || IsDigit(c) || c == '_' || c == '-';
    });
}

Checked<Descriptor> CopyDescriptor(const aim_descriptor& source) {
    if (!AIM_HAS(&source, aim_descriptor, row_settings_schema)) {
        return Refuse(RefusalReason::kBadDescriptor,
                      "the descriptor's struct_size is " + std::to_string(source.struct_size) +
                          ", expected at least " + std::to_string(sizeof(aim_descriptor)) +
                          ": set it to sizeof(aim_descriptor)");
    }
    Copier copier;
    Descriptor descriptor;
    descriptor.id = copier.Text("provider_id", source.provider_id, kMaxName, true);
    if (!copier.failed() && !IsProviderId(descriptor.id)) {
        copier.Wrong("provider_id",
                     "is \"" + Printable(descriptor.id, 80) +
                         "\"; expected 1 to 64 lower case letters, digits, '_' and '-'");
    }
    descriptor.display_name = copier.Text("display_name", source.display_name, kMaxName, true);
    descriptor.vendor = copier.Text("vendor", source.vendor, kMaxName, false);
    descriptor.version = copier.Text("version", source.version, kMaxName, true);
    if (!copier.failed()) {
        if (const auto version = PluginVersion::Parse(descriptor.version)) {
            descriptor.parsed_version = *version;
        } else {
            copier.Wrong("version", "is \"" + Printable(descriptor.version, 80) +
                                        "\"; expected MAJOR.MINOR.PATCH in digits");
        }
    }
    descriptor.default_endpoint =
        copier.Text("default_endpoint", source.default_endpoint, kMaxUrl, false);
    if (!copier.failed() && !IsEndpoint(descriptor.default_endpoint))
        copier.Wrong("default_endpoint", "is no URL");
    // Requests are promised it without (aim/abi/chat_request.h), as rows have it.
    while (descriptor.default_endpoint.ends_with('/') &&
           !descriptor.default_endpoint.ends_with("://"))
        descriptor.default_endpoint.pop_back();
    CopyList(copier, "alias", source.alias_count, kMaxAliases, source.alias, kMaxName, nullptr,
             descriptor.aliases);
    CopySettings(source, copier, descriptor);
    CopyList(copier, "host", source.host_count, kMaxHosts, source.host, kMaxUrl, IsHostPattern,
             descriptor.hosts);
    CopyList(copier, "capability", source.capability_count, kMaxCapabilities, source.capability,
             kMaxName, IsCapability, descriptor.capabilities);
    descriptor.row_settings_schema =
        copier.Text("row_settings_schema", source.row_settings_schema, kMaxSchema, false);
    if (copier.failed()) return Refuse(RefusalReason::kBadDescriptor, copier.message());
    return descriptor;
}

}  // namespace aim::plugin
