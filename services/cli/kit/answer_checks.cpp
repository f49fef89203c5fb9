// Checks of what a plugin makes of answers: good ones in every cut, bad ones of every kind.
#include <algorithm>
#include <set>
#include <string>

#include "core/base/random.hpp"
#include "services/cli/kit/check.hpp"

namespace aim::cli::kit {
namespace {

std::string Text(std::int64_t number) { return std::to_string(number); }

Answer WithBody(std::uint32_t status, std::string body, const char* type = "application/json") {
    Answer answer;
    answer.status = status;
    answer.headers = {{"content-type", type}};
    answer.body = std::move(body);
    return answer;
}

// Calls with every prompt kind that the plugin sends a request for.
template <typename Visit>
std::optional<Finding> ForBothKinds(Bench& bench, Visit&& visit) {
    if (auto finding = NeedRequests(bench)) return finding;
    for (const bool stream : {false, true}) {
        const Prompt& prompt = MinimalPrompt(stream);
        if (bench.Run(bench.MakeScript(prompt))->requests().empty()) continue;  // unsupported
        if (auto finding = visit(prompt)) return finding;
    }
    return std::nullopt;
}

// Not a success, whatever kind of failure.
std::optional<Finding> MustFail(Bench& bench, const Prompt& prompt, const Answer& answer,
                                const std::string& what) {
    const auto run = bench.Run(bench.MakeScript(prompt, answer));
    if (!run->done()) return std::nullopt;
    return Fail(what + " was taken for a success: " + run->record().Describe());
}

std::optional<Finding> NeedSamples(Bench& bench, std::vector<const Sample*>& samples) {
    if (auto finding = NeedRequests(bench)) return finding;
    samples = bench.Understood();
    if (samples.empty())
        return Skip(
            "the plugin understands none of the kit's answers: give one of its provider "
            "with --answer FILE");
    return std::nullopt;
}

Finding SameInEveryCut(Bench& bench, const std::function<Splitter(std::uint64_t)>& splitter,
                       int rounds, const char* how) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const Sample& sample : bench.subject().samples) {
        const Script whole = bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer);
        const auto expected = bench.Run(whole);
        for (int round = 0; round < rounds; ++round) {
            Script cut = whole;
            cut.splitter = splitter(bench.subject().seed + static_cast<std::uint64_t>(round));
            const auto found = bench.Run(std::move(cut));
            if (!SameOutcome(*expected, *found))
                return Fail("the answer " + sample.name + " fed " + how + " gave " +
                            found->record().Describe() + "; fed whole it gave " +
                            expected->record().Describe());
        }
    }
    return Pass();
}

Finding ByteByByte(Bench& bench) {
    return SameInEveryCut(
        bench, [](std::uint64_t) { return [](std::size_t) { return std::size_t{1}; }; }, 1,
        "byte by byte");
}

Finding RandomSplits(Bench& bench) {
    return SameInEveryCut(
        bench,
        [](std::uint64_t seed) -> Splitter {
            return [random = std::shared_ptr<Random>(MakeSeededRandom(seed))](std::size_t left) {
                return 1 + random->Next() % std::min<std::size_t>(left, 40);
            };
        },
        20, "in random pieces");
}

// Cuts exactly where a character of several bytes is under way.
Finding InsideCharacters(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const Sample& sample : bench.subject().samples) {
        const Script whole = bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer);
        const auto expected = bench.Run(whole);
        for (std::size_t at = 1; at < sample.answer.body.size(); ++at) {
            if ((static_cast<unsigned char>(sample.answer.body[at]) & 0xC0) != 0x80) continue;
            Script cut = whole;
            cut.splitter = [at, all = sample.answer.body.size()](std::size_t left) {
                return left == all ? at : left;
            };
            const auto found = bench.Run(std::move(cut));
            if (!SameOutcome(*expected, *found))
                return Fail("the answer " + sample.name + " cut at byte " +
                            Text(static_cast<std::int64_t>(at)) + ", inside a character, gave " +
                            found->record().Describe());
        }
    }
    return Pass();
}

