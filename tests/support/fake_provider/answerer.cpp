#include "tests/support/fake_provider/answerer.hpp"

#include <algorithm>

namespace aim::testing {
namespace {

constexpr std::size_t kBenchBodyBytes = 600;
constexpr std::size_t kBenchDeltas = 64;

// A prompt of the benchmark may hold eight characters that must come back: `nonce [01234567]`. They
// take the place of the dots in the first delta, or in the text.
constexpr std::string_view kNonceAsked = "nonce [";
constexpr std::string_view kNoncePlace = "[........]";
constexpr std::size_t kNonceBytes = 8;

std::string BenchBody() {
    const std::string head =
        R"({"id":"chatcmpl-bench","object":"chat.completion","created":1790000000,"model":"bench",)"
        R"("choices":[{"index":0,"message":{"role":"assistant","content":")";
    const std::string tail =
        R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":80,)"
        R"("completion_tokens":64,"total_tokens":144},"system_fingerprint":"fp_fake"})";
    constexpr std::string_view kWords = "the quick brown fox jumps over the lazy dog ";
    std::string text = std::string(kNoncePlace) + " ";
    while (head.size() + text.size() + tail.size() < kBenchBodyBytes)
        text += kWords[text.size() % kWords.size()];
    return head + text + tail;
}

// As many pieces of ten characters, so that the nonce stays in one of them.
std::string BenchStreamText() {
    std::string text(kNoncePlace);
    for (std::size_t i = 1; i < kBenchDeltas; ++i) {
        std::string number = std::to_string(i);
        number.insert(0, 3 - number.size(), '0');
        text.append("token ").append(number).append(" ");
    }
    return text;
}

// The plan with the prompt's nonce in it; the same one when the prompt has none.
AnswerPlanPtr WithNonce(const AnswerPlanPtr& plan, std::string_view request_body) {
    const std::size_t asked = request_body.find(kNonceAsked);
    if (asked == std::string_view::npos) return plan;
    const std::string_view nonce = request_body.substr(asked + kNonceAsked.size(), kNonceBytes);
    for (std::size_t i = 0; i < plan->pieces.size() && nonce.size() == kNonceBytes; ++i) {
        const std::size_t place = plan->pieces[i].bytes.find(kNoncePlace);
        if (place == std::string::npos) continue;
        auto marked = std::make_shared<AnswerPlan>(*plan);
        marked->pieces[i].bytes.replace(place + 1, kNonceBytes, nonce);
        return marked;
    }
    return plan;
}

std::string_view SkipSpaces(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\r' ||
                             text.front() == '\t'))
        text.remove_prefix(1);
    return text;
}

// What follows `"name" :` in the text. A quoted quote is written \", so the name cannot be found
// inside a string.
std::string_view AfterKey(std::string_view json, std::string_view quoted_name) {
    const std::size_t at = json.find(quoted_name);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = SkipSpaces(json.substr(at + quoted_name.size()));
    return rest.empty() || rest.front() != ':' ? std::string_view() : SkipSpaces(rest.substr(1));
}

AnswerPlanPtr Share(AnswerPlan plan) { return std::make_shared<const AnswerPlan>(std::move(plan)); }

std::string_view HeaderOf(const HttpRequest& request, std::string_view name) {
    for (const auto& header : request.headers)
        if (EqualNoCase(header.first, name)) return header.second;
    return {};
}

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

AnswerPlanPtr Refusal(int status, std::string_view message, std::string_view code,
                      const AnswerFraming& framing) {
    return Share(
        PlanJsonAnswer(status, ErrorBody(message, "invalid_request_error", code), framing));
}

}  // namespace

std::size_t ServerState::NextScenarioStep(const std::string& name) {
    const std::lock_guard lock(scenario_mutex_);
    return scenario_steps_[name]++;
}

void ServerState::Reset() {
    scripts.Clear();
    log.Clear();
    const std::lock_guard lock(scenario_mutex_);
    scenario_steps_.clear();
}

Answerer::Answerer(ServerState& state)
    : state_(state), echo_step_(std::make_shared<const ScriptStep>()) {
    ScriptStep bench;
    bench.body = BenchBody();
    bench_step_ = std::make_shared<const ScriptStep>(bench);
    ScriptStep stream;
    stream.chunks = kBenchDeltas;
    stream.text = BenchStreamText();
    bench_stream_step_ = std::make_shared<const ScriptStep>(stream);
    bench_plan_ = Share(PlanChatAnswer(*bench_step_, ChatRequest(), AnswerFraming()));
}

