#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace aim::config {

// The environment variables as they were at one moment: an immutable copy, so that tests inject a
// map and nothing reads the process's environment later. A variable that is set to nothing counts
// as not set.
class Environment {
  public:
    Environment() = default;
    explicit Environment(std::map<std::string, std::string, std::less<>> variables)
        : variables_(std::move(variables)) {}

    static Environment FromProcess();

    std::optional<std::string_view> Get(std::string_view name) const;
    // Every variable with its value, by name.
    template <typename Visit>
    void ForEach(Visit&& visit) const {
        for (const auto& [name, value] : variables_)
            visit(std::string_view(name), std::string_view(value));
    }
    bool Has(std::string_view name) const { return Get(name).has_value(); }

  private:
    std::map<std::string, std::string, std::less<>> variables_;
};

}  // namespace aim::config
