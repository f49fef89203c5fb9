#include "core/plugin/trust_policy.hpp"

#include <algorithm>

namespace aim::plugin {

Result<TrustPolicy> TrustPolicy::Parse(std::string_view list) {
    static constexpr std::string_view kSeparators = ",: \t\n";
    TrustPolicy policy;
    while (true) {
        list.remove_prefix(std::min(list.size(), list.find_first_not_of(kSeparators)));
        if (list.empty()) return policy;
        const std::string_view word = list.substr(0, list.find_first_of(kSeparators));
        list.remove_prefix(word.size());
        const auto hash = security::ParseSha256(word);
        if (!hash) {
            return FailField("PLUGIN_SHA256_ALLOW", "PLUGIN_SHA256_ALLOW: \"" +
                                                        Printable(word, 80) +
                                                        "\" is no SHA-256 (64 hexadecimal digits)");
        }
        policy.allowed_.insert(*hash);
    }
}

std::optional<Refusal> TrustPolicy::Check(const security::Sha256Digest& hash) const {
    if (!strict() || AllowsByName(hash)) return std::nullopt;
    return Refusal{RefusalReason::kNotTrusted,
                   "the file's SHA-256 " + security::ToHex(hash) +
                       " is not in PLUGIN_SHA256_ALLOW: add it there if the file is meant to run"};
}

}  // namespace aim::plugin