bool Answerer::IsPlainBench(const HttpRequest& request) const {
    constexpr std::string_view kBenchModel = "\"bench";
    return AfterKey(request.body, "\"model\"").starts_with(kBenchModel) &&
           !AfterKey(request.body, "\"stream\"").starts_with("true");
}

Answer Answerer::AnswerTo(const HttpRequest& request, std::uint64_t connection_id,
                          const std::string& server_name) {
    const AnswerFraming framing{request.http11, request.keep_alive};
    const std::string_view path = PathOf(request.target);
    if (path.starts_with("/__control/")) return {Control(request, framing), 0};
    state_.counters.requests.fetch_add(1, std::memory_order_relaxed);

    const bool chat_path = path.ends_with("/chat/completions");
    const bool chat_call = chat_path && request.method == "POST";
    // The benchmark's way: nothing parsed, nothing recorded, one prepared answer.
    if (chat_call && IsPlainBench(request) && request.script_header.empty() && request.keep_alive &&
        request.http11 && state_.required_key.empty()) {
        const std::string_view model = AfterKey(request.body, "\"model\"").substr(1);
        if (!state_.scripts.Has(model.substr(0, model.find('"'))))
            return {WithNonce(bench_plan_, request.body), 0};
    }

    if (request.method == "POST") {
        if (const auto call = ReadEmbeddingsCall(path, request.body))
            return Embeddings(request, *call, framing, connection_id, server_name);
    }
    const std::string origin =
        std::string(state_.tls ? "https://" : "http://") + std::string(HeaderOf(request, "host"));
    if (const auto call = ReadNativeCall(request.method, request.target, origin, request.body))
        return Native(request, *call, framing, connection_id, server_name);

    ChatRequest chat;
    chat.accent = AccentOfPath(path);
    std::string error;
    const bool readable = chat_call && ReadChatRequest(request.body, &chat, &error);
    Answer answer;
    answer.record_id = state_.log.Add(request, connection_id, server_name, chat.model);
    chat.number = answer.record_id;
    const std::string_view authorization = HeaderOf(request, "authorization");
    if (chat.accent != nullptr && !chat.refused.empty()) {
        ScriptStep refusal;
        refusal.status = chat.accent->refusal_status;
        refusal.body = chat.accent->error(refusal.status, chat.refused);
        answer.plan = Share(PlanChatAnswer(refusal, chat, framing));
    } else if (!state_.required_key.empty() && authorization != "Bearer " + state_.required_key) {
        answer.plan = Share(PlanJsonAnswer(401, ErrorBody(401, chat.model), framing));
    } else if (chat_call) {
        answer.plan = readable ? Chat(request, chat, framing) : Refusal(400, error, "", framing);
    } else if (chat_path) {
        answer.plan = Refusal(405, "Method not allowed", "method_not_allowed", framing);
    } else {
        answer.plan = Models(request, framing);
    }
    return answer;
}

Answer Answerer::Native(const HttpRequest& request, const NativeCall& call,
                        const AnswerFraming& framing, std::uint64_t connection_id,
                        const std::string& server_name) {
    Answer answer;
    answer.record_id = state_.log.Add(request, connection_id, server_name, call.model);
    ChatRequest chat;
    chat.model = call.model;
    const Choice choice = Choose(request, chat, framing);
    answer.plan =
        choice.refusal
            ? choice.refusal
            : Share(PlanChatAnswer(InNativeWords(*choice.step, call), ChatRequest(), framing));
    return answer;
}

Answer Answerer::Embeddings(const HttpRequest& request, const EmbeddingsCall& call,
                            const AnswerFraming& framing, std::uint64_t connection_id,
                            const std::string& server_name) {
    Answer answer;
    answer.record_id = state_.log.Add(request, connection_id, server_name, call.model);
    const std::string_view authorization = HeaderOf(request, "authorization");
    if (!state_.required_key.empty() && authorization != "Bearer " + state_.required_key) {
        answer.plan = Share(PlanJsonAnswer(401, ErrorBody(401, call.model), framing));
        return answer;
    }
    ChatRequest chat;
    chat.model = call.model;
    chat.accent = AccentOfPath(PathOf(request.target));
    const Choice choice = Choose(request, chat, framing);
    if (choice.refusal) {
        answer.plan = choice.refusal;
        return answer;
    }
    ScriptStep step = *choice.step;
    if (choice.cacheable || (!step.body && step.status == 200)) step.body = call.body;
    answer.plan = Share(PlanChatAnswer(step, chat, framing));
    return answer;
}

