// Checks of what a plugin asks the host to send.
#include <algorithm>
#include <cctype>
#include <string>

#include "core/http/url.hpp"
#include "core/json/scan.hpp"
#include "services/cli/kit/check.hpp"

namespace aim::cli::kit {
namespace {

bool Has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// The names in `{NAME}` slots; `{{` and `}}` are plain braces.
std::vector<std::string> SlotsOf(std::string_view value) {
    std::vector<std::string> slots;
    for (std::size_t at = 0; at < value.size(); ++at) {
        if (value[at] != '{') continue;
        if (at + 1 < value.size() && value[at + 1] == '{') {
            ++at;
            continue;
        }
        const std::size_t end = value.find('}', at);
        if (end == std::string_view::npos) break;
        slots.emplace_back(value.substr(at + 1, end - at - 1));
        at = end;
    }
    return slots;
}

// Begins a session of every prompt: sent, waiting, done, or refused as one of these kinds.
Finding Begin(Bench& bench, const char* wanted, bool must_be_taken) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Prompt& prompt : AllPrompts()) {
        if (!Has(prompt.name(), wanted)) continue;
        const auto run = bench.Run(bench.MakeScript(prompt));
        const SaidError& error = run->record().error();
        const bool began = !run->requests().empty() || run->done() || !run->failed();
        if (began) continue;
        if (must_be_taken && !prompt.streams())
            return Fail("the request " + prompt.name() + " was refused: " + error.message);
        if (error.kind != AIM_ERROR_UNSUPPORTED && error.kind != AIM_ERROR_INVALID_REQUEST)
            return Fail("the request " + prompt.name() + " failed with error kind " +
                        std::to_string(error.kind) +
                        "; what a plugin cannot do is AIM_ERROR_UNSUPPORTED");
    }
    return Pass();
}

Finding Minimal(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    // A provider that only streams, or never does, is a provider, too.
    std::string why;
    for (const bool stream : {false, true}) {
        const auto run = bench.Run(bench.MakeScript(MinimalPrompt(stream)));
        if (!run->requests().empty() || run->done() || !run->failed()) return Pass();
        why = run->record().error().message;
    }
    return Fail("the smallest request is refused, whole and streamed: " + why);
}

Finding AllFields(Bench& bench) { return Begin(bench, "all-fields", false); }
Finding ToolTurns(Bench& bench) { return Begin(bench, "tool-turns", false); }
Finding Parts(Bench& bench) { return Begin(bench, "parts", false); }
Finding Schema(Bench& bench) { return Begin(bench, "json-schema", false); }
Finding Unicode(Bench& bench) { return Begin(bench, "unicode", true); }
Finding TwoChoices(Bench& bench) { return Begin(bench, "two-choices", false); }
Finding UnknownFields(Bench& bench) { return Begin(bench, "unknown-fields", true); }

Finding Streamed(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    const auto& words = bench.introduction().descriptor.capabilities;
    const bool streams = std::find(words.begin(), words.end(), "stream") != words.end();
    const auto run = bench.Run(bench.MakeScript(MinimalPrompt(true)));
    const bool began = !run->requests().empty() || run->done() || !run->failed();
    if (streams && !began)
        return Fail("the descriptor says stream, but a streamed request is refused: " +
                    run->record().error().message);
    if (!began && run->record().error().kind != AIM_ERROR_UNSUPPORTED)
        return Fail("a streamed request is refused with another kind than AIM_ERROR_UNSUPPORTED");
    return Pass();
}

Finding Deterministic(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Prompt& prompt : AllPrompts()) {
        for (const Sample& sample : bench.subject().samples) {
            if (sample.streamed != prompt.streams()) continue;
            const Script script = bench.MakeScript(prompt, sample.answer);
            const auto first = bench.Run(script);
            const auto second = bench.Run(script);
            if (!SameOutcome(*first, *second))
                return Fail("the request " + prompt.name() + " with the answer " + sample.name +
                            " gave " + first->record().Describe() + " and then " +
                            second->record().Describe() + ": no clock and no chance of its own");
        }
    }
    return Pass();
}