Finding KeepAlives(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const Sample& sample : bench.subject().samples) {
        if (sample.answer.body.find("data: ") == std::string::npos) continue;
        const Script plain = bench.MakeScript(MinimalPrompt(true), sample.answer);
        const auto expected = bench.Run(plain);
        if (expected->requests().empty() || expected->requests().back().framing != AIM_FRAMING_SSE)
            continue;
        Script commented = plain;
        commented.answer.body.clear();
        std::string_view rest = sample.answer.body;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.size(), rest.find("\n\n") + 2);
            commented.answer.body += ": keep-alive\n\n";
            commented.answer.body += rest.substr(0, end);
            rest.remove_prefix(end);
        }
        const auto found = bench.Run(std::move(commented));
        if (!SameOutcome(*expected, *found))
            return Fail("with keep-alive comments " + sample.name + " gave " +
                        found->record().Describe());
    }
    return Pass();
}

Finding UnderstandsAnAnswer(Bench& bench) {
    std::vector<const Sample*> samples;
    if (auto finding = NeedSamples(bench, samples)) return *finding;
    return Pass();
}

// Cut anywhere: an answer without its end may succeed only when the reason of the end had come.
Finding Truncated(Bench& bench) {
    std::vector<const Sample*> samples;
    if (auto finding = NeedSamples(bench, samples)) return *finding;
    for (const Sample* sample : samples) {
        for (std::size_t size = 0; size < sample->answer.body.size(); ++size) {
            Script script = bench.MakeScript(MinimalPrompt(sample->streamed), sample->answer);
            script.answer.body.resize(size);
            script.answer.ending = AIM_END_TRUNCATED;
            const auto run = bench.Run(std::move(script));
            if (run->done() && !run->record().finished())
                return Fail("the answer " + sample->name + " cut after " +
                            Text(static_cast<std::int64_t>(size)) +
                            " bytes was taken for a success");
            if (run->done() && !sample->streamed)
                return Fail("a whole answer cut after " + Text(static_cast<std::int64_t>(size)) +
                            " bytes (AIM_END_TRUNCATED) was taken for a success");
        }
    }
    return Pass();
}

Finding OtherEndings(Bench& bench) {
    std::vector<const Sample*> samples;
    if (auto finding = NeedSamples(bench, samples)) return *finding;
    for (const Sample* sample : samples) {
        for (const std::int32_t ending : {AIM_END_TOO_LARGE, AIM_END_MALFORMED, 99, -7}) {
            Script script = bench.MakeScript(MinimalPrompt(sample->streamed), sample->answer);
            script.answer.body.resize(script.answer.body.size() / 2);
            script.answer.ending = ending;
            if (bench.Run(std::move(script))->done())
                return Fail("half of " + sample->name + " with the ending " + Text(ending) +
                            " was taken for a success; only AIM_END_COMPLETE is one");
        }
    }
    return Pass();
}

// Who asks again (a job that is polled, a second try) is told that no answer came, and may ask
// once more; it must not take that for an answer.
Finding LostLaterRequests(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    std::vector<Answer> answers = {
        WithBody(500, "{}"), WithBody(429, "{}"), WithBody(200, "{}"),
        WithBody(201, R"({"id":"job1","status":"starting"})")};  // a job that has to be polled
    for (const Sample& sample : bench.subject().samples) answers.push_back(sample.answer);
    bool asked_again = false;
    for (const bool streamed : {false, true}) {
        for (const Answer& answer : answers) {
            Script script = bench.MakeScript(MinimalPrompt(streamed), answer);
            script.later_requests_are_lost = true;
            const auto run = bench.Run(std::move(script));
            if (run->requests().size() < 2) continue;
            asked_again = true;
            if (run->done())
                return Fail(
                    "a second request without an answer (AIM_END_NOT_CONNECTED) was taken "
                    "for a success");
        }
    }
    return asked_again ? Pass() : Skip("no answer made it ask a second time");
}

Finding EmptyBody(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        for (const char* type : {"application/json", "text/event-stream", ""}) {
            if (auto wrong = MustFail(bench, prompt, WithBody(200, "", type), "an empty body"))
                return wrong;
        }
        return std::nullopt;
    });
    return finding ? *finding : Pass();
}

