// Random requests, changed answers, random pieces, random ends. A seed makes the same session
// again: `aimanager plugin check FILE --only fuzz --reproduce SEED`.
#include <algorithm>
#include <memory>
#include <string>

#include "core/base/random.hpp"
#include "services/cli/kit/check.hpp"
#include "services/cli/kit/progress.hpp"

namespace aim::cli::kit {
namespace {

class Draws {
  public:
    explicit Draws(std::uint64_t seed) : random_(MakeSeededRandom(seed)) {}
    std::size_t Below(std::size_t limit) {
        return limit == 0 ? 0 : static_cast<std::size_t>(random_->Next() % limit);
    }
    bool OneIn(std::size_t n) { return Below(n) == 0; }

  private:
    std::unique_ptr<Random> random_;
};

constexpr const char* kTokens[] = {"{",
                                   "}",
                                   "[",
                                   "]",
                                   "\"",
                                   ":",
                                   ",",
                                   "null",
                                   "true",
                                   "-1",
                                   "1e999",
                                   "\\u0000",
                                   "data",
                                   "\n\n",
                                   "\xff\xfe",
                                   "\\ud800",
                                   "[DONE]",
                                   "\"choices\"",
                                   "99999999999999999999",
                                   "\"delta\"",
                                   "\"finish_reason\""};

void Mutate(std::string& body, Draws& draws) {
    const std::size_t changes = draws.Below(6);
    for (std::size_t i = 0; i < changes && !body.empty(); ++i) {
        const std::size_t at = draws.Below(body.size());
        switch (draws.Below(6)) {
            case 0:
                body[at] = static_cast<char>(draws.Below(256));
                break;
            case 1:
                body.erase(at, 1 + draws.Below(20));
                break;
            case 2:
                body.insert(at, kTokens[draws.Below(std::size(kTokens))]);
                break;
            case 3:
                body.insert(at, body.substr(draws.Below(body.size()), draws.Below(100)));
                break;
            case 4:
                body.resize(at);
                break;
            default:
                std::swap(body[at], body[draws.Below(body.size())]);
        }
    }
}

// One session; a sentence when a rule is broken.
std::string FuzzOnce(Bench& bench, std::uint64_t seed) {
    Draws draws(seed);
    const Prompt& prompt = AllPrompts()[draws.Below(AllPrompts().size())];
    const Sample& sample = bench.subject().samples[draws.Below(bench.subject().samples.size())];
    Script script = bench.MakeScript(prompt, sample.answer);
    script.seed = seed;
    Mutate(script.answer.body, draws);
    if (draws.OneIn(4)) {
        constexpr std::uint32_t kStatuses[] = {200, 204, 301, 400, 401, 404, 429, 500, 503, 999};
        script.answer.status = kStatuses[draws.Below(std::size(kStatuses))];
    }
    if (draws.OneIn(5)) script.answer.headers.clear();
    if (draws.OneIn(4)) script.answer.ending = static_cast<std::int32_t>(draws.Below(5));
    if (draws.OneIn(3)) script.memory = MemoryMode::kGuarded;
    script.splitter = [shared = std::make_shared<Draws>(seed + 1)](std::size_t left) {
        return 1 + shared->Below(std::min<std::size_t>(left, 50));
    };
    const int stop = draws.OneIn(5) ? static_cast<int>(draws.Below(8)) : 1'000'000;
    SessionRun run(*bench.chat(), bench.provider(), script);
    for (int i = 0; i < stop && run.Step(); ++i) {
    }
    run.End();
    for (const Fault& fault : run.record().faults()) {
        // A provider that sends nonsense may well make these; the host repairs them.
        if (fault.rule == "text-is-utf8" || fault.rule == "usage-monotonic" ||
            fault.rule == "tool-call-indexes")
            continue;
        return fault.message;
    }
    // A session may only repeat what it got, a few times over.
    if (run.record().output_bytes() >
        64 * (script.answer.body.size() + prompt.json().size()) + 4096)
        return "the plugin said " + std::to_string(run.record().output_bytes()) +
               " bytes from an answer of " + std::to_string(script.answer.body.size());
    return {};
}

Finding Fuzz(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (int round = 0; round < bench.subject().fuzz_rounds; ++round) {
        const std::uint64_t seed = bench.subject().seed + static_cast<std::uint64_t>(round);
        ReportProgress("seed " + std::to_string(seed));
        if (std::string why = FuzzOnce(bench, seed); !why.empty())
            return Fail(why + "; repeat it with --only fuzz --reproduce " + std::to_string(seed));
    }
    return Pass();
}

}  // namespace

const std::vector<Check>& FuzzChecks() {
    static const std::vector<Check> checks = {
        {"fuzz", "Changed answers, random pieces and ends break no rule.", &Fuzz},
    };
    return checks;
}

}  // namespace aim::cli::kit