Finding WellFormed(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const Prompt& prompt : AllPrompts()) {
        const auto run = bench.Run(bench.MakeScript(prompt));
        for (const Fault& fault : run->record().faults()) {
            if (fault.rule == "request-is-well-formed")
                return Fail(fault.message + " (request " + prompt.name() + ")");
        }
        for (const Description& request : run->requests()) {
            for (const auto& [name, value] : request.headers) {
                std::string lowered = name;
                std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
                if (lowered == "content-type" && value.rfind("application/json", 0) == 0 &&
                    !json::IsValidValue(request.body)) {
                    return Fail("the body is sent as application/json and is none (request " +
                                prompt.name() + "): " + request.body.substr(0, 200));
                }
            }
        }
    }
    return Pass();
}

// Where requests go: below the row's endpoint, and with the default one only to declared hosts.
Finding UrlAllowed(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    const plugin::Descriptor& descriptor = bench.introduction().descriptor;
    for (const Prompt& prompt : AllPrompts()) {
        const auto run = bench.Run(bench.MakeScript(prompt));
        for (const Description& request : run->requests()) {
            const auto url = http::Url::Parse(request.url);
            if (!url) continue;  // another check's
            if (!descriptor.default_endpoint.empty() &&
                descriptor.default_endpoint.rfind("https://", 0) == 0 && !url->tls) {
                return Fail("the default endpoint is https, the request goes to " + request.url);
            }
            if (descriptor.hosts.empty() || descriptor.default_endpoint.empty()) continue;
            const bool allowed = std::any_of(
                descriptor.hosts.begin(), descriptor.hosts.end(), [&](const std::string& host) {
                    if (host[0] != '.') return host == url->host;
                    return url->host.size() > host.size() &&
                           url->host.compare(url->host.size() - host.size(), host.size(), host) ==
                               0;
                });
            if (!allowed)
                return Fail("the request goes to " + url->host +
                            ", which is none of the descriptor's hosts");
        }
    }
    return Pass();
}

Finding EndpointOfTheRow(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    for (const char* endpoint : {"http://127.0.0.1:8011/base/v1", "https://row.example/v9"}) {
        for (const bool stream : {false, true}) {
            Script script = bench.MakeScript(MinimalPrompt(stream));
            script.endpoint = endpoint;
            const auto run = bench.Run(std::move(script));
            if (run->requests().empty()) continue;
            const auto url = http::Url::Parse(run->requests()[0].url);
            const auto row = http::Url::Parse(endpoint);
            if (!url || url->Origin() != row->Origin())
                return Fail(std::string("the row's endpoint is ") + endpoint +
                            ", the request goes to " + run->requests()[0].url);
        }
    }
    return Pass();
}

Finding Slots(Bench& bench) {
    if (auto finding = NeedRequests(bench)) return *finding;
    const auto& settings = bench.introduction().descriptor.settings;
    for (const Prompt& prompt : AllPrompts()) {
        const auto run = bench.Run(bench.MakeScript(prompt));
        for (const Description& request : run->requests()) {
            for (const auto& [name, value] : request.headers) {
                for (const std::string& slot : SlotsOf(value)) {
                    const bool known =
                        std::any_of(settings.begin(), settings.end(),
                                    [&](const auto& setting) { return setting.name == slot; });
                    if (!known)
                        return Fail(
                            std::string("the header ")
                                .append(name)
                                .append(" has the slot {")
                                .append(slot)
                                .append(
                                    "}, which is no setting of the descriptor ({{ is a brace)"));
                }
            }
            for (const plugin::SettingDescriptor& setting : settings) {
                const std::string slot = std::string("{").append(setting.name).append("}");
                if (Has(request.url, slot) || (setting.secret && Has(request.body, slot)))
                    return Fail("the slot " + slot +
                                " stands in the URL or body, where slots are not filled in");
            }
        }
    }
    return Pass();
}