Finding Garbage(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        const auto random = MakeSeededRandom(bench.subject().seed);
        for (int round = 0; round < 40; ++round) {
            std::string bytes(1 + random->Next() % 400, '\0');
            for (char& c : bytes) c = static_cast<char>(random->Next());
            if (round % 3 == 1) bytes.insert(0, "data: ").append("\n\n");
            if (round % 3 == 2) bytes.insert(0, "{\"choices\":[{\"");
            if (auto wrong = MustFail(bench, prompt, WithBody(200, bytes), "garbage")) return wrong;
            bench.Run(bench.MakeScript(prompt, WithBody(500, bytes)));
        }
        for (const char* body : {"null", "[]", "{}", "1", "\"text\"", "{\"choices\":null}",
                                 "{\"choices\":[null]}", "{\"candidates\":[{}]}", "data: {}\n\n",
                                 "data: null\n\ndata: []\n\n", "[null]", "{\"error\":null}"}) {
            const char* const type = body[0] == 'd' ? "text/event-stream" : "application/json";
            if (auto wrong = MustFail(bench, prompt, WithBody(200, body, type),
                                      std::string("the body ") + body))
                return wrong;
        }
        return std::nullopt;
    });
    return finding ? *finding : Pass();
}

Finding InvalidUtf8(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const Sample& sample : bench.subject().samples) {
        for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xf0\x9f"}) {
            Script script = bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer);
            std::string& body = script.answer.body;
            for (std::size_t at = 0; (at = body.find("Gr", at)) != std::string::npos; at += 8)
                body.insert(at, bad);
            bench.Run(std::move(script));  // anything but a crash: the host repairs texts
        }
    }
    return Pass();
}

Finding HugeLine(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        const std::string filler(4u << 20, 'x');
        for (const std::string& body : {filler, "data: " + filler + "\n\n",
                                        "{\"choices\":[{\"message\":{\"content\":\"" + filler}) {
            if (auto wrong = MustFail(bench, prompt, WithBody(200, body), "4 MiB of one line"))
                return wrong;
        }
        return std::nullopt;
    });
    return finding ? *finding : Pass();
}

