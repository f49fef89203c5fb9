// Which script answers which request. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_provider/script_step.hpp"

namespace aim::testing {

using ScriptStepPtr = std::shared_ptr<const ScriptStep>;

// An empty field matches everything. `path` is a part of the request's path.
struct ScriptMatch {
    std::string model;
    std::string path;
    std::string authorization;  // a part of the header's value

    bool operator==(const ScriptMatch&) const = default;
};

class ScriptBook {
  public:
    // Takes the place of an earlier script with the same match. Each request that matches consumes
    // a step; after the last one it is repeated, or the next script that matches (at the end: the
    // default answer) has its turn.
    void Set(const ScriptMatch& match, std::vector<ScriptStep> steps, bool repeat_last);

    // Reads {"match":{…},"steps":[…],"repeat_last":bool}.
    bool SetFromJson(std::string_view json, std::string* error);

    // The step for the request, null for the default answer. Earlier scripts go first.
    ScriptStepPtr Next(std::string_view model, std::string_view path,
                       std::string_view authorization);
    // Whether any script could ever match the model.
    bool Has(std::string_view model) const;
    void Clear();

  private:
    struct Script {
        ScriptMatch match;
        std::vector<ScriptStepPtr> steps;
        std::size_t next = 0;
        bool repeat_last = false;
    };

    mutable std::mutex mutex_;
    std::vector<Script> scripts_;
};

// The named scripts that exist without any set-up: `fake/<name>` as the model or <name> in
// x-fake-script. Null when the name is unknown; `step_number` counts the requests that named it so
// far.
ScriptStepPtr NamedScenarioStep(std::string_view name, std::size_t step_number);
std::vector<std::string> NamedScenarios();

}  // namespace aim::testing
