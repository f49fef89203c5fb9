#include "services/cli/kit/suite.hpp"

#include <algorithm>

#include "core/base/clock.hpp"
#include "services/cli/kit/child.hpp"

namespace aim::cli::kit {
namespace {

const std::vector<Check>& Checks() {
    static const std::vector<Check> all = AllChecks();
    return all;
}

}  // namespace

std::vector<CheckResult> RunChecks(const Subject& subject, const SuiteOptions& options,
                                   bool that_run_code) {
    AllPrompts();  // made once, for all children
    std::vector<CheckResult> results;
    const Clock& clock = SystemClock();
    for (const Check& check : Checks()) {
        if (check.runs_code != that_run_code) continue;
        if (!options.only.empty() && options.only.count(check.name) == 0) continue;
        CheckResult result;
        result.check = &check;
        const MonotonicTime start = clock.Now();
        const auto run = [&] {
            Bench bench(subject);
            return check.run(bench);
        };
        if (options.skip.count(check.name) != 0) {
            result.finding = Skip("by --skip");
        } else {
            result.finding = options.in_process ? run() : RunInChild(run, options.limit);
        }
        result.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now() - start);
        results.push_back(std::move(result));
    }
    return results;
}

std::vector<std::string> UnknownChecks(const std::set<std::string>& names) {
    std::vector<std::string> unknown;
    for (const std::string& name : names) {
        const bool known = std::any_of(Checks().begin(), Checks().end(),
                                       [&](const Check& check) { return check.name == name; });
        if (!known) unknown.push_back(name);
    }
    return unknown;
}

}  // namespace aim::cli::kit
