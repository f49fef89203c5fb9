// Rules that hold for every call of every session. One round of many sessions is played; each check
// looks for the faults that the recorder filed under its name.
#include <string>

#include "services/cli/kit/check.hpp"

namespace aim::cli::kit {
namespace {

std::vector<Answer> AnswersOf(const Subject& subject, const Prompt& prompt) {
    std::vector<Answer> answers;
    for (const Sample& sample : subject.samples) {
        if (sample.streamed == prompt.streams()) answers.push_back(sample.answer);
    }
    for (const std::uint32_t status : {200u, 401u, 429u, 500u}) {
        for (const char* body : {"", "{}", R"({"error":{"message":"kit"}})", "garbage"}) {
            Answer answer;
            answer.status = status;
            answer.headers = {{"content-type", "application/json"}};
            answer.body = body;
            answers.push_back(std::move(answer));
        }
    }
    // The same once more, broken off in the middle.
    const std::size_t count = answers.size();
    for (std::size_t i = 0; i < count; ++i) {
        Answer cut = answers[i];
        cut.body.resize(cut.body.size() / 2);
        cut.ending = AIM_END_TRUNCATED;
        answers.push_back(std::move(cut));
    }
    return answers;
}

Finding Rule(Bench& bench, const std::string& rule) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Prompt& prompt : AllPrompts()) {
        for (const Answer& answer : AnswersOf(bench.subject(), prompt)) {
            const auto run = bench.Run(bench.MakeScript(prompt, answer));
            for (const Fault& fault : run->record().faults()) {
                if (fault.rule != rule) continue;
                return Fail(fault.message + " (request " + prompt.name() + ", answer " +
                            std::to_string(answer.status) + " '" + answer.body.substr(0, 60) +
                            "')");
            }
        }
    }
    return Pass();
}

template <const char* kRule>
Finding CheckRule(Bench& bench) {
    return Rule(bench, kRule);
}

constexpr char kSteps[] = "steps-are-legal";
constexpr char kError[] = "error-before-failed";
constexpr char kFinish[] = "finish-exactly-once";
constexpr char kTerminal[] = "no-output-after-terminal";
constexpr char kOutside[] = "no-output-outside-a-call";
constexpr char kThread[] = "sink-on-the-calling-thread";
constexpr char kUsage[] = "usage-monotonic";
constexpr char kTools[] = "tool-call-indexes";
constexpr char kExtra[] = "extra-fields-are-json";
constexpr char kUtf8[] = "text-is-utf8";
constexpr char kWait[] = "wait-has-a-time";
constexpr char kLoop[] = "request-loop-is-bounded";
constexpr char kOut[] = "out-parameters-untouched";

}  // namespace

const std::vector<Check>& RuleChecks() {
    static const std::vector<Check> checks = {
        {kSteps, "Each function returns a step that it may return.", &CheckRule<kSteps>},
        {kError, "A failure comes with one error of a known kind, and only a failure does.",
         &CheckRule<kError>},
        {kFinish, "A success has exactly one finish for each choice.", &CheckRule<kFinish>},
        {kTerminal, "Nothing is said after DONE or FAILED.", &CheckRule<kTerminal>},
        {kOutside, "Nothing is said outside of a call, nor by end.", &CheckRule<kOutside>},
        {kThread, "The sink is called on the thread of the call.", &CheckRule<kThread>},
        {kUsage, "Token counts are cumulative; what was not told is -1.", &CheckRule<kUsage>},
        {kTools, "Tool calls count from 0; id and name come once.", &CheckRule<kTools>},
        {kExtra, "Extra fields and usage are JSON.", &CheckRule<kExtra>},
        {kUtf8, "Texts are UTF-8.", &CheckRule<kUtf8>},
        {kWait, "A wait comes with its time.", &CheckRule<kWait>},
        {kLoop, "Requests without an end are not asked for.", &CheckRule<kLoop>},
        {kOut, "A call that fails leaves out-parameters alone.", &CheckRule<kOut>},
    };
    return checks;
}

}  // namespace aim::cli::kit
