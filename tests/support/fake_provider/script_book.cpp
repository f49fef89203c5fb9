#include "tests/support/fake_provider/script_book.hpp"

#include <algorithm>

#include "tests/support/fake_provider/json_text.hpp"

namespace aim::testing {
namespace {

bool Contains(std::string_view text, const std::string& part) {
    return part.empty() || text.find(part) != std::string_view::npos;
}

bool ReadMatch(const rapidjson::Value& value, ScriptMatch* match) {
    if (!value.IsObject()) return false;
    for (const auto& member : value.GetObject()) {
        if (!member.value.IsString()) return false;
        const std::string_view name = TextOf(member.name);
        if (name == "model") {
            match->model = TextOf(member.value);
        } else if (name == "path") {
            match->path = TextOf(member.value);
        } else if (name == "authorization") {
            match->authorization = TextOf(member.value);
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

void ScriptBook::Set(const ScriptMatch& match, std::vector<ScriptStep> steps, bool repeat_last) {
    Script script;
    script.match = match;
    script.repeat_last = repeat_last;
    for (ScriptStep& step : steps)
        script.steps.push_back(std::make_shared<const ScriptStep>(std::move(step)));
    const std::lock_guard lock(mutex_);
    const auto same = std::find_if(scripts_.begin(), scripts_.end(),
                                   [&](const Script& other) { return other.match == match; });
    if (same != scripts_.end()) {
        *same = std::move(script);
    } else {
        scripts_.push_back(std::move(script));
    }
}

bool ScriptBook::SetFromJson(std::string_view json, std::string* error) {
    rapidjson::Document document;
    if (document.Parse<kJsonParseFlags>(json.data(), json.size()).HasParseError() ||
        !document.IsObject()) {
        *error = "a script is a JSON object";
        return false;
    }
    ScriptMatch match;
    std::vector<ScriptStep> steps;
    bool repeat_last = false;
    for (const auto& member : document.GetObject()) {
        const std::string_view name = TextOf(member.name);
        if (name == "match") {
            if (!ReadMatch(member.value, &match)) {
                *error = "match has model, path, authorization, all strings";
                return false;
            }
        } else if (name == "steps") {
            if (!ParseScriptSteps(SerializeJson(member.value), &steps, error)) return false;
        } else if (name == "repeat_last" && member.value.IsBool()) {
            repeat_last = member.value.GetBool();
        } else {
            *error = "unknown key or bad value in a script: " + std::string(name);
            return false;
        }
    }
    if (steps.empty()) {
        *error = "a script has steps";
        return false;
    }
    Set(match, std::move(steps), repeat_last);
    return true;
}

ScriptStepPtr ScriptBook::Next(std::string_view model, std::string_view path,
                               std::string_view authorization) {
    const std::lock_guard lock(mutex_);
    for (Script& script : scripts_) {
        if (!script.match.model.empty() && script.match.model != model) continue;
        if (!Contains(path, script.match.path)) continue;
        if (!Contains(authorization, script.match.authorization)) continue;
        if (script.next < script.steps.size()) return script.steps[script.next++];
        if (script.repeat_last) return script.steps.back();
    }
    return nullptr;
}

bool ScriptBook::Has(std::string_view model) const {
    const std::lock_guard lock(mutex_);
    return std::any_of(scripts_.begin(), scripts_.end(), [model](const Script& script) {
        return script.match.model.empty() || script.match.model == model;
    });
}

void ScriptBook::Clear() {
    const std::lock_guard lock(mutex_);
    scripts_.clear();
}

}  // namespace aim::testing
