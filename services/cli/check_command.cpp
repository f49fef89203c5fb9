#include "services/cli/check_command.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/json/scan.hpp"
#include "core/json/writer.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/inspection.hpp"
#include "services/cli/kit/suite.hpp"
#include "services/cli/plugin_report.hpp"

namespace aim::cli {
namespace {

using kit::CheckResult;
using kit::Outcome;

// What the gateway itself does before it loads a file; the first check that runs code.
constexpr char kProbeCheck[] = "gateway-probe";

const kit::Check& ProbeCheck() {
    static const kit::Check check = {
        kProbeCheck, "The gateway would load it: the probe in a process of its own takes it.",
        nullptr};
    return check;
}

const char* Word(Outcome outcome) {
    return outcome == Outcome::kPass ? "pass" : outcome == Outcome::kFail ? "fail" : "skip";
}

struct CheckReport {
    Inspection found;
    std::vector<CheckResult> results;
    std::uint64_t seed = 0;

    int Count(Outcome outcome) const {
        return static_cast<int>(std::count_if(
            results.begin(), results.end(),
            [&](const CheckResult& result) { return result.finding.outcome == outcome; }));
    }
    bool good() const { return !found.refusal && Count(Outcome::kFail) == 0; }
};

std::string ToJson(const CheckReport& report) {
    std::string text;
    json::Writer out(text);
    out.BeginObject();
    AppendInspection(report.found, report.good(), out);
    out.Key("checks").BeginArray();
    for (const CheckResult& result : report.results) {
        out.BeginObject()
            .Field("name", result.check->name)
            .Field("result", Word(result.finding.outcome))
            .Field("took_ms", static_cast<std::int64_t>(result.took.count()));
        if (!result.finding.message.empty())
            out.Field("message", plugin::Printable(result.finding.message, 4000));
        out.EndObject();
    }
    out.EndArray()
        .Field("passed", report.Count(Outcome::kPass))
        .Field("failed", report.Count(Outcome::kFail))
        .Field("skipped", report.Count(Outcome::kSkip))
        .Field("seed", report.seed)
        .EndObject();
    return text + "\n";
}

std::string ToText(const CheckReport& report) {
    std::string text = SentenceOf(report.found);
    for (const CheckResult& result : report.results) {
        text += std::string("  ") + Word(result.finding.outcome) + "  " + result.check->name;
        if (!result.finding.message.empty())
            text += ": " + plugin::Printable(result.finding.message, 2000);
        text += "\n";
    }
    if (!report.found.output.empty()) text += "         it said: " + report.found.output + "\n";
    return text + std::to_string(report.Count(Outcome::kPass)) + " passed, " +
           std::to_string(report.Count(Outcome::kFail)) + " failed, " +
           std::to_string(report.Count(Outcome::kSkip)) + " skipped (seed " +
           std::to_string(report.seed) + ")\n";
}

int UsageError(const std::string& message) {
    std::fprintf(stderr, "aimanager: %s\n", message.c_str());
    return kExitUsage;
}

void Append(std::vector<CheckResult>& all, std::vector<CheckResult> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

}  // namespace

int CheckPlugin(const PluginCheckOptions& options) {
    auto trust = TrustFromEnvironment();
    if (!trust) return UsageError(trust.error().message);
    kit::SuiteOptions suite;
    suite.only.insert(options.only.begin(), options.only.end());
    suite.skip.insert(options.skip.begin(), options.skip.end());
    suite.in_process = options.in_process;
    suite.limit = std::chrono::seconds(options.limit_seconds);
    for (const auto* names : {&suite.only, &suite.skip}) {
        for (const std::string& name : kit::UnknownChecks(*names)) {
            if (name != kProbeCheck)
                return UsageError("there is no check \"" + name + "\"; --list-checks shows all");
        }
    }
    if (!json::IsValidValue(options.row_settings)) return UsageError("--settings is no JSON");

    kit::Subject subject;
    subject.samples = kit::BuiltInSamples();
    for (const std::string& file : options.answers) {
        auto sample = kit::ReadSample(file);
        if (!sample) return UsageError(sample.error().message);
        subject.samples.push_back(std::move(*sample));
    }
    subject.row_settings = options.row_settings;
    subject.seed = options.seed;
    subject.fuzz_rounds = options.fuzz_rounds;

    Inspector inspector(std::move(*trust));
    CheckReport report;
    report.seed = options.seed;
    report.found = inspector.Prepare(options.file);
    subject.staged = report.found.staged;
    subject.note = report.found.note;
    subject.hash_allowed_by_name = report.found.allowed_by_name;
    if (report.found.image) {
        subject.image = *report.found.image;
        Append(report.results, kit::RunChecks(subject, suite, false));
    }
    const bool wants_probe = suite.skip.count(kProbeCheck) == 0 &&
                             (suite.only.empty() || suite.only.count(kProbeCheck) != 0);
    if (!report.found.refusal && wants_probe) {
        inspector.Probe(report.found);
        CheckResult result;
        result.check = &ProbeCheck();
        if (report.found.refusal) result.finding = kit::Fail(report.found.refusal->message);
        report.results.push_back(std::move(result));
    }
    if (!report.found.refusal) Append(report.results, kit::RunChecks(subject, suite, true));

    const std::string text = options.json ? ToJson(report) : ToText(report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return report.good() ? kExitOk : kExitRefused;
}

int ListChecks(bool as_json) {
    std::vector<kit::Check> all = kit::AllChecks();
    const auto first_with_code = std::find_if(
        all.begin(), all.end(), [](const kit::Check& check) { return check.runs_code; });
    all.insert(first_with_code, ProbeCheck());
    std::string text;
    json::Writer out(text);
    if (as_json) out.BeginArray();
    for (const kit::Check& check : all) {
        if (as_json) {
            out.BeginObject().Field("name", check.name).Field("what", check.what).EndObject();
        } else {
            text += std::string(check.name) + "\n    " + check.what + "\n";
        }
    }
    if (as_json) out.EndArray();
    if (as_json) text += "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    return kExitOk;
}

}  // namespace aim::cli