Finding DeepJson(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        const std::string open(200'000, '[');
        std::string objects;
        for (int i = 0; i < 50'000; ++i) objects += "{\"a\":";
        for (const std::string& body :
             {open, objects, "{\"choices\":" + open, "data: " + objects + "\n\n"}) {
            for (const std::uint32_t status : {200u, 400u}) {
                if (auto wrong =
                        MustFail(bench, prompt, WithBody(status, body), "JSON of 200000 levels"))
                    return wrong;
            }
        }
        return std::nullopt;
    });
    return finding ? *finding : Pass();
}

struct StatusRule {
    std::uint32_t status;
    std::set<std::int32_t> kinds;
};

// Which kinds make sense for a status; a body may tell more, so there are several.
const std::vector<StatusRule>& StatusRules() {
    static const std::vector<StatusRule> rules = {
        {400,
         {AIM_ERROR_INVALID_REQUEST, AIM_ERROR_CONTEXT_TOO_LONG, AIM_ERROR_CONTENT_FILTERED,
          AIM_ERROR_UNSUPPORTED, AIM_ERROR_MODEL_NOT_FOUND, AIM_ERROR_UPSTREAM_FAILURE,
          AIM_ERROR_PROTOCOL_ERROR}},
        {401, {AIM_ERROR_UNAUTHENTICATED, AIM_ERROR_FORBIDDEN}},
        {402, {AIM_ERROR_QUOTA_EXHAUSTED}},
        {403,
         {AIM_ERROR_FORBIDDEN, AIM_ERROR_UNAUTHENTICATED, AIM_ERROR_QUOTA_EXHAUSTED,
          AIM_ERROR_MODEL_NOT_FOUND, AIM_ERROR_CONTENT_FILTERED}},
        {404, {AIM_ERROR_MODEL_NOT_FOUND, AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_PROTOCOL_ERROR}},
        {408, {AIM_ERROR_UPSTREAM_TIMEOUT, AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_OVERLOADED}},
        {409,
         {AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_OVERLOADED, AIM_ERROR_RATE_LIMITED,
          AIM_ERROR_INVALID_REQUEST, AIM_ERROR_PROTOCOL_ERROR}},
        {413,
         {AIM_ERROR_CONTEXT_TOO_LONG, AIM_ERROR_INVALID_REQUEST, AIM_ERROR_RATE_LIMITED,
          AIM_ERROR_UNSUPPORTED}},
        {429, {AIM_ERROR_RATE_LIMITED, AIM_ERROR_QUOTA_EXHAUSTED, AIM_ERROR_OVERLOADED}},
        {500, {AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_OVERLOADED, AIM_ERROR_UPSTREAM_TIMEOUT}},
        {502, {AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_OVERLOADED, AIM_ERROR_UPSTREAM_TIMEOUT}},
        {503, {AIM_ERROR_OVERLOADED, AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_UPSTREAM_TIMEOUT}},
        {504, {AIM_ERROR_UPSTREAM_TIMEOUT, AIM_ERROR_UPSTREAM_FAILURE, AIM_ERROR_OVERLOADED}},
        {529, {AIM_ERROR_OVERLOADED, AIM_ERROR_UPSTREAM_FAILURE}},
    };
    return rules;
}

std::optional<Finding> CheckStatus(Bench& bench, const Prompt& prompt, const StatusRule& rule,
                                   const std::string& body) {
    const auto run = bench.Run(bench.MakeScript(prompt, WithBody(rule.status, body)));
    const std::string what = "status " + Text(rule.status);
    if (run->done()) return Fail(what + " was taken for a success");
    if (!run->failed()) return std::nullopt;  // it asks again or waits: its own affair
    const SaidError& error = run->record().error();
    if (rule.kinds.count(error.kind) == 0)
        return Fail(what + " with the body '" + body.substr(0, 60) + "' became error kind " +
                    Text(error.kind) + " (" + error.message +
                    "): the host decides from the kind alone (status.h)");
    if (error.upstream_status != static_cast<std::int32_t>(rule.status))
        return Fail(what + " became an error with upstream_status " + Text(error.upstream_status));
    return std::nullopt;
}

Finding StatusTable(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        for (const StatusRule& rule : StatusRules()) {
            for (const char* body : {"", R"({"error":{"message":"kit"}})", R"({"error":"kit"})"}) {
                if (auto wrong = CheckStatus(bench, prompt, rule, body)) return wrong;
            }
        }
        return std::nullopt;
    });
    return finding ? *finding : Pass();
}

Finding ErrorPages(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        const std::string page =
            "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>" +
            std::string(2000, 'x') + "</body></html>";
        for (const StatusRule& rule : StatusRules()) {
            if (rule.status < 500) continue;
            if (auto wrong = CheckStatus(bench, prompt, rule, page)) return wrong;
        }
        return MustFail(bench, prompt, WithBody(200, page, "text/html"), "an HTML page");
    });
    return finding ? *finding : Pass();
}

Finding RetryAfter(Bench& bench) {
    bool told = false;
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        Answer answer = WithBody(429, "{}");
        answer.headers.emplace_back("retry-after", "7");
        const auto run = bench.Run(bench.MakeScript(prompt, answer));
        if (!run->failed()) return std::nullopt;
        const std::int64_t hint = run->record().error().retry_after_ms;
        told = told || hint >= 0;
        if (hint == -1 || (hint >= 6'000 && hint <= 8'000)) return std::nullopt;
        return Fail("`retry-after: 7` became retry_after_ms " + Text(hint) + ", expected 7000");
    });
    if (finding) return *finding;
    return told ? Pass() : Skip("the plugin does not read retry-after: 7 (retry_after_ms is -1)");
}

Finding ErrorInside200(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        const char* const error = R"({"error":{"message":"overloaded","type":"server_error"}})";
        if (auto wrong = MustFail(bench, prompt, WithBody(200, error), "an error inside a 200"))
            return wrong;
        return MustFail(bench, prompt,
                        WithBody(200, std::string("data: ") + error + "\n\ndata: [DONE]\n\n",
                                 "text/event-stream"),
                        "an error inside a stream");
    });
    return finding ? *finding : Pass();
}

