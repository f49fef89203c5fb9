#include "core/telemetry/redactor.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/json_string.hpp"

namespace aim::telemetry {
namespace {

constexpr std::string_view kMask = "***";

const char* Find(const std::string& text, std::size_t from, std::string_view pattern) {
    return static_cast<const char*>(
        ::memmem(text.data() + from, text.size() - from, pattern.data(), pattern.size()));
}

}  // namespace

void Redactor::Add(const SecretString& secret) {
    if (secret.Reveal().size() < kShortest) return;
    std::string quoted;
    AppendJsonString(secret.Reveal(), quoted);
    SecretString escaped(quoted.substr(1, quoted.size() - 2));

    const std::lock_guard lock(mutex_);
    auto patterns = std::make_shared<Patterns>(patterns_ == nullptr ? Patterns() : *patterns_);
    const auto add = [&patterns](const SecretString& pattern) {
        const auto same = [&pattern](const SecretString& known) {
            return known.Reveal() == pattern.Reveal();
        };
        if (std::none_of(patterns->begin(), patterns->end(), same)) patterns->push_back(pattern);
    };
    add(secret);
    add(escaped);
    // Longest first: a secret that contains another is masked whole.
    std::stable_sort(patterns->begin(), patterns->end(),
                     [](const SecretString& a, const SecretString& b) {
                         return a.Reveal().size() > b.Reveal().size();
                     });
    patterns_ = std::move(patterns);
}

bool Redactor::Redact(std::string& text) const {
    std::shared_ptr<const Patterns> patterns;
    {
        const std::lock_guard lock(mutex_);
        patterns = patterns_;
    }
    if (patterns == nullptr) return false;
    bool found_any = false;
    for (const SecretString& pattern : *patterns) {
        const char* found = Find(text, 0, pattern.Reveal());
        while (found != nullptr) {
            found_any = true;
            const auto position = static_cast<std::size_t>(found - text.data());
            text.replace(position, pattern.Reveal().size(), kMask);
            found = Find(text, position + kMask.size(), pattern.Reveal());
        }
    }
    return found_any;
}

}  // namespace aim::telemetry
