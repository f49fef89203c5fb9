#include "core/config/environment.hpp"

#include <unistd.h>

namespace aim::config {

Environment Environment::FromProcess() {
    std::map<std::string, std::string, std::less<>> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view line(*entry);
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0) continue;
        variables.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return Environment(std::move(variables));
}

std::optional<std::string_view> Environment::Get(std::string_view name) const {
    const auto found = variables_.find(name);
    if (found == variables_.end() || found->second.empty()) return std::nullopt;
    return found->second;
}

}  // namespace aim::config