Finding NoSecretsInErrors(Bench& bench) {
    const auto finding = ForBothKinds(bench, [&](const Prompt& prompt) -> std::optional<Finding> {
        // Looks like a key without being one.
        const std::string key = std::string("sk") + "-aimkit" + std::string(44, 'A');
        for (const std::string& body :
             {R"({"error":{"message":"Incorrect API key provided: )" + key + R"(."}})",
              R"({"message":"Authorization: Bearer )" + key + R"( is wrong"})", key}) {
            const auto run = bench.Run(bench.MakeScript(prompt, WithBody(401, body)));
            if (run->record().error().message.find(key) != std::string::npos ||
                bench.Logged().find(key) != std::string::npos)
                return Fail("a key that the provider repeated went into a message or the log: " +
                            run->record().error().message);
        }
        return std::nullopt;
    });
    return finding ? *finding : Pass();
}

Finding OddHeads(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const Sample& sample : bench.subject().samples) {
        Script script = bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer);
        const auto expected = bench.Run(script);
        for (int i = 0; i < 300; ++i)
            script.answer.headers.emplace_back("x-kit-" + Text(i), std::string(200, 'v'));
        script.answer.headers.emplace_back("x-empty", "");
        script.answer.headers.emplace_back("x-bytes", "\xff\xfe\x80");
        script.answer.headers.emplace_back("retry-after", "999999999999999999999999");
        script.answer.headers.emplace_back("x-ratelimit-reset", "-1e999");
        const auto found = bench.Run(script);
        if (expected->state() != found->state())
            return Fail("headers that mean nothing changed the outcome of " + sample.name);
        script.answer.headers.clear();
        bench.Run(script);
        for (const std::uint32_t status : {100u, 204u, 301u, 304u, 418u, 599u, 999u}) {
            script.answer.status = status;
            script.answer.body.clear();
            if (bench.Run(script)->done())
                return Fail("status " + Text(status) + " without a body was taken for a success");
        }
    }
    return Pass();
}

}  // namespace

const std::vector<Check>& AnswerChecks() {
    static const std::vector<Check> checks = {
        {"answer-is-understood", "It turns a good answer of its provider into a success.",
         &UnderstandsAnAnswer},
        {"stream-whole-equals-bytewise", "Fed byte by byte it says the same as fed whole.",
         &ByteByByte},
        {"stream-random-splits", "Fed in random pieces it says the same.", &RandomSplits},
        {"utf8-split-inside-code-point", "Cut inside a character it says the same.",
         &InsideCharacters},
        {"keepalive-comments-ignored", "Comments in a stream change nothing.", &KeepAlives},
        {"truncated-stream-is-error", "A cut answer is a failure, wherever it is cut.", &Truncated},
        {"other-endings-are-errors", "Endings other than COMPLETE, known or not, are failures.",
         &OtherEndings},
        {"lost-later-request-is-no-success",
         "A later request without an answer (NOT_CONNECTED) is no success.", &LostLaterRequests},
        {"empty-body", "An empty body is a failure.", &EmptyBody},
        {"garbage-is-error-not-crash", "Bytes without meaning are a failure.", &Garbage},
        {"invalid-utf8-is-no-crash", "Bytes that are no UTF-8 do no harm.", &InvalidUtf8},
        {"huge-line-limited", "A line of 4 MiB is a failure.", &HugeLine},
        {"deep-json-limited", "JSON of 200000 levels is a failure.", &DeepJson},
        {"status-table", "Each status becomes a kind that fits it, never a success.", &StatusTable},
        {"non-json-error-page", "An HTML page is what its status says.", &ErrorPages},
        {"retry-after-is-read", "A retry-after header becomes retry_after_ms.", &RetryAfter},
        {"error-inside-200", "An error inside a 200 is a failure.", &ErrorInside200},
        {"no-secret-in-errors", "A key that a provider repeats comes into no message.",
         &NoSecretsInErrors},
        {"odd-heads", "Headers of any kind and statuses without a meaning do no harm.", &OddHeads},
    };
    return checks;
}

}  // namespace aim::cli::kit
