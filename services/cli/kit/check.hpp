#pragma once

#include <optional>
#include <vector>

#include "services/cli/kit/bench.hpp"
#include "services/cli/kit/finding.hpp"

namespace aim::cli::kit {

// One named test of the suite. Runs in a process of its own, on a bench that has loaded nothing
// yet.
struct Check {
    const char* name;  // kebab-case; never changes once released
    const char* what;  // one sentence: what holds for a good plugin
    Finding (*run)(Bench& bench);
    bool runs_code = true;  // false: looks at the file's bytes only
};

// The parts of the suite, in the order in which they run.
const std::vector<Check>& FileChecks();      // bytes only
const std::vector<Check>& LibraryChecks();   // entry, descriptor, tables, side effects
const std::vector<Check>& RequestChecks();   // what the plugin asks the host to send
const std::vector<Check>& AnswerChecks();    // what it makes of answers
const std::vector<Check>& RuleChecks();      // rules that hold for every session
const std::vector<Check>& LifetimeChecks();  // ends, threads, memory, other hosts
const std::vector<Check>& FuzzChecks();

// All of them.
std::vector<Check> AllChecks();

// Makes the provider. Nullopt when there is one; else the finding to return: a skip for a plugin
// without chat, a failure for one that does not come so far.
std::optional<Finding> NeedProvider(Bench& bench);
// The same for plugins that send requests; those that do not are skipped.
std::optional<Finding> NeedRequests(Bench& bench);

// A failure that a language's run time cannot help (Go starts threads and installs signal handlers)
// becomes a skip when the operator has allowed the file by its hash and it is of that kind.
Finding UnlessTolerated(const Subject& subject, Finding finding);

}  // namespace aim::cli::kit
