#include "services/cli/kit/check.hpp"

namespace aim::cli::kit {

std::vector<Check> AllChecks() {
    std::vector<Check> all;
    for (const auto* part : {&FileChecks(), &LibraryChecks(), &RequestChecks(), &AnswerChecks(),
                             &RuleChecks(), &LifetimeChecks(), &FuzzChecks()}) {
        all.insert(all.end(), part->begin(), part->end());
    }
    return all;
}

std::optional<Finding> NeedProvider(Bench& bench) {
    if (std::string why = bench.Init(); !why.empty()) return Fail(std::move(why));
    if (bench.chat() == nullptr) return Skip("the plugin has no " AIM_CHAT_ID);
    if (std::string why = bench.MakeProvider(); !why.empty()) return Skip(std::move(why));
    return std::nullopt;
}

std::optional<Finding> NeedRequests(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return finding;
    if (!bench.SendsRequests()) return Skip("the plugin sends no request");
    return std::nullopt;
}

Finding UnlessTolerated(const Subject& subject, Finding finding) {
    if (finding.outcome != Outcome::kFail || !subject.hash_allowed_by_name ||
        !subject.image.static_tls)
        return finding;
    return Skip(finding.message + "; tolerated, for PLUGIN_SHA256_ALLOW names the file");
}

}  // namespace aim::cli::kit
