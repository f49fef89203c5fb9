#include "tests/support/fake_provider/accent.hpp"

#include <algorithm>

#include "tests/support/fake_provider/json_text.hpp"

namespace aim::testing {
namespace {

std::string N(std::int64_t number) { return std::to_string(number); }

std::string Counts(const AccentUsage& usage) {
    return "\"prompt_tokens\":" + N(usage.prompt) +
           ",\"completion_tokens\":" + N(usage.completion) +
           ",\"total_tokens\":" + N(usage.prompt + usage.completion);
}

std::string OpenAiUsage(const AccentUsage& usage) {
    return "{" + Counts(usage) +
           ",\"prompt_tokens_details\":{\"cached_tokens\":" + N(usage.cached) +
           "},\"completion_tokens_details\":{\"reasoning_tokens\":" + N(usage.reasoning) + "}}";
}

std::string PlainUsage(const AccentUsage& usage) { return "{" + Counts(usage) + "}"; }

std::string SambaNovaUsage(const AccentUsage& usage) {
    return "{\"is_last_response\":true," + Counts(usage) +
           ",\"time_to_first_token\":0.1,\"total_latency\":0.2,\"stop_reason\":\"stop\"}";
}

std::string DeepSeekUsage(const AccentUsage& usage) {
    return "{" + Counts(usage) + ",\"prompt_cache_hit_tokens\":" + N(usage.cached) +
           ",\"prompt_cache_miss_tokens\":" + N(usage.prompt - usage.cached) +
           ",\"completion_tokens_details\":{\"reasoning_tokens\":" + N(usage.reasoning) + "}}";
}

std::string OpenRouterUsage(const AccentUsage& usage) {
    std::string text = OpenAiUsage(usage);
    text.pop_back();
    return text + ",\"cost\":0.00014,\"is_byok\":false}";
}

std::string MistralUsage(const AccentUsage& usage) {
    return "{" + Counts(usage) + ",\"num_cached_tokens\":" + N(usage.cached) + "}";
}

// The completion is told without the reasoning, the total with it.
std::string XaiUsage(const AccentUsage& usage) {
    return "{\"prompt_tokens\":" + N(usage.prompt) +
           ",\"completion_tokens\":" + N(usage.completion - usage.reasoning) +
           ",\"total_tokens\":" + N(usage.prompt + usage.completion) +
           ",\"prompt_tokens_details\":{\"cached_tokens\":" + N(usage.cached) +
           "},\"completion_tokens_details\":{\"reasoning_tokens\":" + N(usage.reasoning) +
           "},\"cost_in_usd_ticks\":1466250}";
}

std::string_view TypeOf(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 404:
            return "not_found_error";
        case 429:
            return "rate_limit_error";
        default:
            return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

std::string_view CodeOf(int status) {
    switch (status) {
        case 401:
            return "\"invalid_api_key\"";
        case 404:
            return "\"model_not_found\"";
        case 429:
            return "\"rate_limit_exceeded\"";
        default:
            return "null";
    }
}

std::string Members(int status, std::string_view message) {
    return "{\"message\":" + QuoteJson(message) + ",\"type\":" + QuoteJson(TypeOf(status)) +
           ",\"param\":null,\"code\":" + std::string(CodeOf(status)) + "}";
}

std::string OpenAiError(int status, std::string_view message) {
    return "{\"error\":" + Members(status, message) + "}";
}
std::string FlatError(int status, std::string_view message) { return Members(status, message); }
std::string SambaNovaError(int status, std::string_view message) {
    return "{\"error\":" + Members(status, message) + ",\"request_id\":\"7b0d6f2c\"}";
}
std::string StringError(int, std::string_view message) {
    return "{\"error\":" + QuoteJson(message) + "}";
}
std::string NumberedError(int status, std::string_view message) {
    return "{\"error\":{\"code\":" + N(status) + ",\"message\":" + QuoteJson(message) +
           ",\"type\":" + QuoteJson(TypeOf(status)) + ",\"param\":null}}";
}
std::string OpenRouterError(int status, std::string_view message) {
    const std::string hint = status == 429
                                 ? ",\"metadata\":{\"headers\":{\"X-RateLimit-Remaining\":"
                                   "\"0\",\"Retry-After\":\"2\"}}"
                                 : "";
    return "{\"error\":{\"message\":" + QuoteJson(message) + ",\"code\":" + N(status) + hint +
           "},\"user_id\":\"user_2x\"}";
}
std::string MistralError(int status, std::string_view message) {
    if (status == 422) {
        return "{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\"],\"msg\":" +
               QuoteJson(message) + ",\"input\":null}]}";
    }
    return "{\"object\":\"error\",\"message\":" + QuoteJson(message) +
           ",\"type\":" + QuoteJson(TypeOf(status)) + ",\"param\":null,\"code\":\"1500\"}";
}
std::string XaiError(int status, std::string_view message) {
    return "{\"code\":" + QuoteJson(TypeOf(status)) + ",\"error\":" + QuoteJson(message) + "}";
}

Accent Make(std::string name, std::string (*usage)(const AccentUsage&),
            std::string (*error)(int, std::string_view)) {
    Accent accent;
    accent.name = std::move(name);
    accent.created = "1790000000";
    accent.usage = usage;
    accent.error = error;
    accent.stream_error = error(500, "The model broke down.");
    accent.limit_headers = {{"retry-after", "2"}};
    return accent;
}

Accent OpenAi() {
    Accent accent = Make("openai", &OpenAiUsage, &OpenAiError);
    accent.answer_extra = ",\"service_tier\":\"default\"";
    accent.usage_in_finish_chunk = false;
    accent.headers = {{"x-request-id", "req_5b1e"}, {"openai-version", "2020-10-01"}};
    accent.limit_headers = {{"retry-after-ms", "2000"}, {"retry-after", "2"}};
    accent.refused = {"max_tokens"};  // as the reasoning models do
    accent.refused_in_messages = {"reasoning", "reasoning_content"};
    accent.developer_role = true;
    return accent;
}

Accent Cerebras() {
    Accent accent = Make("cerebras", &OpenAiUsage, &FlatError);
    accent.answer_extra = ",\"time_info\":{\"queue_time\":0.0001,\"total_time\":0.006}";
    accent.stream_error =
        "{\"error\":" + Members(500, "The model broke down.") + ",\"status_code\":500}";
    accent.tool_index = false;
    accent.limit_headers = {{"x-ratelimit-remaining-tokens-minute", "0"},
                            {"x-ratelimit-reset-tokens-minute", "1.5"}};
    accent.refused = {"max_tokens", "frequency_penalty", "presence_penalty", "logit_bias", "store"};
    accent.refused_in_messages = {"reasoning_content"};
    accent.image_urls = false;
    return accent;
}

Accent SambaNova() {
    Accent accent = Make("sambanova", &SambaNovaUsage, &SambaNovaError);
    accent.created = "1790000000.25";
    accent.usage_in_finish_chunk = false;
    accent.limit_headers = {{"x-ratelimit-remaining-requests", "0"},
                            {"x-ratelimit-reset-requests", "2"}};
    accent.refused = {"store", "max_completion_tokens"};
    accent.image_urls = false;
    return accent;
}

Accent HuggingFace() {
    Accent accent = Make("huggingface", &PlainUsage, &StringError);
    accent.usage_in_finish_chunk = false;
    accent.stream_error =
        R"({"error":"Incomplete generation","error_type":"incomplete_generation"})";
    accent.refused = {"store", "logit_bias", "max_completion_tokens", "user"};
    return accent;
}

Accent DeepSeek() {
    Accent accent = Make("deepseek", &DeepSeekUsage, &OpenAiError);
    accent.reasoning_field = "reasoning_content";
    accent.stream_lead = ": keep-alive\n\n: keep-alive\n\n";
    accent.whole_lead = "\n\n\n";
    accent.refused = {"seed", "n", "store", "user", "max_completion_tokens"};
    return accent;
}

Accent Together() {
    Accent accent = Make("together", &PlainUsage, &OpenAiError);
    accent.answer_extra = ",\"prompt\":[]";
    accent.choice_extra = ",\"seed\":9876543210987654321";
    accent.limit_headers = {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "2"}};
    accent.refused = {"store", "max_completion_tokens", "top_logprobs"};
    return accent;
}

Accent OpenRouter() {
    Accent accent = Make("openrouter", &OpenRouterUsage, &OpenRouterError);
    accent.answer_extra = ",\"provider\":\"DeepInfra\"";
    accent.choice_extra = ",\"native_finish_reason\":\"stop\"";
    accent.stream_lead = ": OPENROUTER PROCESSING\n\n";
    accent.usage_in_finish_chunk = false;
    accent.limit_headers = {};
    return accent;
}

Accent Mistral() {
    Accent accent = Make("mistral", &MistralUsage, &MistralError);
    accent.tools_in_finish_chunk = true;
    accent.tool_index = false;
    accent.limit_headers = {{"retry-after", "2"}, {"x-ratelimit-remaining-req-minute", "0"}};
    accent.only = {"model",
                   "messages",
                   "temperature",
                   "top_p",
                   "max_tokens",
                   "stream",
                   "stop",
                   "random_seed",
                   "metadata",
                   "response_format",
                   "tools",
                   "tool_choice",
                   "n",
                   "prediction",
                   "presence_penalty",
                   "frequency_penalty",
                   "prompt_mode",
                   "guardrails",
                   "reasoning_effort",
                   "parallel_tool_calls",
                   "safe_prompt",
                   "prompt_cache_key"};
    accent.refused_in_messages = {"name", "reasoning", "reasoning_content", "refusal"};
    accent.refusal_status = 422;
    return accent;
}

Accent Xai() {
    Accent accent = Make("xai", &XaiUsage, &XaiError);
    accent.reasoning_field = "reasoning_content";
    accent.usage_in_finish_chunk = false;
    accent.nulls_in_choices = false;
    accent.refused = {"store", "logit_bias", "max_completion_tokens"};
    accent.refused_in_messages = {"name"};
    return accent;
}

// vLLM; an Ollama or llama.cpp differs less from it than from the others.
Accent Vllm() {
    Accent accent = Make("openai_compatible", &PlainUsage, &NumberedError);
    accent.choice_extra = ",\"stop_reason\":null";
    accent.usage_in_finish_chunk = false;
    accent.refused = {"max_completion_tokens"};  // not read by Ollama
    accent.developer_role = false;
    return accent;
}

const std::vector<Accent>& All() {
    static const std::vector<Accent> all = {OpenAi(),   Cerebras(), SambaNova(),  HuggingFace(),
                                            DeepSeek(), Together(), OpenRouter(), Mistral(),
                                            Xai(),      Vllm()};
    return all;
}

bool Has(const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool HasImageUrl(const rapidjson::Value& content) {
    if (!content.IsArray()) return false;
    for (const auto& part : content.GetArray()) {
        if (!part.IsObject() || !part.HasMember("image_url") || !part["image_url"].IsObject())
            continue;
        const auto url = part["image_url"].FindMember("url");
        if (url != part["image_url"].MemberEnd() && url->value.IsString() &&
            !TextOf(url->value).starts_with("data:"))
            return true;
    }
    return false;
}

}  // namespace

const Accent* AccentOfPath(std::string_view path) {
    constexpr std::string_view kPrefix = "/as/";
    if (!path.starts_with(kPrefix)) return nullptr;
    path.remove_prefix(kPrefix.size());
    const std::string_view name = path.substr(0, path.find('/'));
    const auto found = std::find_if(All().begin(), All().end(),
                                    [&](const Accent& accent) { return accent.name == name; });
    return found == All().end() ? nullptr : &*found;
}

std::string AccentRefuses(const Accent& accent, const rapidjson::Value& request) {
    for (const auto& member : request.GetObject()) {
        const std::string_view name = TextOf(member.name);
        if ((!accent.only.empty() && !Has(accent.only, name)) || Has(accent.refused, name))
            return "Unsupported parameter: '" + std::string(name) + "'";
    }
    const auto messages = request.FindMember("messages");
    if (messages == request.MemberEnd() || !messages->value.IsArray()) return {};
    for (const auto& message : messages->value.GetArray()) {
        if (!message.IsObject()) continue;
        for (const auto& member : message.GetObject()) {
            const std::string_view name = TextOf(member.name);
            if (Has(accent.refused_in_messages, name))
                return "Unsupported member of a message: '" + std::string(name) + "'";
            const bool developer =
                name == "role" && member.value.IsString() && TextOf(member.value) == "developer";
            if (developer && !accent.developer_role) return "Unknown role: developer";
            if (name == "content" && !accent.image_urls && HasImageUrl(member.value))
                return "Images must be data URIs";
        }
    }
    return {};
}

std::string AccentMessage(int status, std::string_view model) {
    const std::string name(model);
    switch (status) {
        case 401:
            return "The key is wrong.";
        case 404:
            return "The model " + name + " does not exist.";
        case 429:
            return "Too many requests for " + name + ".";
        case 503:
            return "The model is busy.";
        default:
            return "Something went wrong (" + std::to_string(status) + ").";
    }
}

}  // namespace aim::testing