// Secrets are in the environment of this process; nothing of them may come out.
Finding NoSecrets(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Prompt& prompt : AllPrompts()) {
        for (const Sample& sample : bench.subject().samples) {
            const auto run = bench.Run(bench.MakeScript(prompt, sample.answer));
            std::string all = run->record().error().message;
            for (const Description& request : run->requests()) {
                all.append(request.url).append("\n").append(request.body).append("\n");
                for (const auto& [name, value] : request.headers) all.append(value).append("\n");
            }
            for (const Event& event : run->record().events())
                all.append(event.head).append(event.text).append("\n");
            if (Has(all, Bench::kCanary))
                return Fail("a secret of the environment came out (request " + prompt.name() + ")");
        }
    }
    if (Has(bench.Logged(), Bench::kCanary)) return Fail("a secret was logged");
    return Pass();
}

Finding CreateRefusesByTheRules(Bench& bench) {
    if (std::string why = bench.Init(); !why.empty()) return Fail(std::move(why));
    if (bench.chat() == nullptr) return Skip("the plugin has no " AIM_CHAT_ID);
    for (const char* settings : {"{\"kit_no_such_setting\":1}", "{\"latency_ms\":\"x\"}",
                                 "{\"a\":{\"b\":[1,2,{}]}}", "{\"\\u0000\":\"\\ud83d\\ude00\"}"}) {
        Recorder recorder;
        const Bench::Creation made = bench.Create(settings, recorder);
        if (made.result == AIM_OK) {
            if (!made.touched) return Fail("create returned AIM_OK and made no provider");
            bench.chat()->destroy(made.provider);
            continue;
        }
        if (made.result != AIM_FAILED)
            return Fail("create returned " + std::to_string(made.result));
        if (made.touched) return Fail("create failed and wrote to *provider: leave it alone");
        if (!recorder.has_error()) return Fail("create failed without an error in the sink");
        if (recorder.error().kind != AIM_ERROR_INVALID_REQUEST)
            return Fail("create refused settings with another kind than AIM_ERROR_INVALID_REQUEST");
    }
    return Pass();
}

}  // namespace

const std::vector<Check>& RequestChecks() {
    static const std::vector<Check> checks = {
        {"create-refuses-by-the-rules", "Settings that it does not take are refused with a reason.",
         &CreateRefusesByTheRules},
        {"request-minimal", "The smallest request is taken, whole or streamed.", &Minimal},
        {"request-all-fields", "A request with every field is taken or refused as unsupported.",
         &AllFields},
        {"request-tool-turns", "Turns that call tools are taken or refused as unsupported.",
         &ToolTurns},
        {"request-parts", "A message with an image is taken or refused as unsupported.", &Parts},
        {"request-json-schema", "A response format is taken or refused as unsupported.", &Schema},
        {"request-unicode", "Texts of every kind are taken.", &Unicode},
        {"request-two-choices", "Two choices are taken or refused as unsupported.", &TwoChoices},
        {"request-unknown-fields", "Fields that it does not know do no harm.", &UnknownFields},
        {"request-streamed", "Who says stream streams; who does not says unsupported.", &Streamed},
        {"request-is-well-formed", "Method, URL, headers, framing and JSON bodies are right.",
         &WellFormed},
        {"request-deterministic", "The same inputs give the same requests and events.",
         &Deterministic},
        {"url-https-and-host-allowed", "The default endpoint is reached at declared hosts only.",
         &UrlAllowed},
        {"url-below-the-rows-endpoint", "A row's own endpoint is where the request goes.",
         &EndpointOfTheRow},
        {"slots-name-own-settings", "Slots stand in headers and name settings of the descriptor.",
         &Slots},
        {"no-secret-in-description", "No secret of the environment comes out of it.", &NoSecrets},
    };
    return checks;
}

}  // namespace aim::cli::kit