AnswerPlanPtr Answerer::Control(const HttpRequest& request, const AnswerFraming& framing) {
    const std::string_view path = PathOf(request.target);
    const auto reply = [&](const std::string& body) {
        return Share(PlanJsonAnswer(200, body, framing));
    };
    if (path == "/__control/script" && request.method == "POST") {
        std::string error;
        if (!state_.scripts.SetFromJson(request.body, &error))
            return Refusal(400, error, "bad_script", framing);
        return reply("{\"ok\":true}");
    }
    if (path == "/__control/reset" && request.method == "POST") {
        state_.Reset();
        return reply("{\"ok\":true}");
    }
    if (path == "/__control/requests" && request.method == "GET") return reply(state_.log.Json());
    if (path == "/__control/stats" && request.method == "GET") {
        const ServerCounters& counters = state_.counters;
        const auto field = [](const char* name, const std::atomic<std::uint64_t>& value) {
            return "\"" + std::string(name) + "\":" + std::to_string(value.load());
        };
        return reply("{" + field("connections_total", counters.connections_total) + "," +
                     field("connections_open", counters.connections_open) + "," +
                     field("requests", counters.requests) + "," +
                     field("tls_handshakes", counters.tls_handshakes) + "," +
                     field("tls_resumed", counters.tls_resumed) + "}");
    }
    return Refusal(404, "no such control call", "not_found", framing);
}

AnswerPlanPtr Answerer::Models(const HttpRequest& request, const AnswerFraming& framing) {
    const std::string_view path = PathOf(request.target);
    const ScriptStepPtr scripted =
        state_.scripts.Next("", request.target, HeaderOf(request, "authorization"));
    const bool list = path.ends_with("/models");
    const std::size_t item = path.find("/models/");
    std::string body;
    if (list) body = ModelsBody();
    if (!list && item != std::string_view::npos)
        body = ModelBody(path.substr(item + std::string_view("/models/").size()));
    if (scripted) {
        ScriptStep step = *scripted;
        if (!step.body && step.status == 200) step.body = body;
        return Share(PlanChatAnswer(step, ChatRequest(), framing));
    }
    if (body.empty())
        return Refusal(
            404, "Unknown request URL: " + std::string(request.method) + " " + std::string(path),
            "unknown_url", framing);
    if (request.method != "GET")
        return Refusal(405, "Method not allowed", "method_not_allowed", framing);
    return Share(PlanJsonAnswer(200, body, framing));
}

Answerer::Choice Answerer::Choose(const HttpRequest& request, const ChatRequest& chat,
                                  const AnswerFraming& framing) {
    const bool bench = chat.model.starts_with("bench");
    std::string name(request.script_header);
    if (name.starts_with("{") || name.starts_with("[")) {
        std::vector<ScriptStep> steps;
        std::string error;
        if (!ParseScriptSteps(name, &steps, &error))
            return {nullptr, false, Refusal(400, "x-fake-script: " + error, "bad_script", framing)};
        return {std::make_shared<const ScriptStep>(steps.front()), false, nullptr};
    }
    if (name.empty()) {
        ScriptStepPtr step =
            state_.scripts.Next(chat.model, request.target, HeaderOf(request, "authorization"));
        if (step) return {std::move(step), bench, nullptr};
        constexpr std::string_view kPrefix = "fake/";
        if (chat.model.starts_with(kPrefix)) name = chat.model.substr(kPrefix.size());
    }
    if (!name.empty()) {
        ScriptStepPtr step = NamedScenarioStep(name, state_.NextScenarioStep(name));
        if (step) return {std::move(step), false, nullptr};
        return {nullptr, false,
                Refusal(404, "no scenario of that name: " + name, "model_not_found", framing)};
    }
    if (bench) return {chat.stream ? bench_stream_step_ : bench_step_, true, nullptr};
    return {echo_step_, false, nullptr};
}

AnswerPlanPtr Answerer::Chat(const HttpRequest& request, const ChatRequest& chat,
                             const AnswerFraming& framing) {
    Choice choice = Choose(request, chat, framing);
    if (choice.refusal) return choice.refusal;
    if (!choice.cacheable) return Share(PlanChatAnswer(*choice.step, chat, framing));
    const CacheKey key{choice.step.get(), chat.accent, chat.stream, framing.http11,
                       framing.keep_alive};
    if (const auto found = cache_.find(key); found != cache_.end())
        return WithNonce(found->second.second, request.body);
    if (cache_.size() >= kMaxCachedPlans) cache_.clear();
    AnswerPlanPtr plan = Share(PlanChatAnswer(*choice.step, chat, framing));
    cache_[key] = {choice.step, plan};
    return WithNonce(plan, request.body);
}

}  // namespace aim::testing
