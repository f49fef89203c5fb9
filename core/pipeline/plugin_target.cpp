#include "core/pipeline/plugin_target.hpp"

#include <functional>

#include "core/http/client/secret_slots.hpp"

namespace aim::pipeline {
namespace {

constexpr std::string_view kMask = "***";
// Shorter values would blank ordinary words.
constexpr std::size_t kShortestSecret = 6;

}  // namespace

Result<std::string> CandidateSlots::Fill(std::string_view value_template,
                                         const http::Url& url) const {
    using http::client::HostPolicy;
    bool refused = false;
    bool without_value = false;
    const auto find = [&](std::string_view name) -> const SecretString* {
        const auto slot = slots_.find(name);
        if (slot == slots_.end()) return nullptr;
        if (slot->second.value.empty()) {
            without_value = true;
            return nullptr;
        }
        const auto owner = slot->second.own_key ? HostPolicy::SecretOwner::kRow
                                                : HostPolicy::SecretOwner::kEnvironment;
        if (!policy_.MayReceive(owner, url.host)) {
            refused = true;
            return nullptr;
        }
        return &slot->second.value;
    };
    auto filled = http::client::FillSecretSlots(value_template, std::cref(find));
    if (without_value) return std::string();
    if (refused) {
        Error error;
        error.kind = ErrorKind::kForbidden;
        error.code = "secret_host";
        error.message = "The key of this provider may not be sent to " + url.host +
                        " (SECRET_HOSTS lists further hosts).";
        return Unexpected(std::move(error));
    }
    if (!filled) {
        Error error = std::move(filled.error());
        // A template is the plugin's, a value is the operator's.
        error.kind =
            error.code == "setting_value" ? ErrorKind::kUnauthenticated : ErrorKind::kInternal;
        error.field.clear();
        return Unexpected(std::move(error));
    }
    return filled;
}

void CandidateSlots::Redact(std::string& text) const {
    for (const auto& [name, slot] : slots_) {
        const std::string_view value = slot.value.Reveal();
        if (!slot.secret || value.size() < kShortestSecret) continue;
        for (std::size_t at = text.find(value); at != std::string::npos;
             at = text.find(value, at + kMask.size())) {
            text.replace(at, value.size(), kMask);
        }
    }
}

}  // namespace aim::pipeline
