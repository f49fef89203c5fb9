#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aim/abi/descriptor.h"
#include "core/plugin/refusal.hpp"

namespace aim::plugin {

// MAJOR.MINOR.PATCH in digits; orders as numbers do (1.10.0 is higher than 1.9.0).
struct PluginVersion {
    std::array<std::uint32_t, 3> numbers{};

    static std::optional<PluginVersion> Parse(std::string_view text);
    friend auto operator<=>(const PluginVersion&, const PluginVersion&) = default;
};

// A setting that the operator gives through the environment variable of its name.
struct SettingDescriptor {
    std::string name;
    std::string description;
    std::string default_value;
    bool secret = false;
    bool required = false;
};

// The host's own copy of a plugin's descriptor (aim/abi/descriptor.h says what each part means),
// checked: valid UTF-8, no control characters, all counts and lengths within bounds.
struct Descriptor {
    std::string id;
    std::string display_name;
    std::string vendor;
    std::string version;
    PluginVersion parsed_version;
    std::string default_endpoint;
    std::vector<std::string> aliases;
    std::vector<SettingDescriptor> settings;
    std::vector<std::string> hosts;
    std::vector<std::string> capabilities;
    std::string row_settings_schema;
};

// 1 to 64 of a-z, 0-9, '_' and '-'.
bool IsProviderId(std::string_view id);

// Copies and checks. Calls the plugin's list functions. Refuses with bad_descriptor, naming the
// field.
Checked<Descriptor> CopyDescriptor(const aim_descriptor& source);

}  // namespace aim::plugin
