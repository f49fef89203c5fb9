#include "plugins/common/openai_models.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace aim::openai {
namespace {

using sdk::ErrorKind;
using sdk::JsonValue;
using sdk::Step;

std::int64_t FirstCount(JsonValue a, JsonValue b) {
    return a.Integer().value_or(b.Integer().value_or(-1));
}

std::string_view FirstText(JsonValue item, std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        if (!item[name].Text().empty()) {
            return item[name].Text();
        }
    }
    return {};
}

// Of a router's providers the largest: it sends a prompt to one that takes it.
std::int64_t ContextWindow(JsonValue item) {
    for (const std::string_view name :
         {"context_window", "context_length", "max_context_length", "max_model_len"}) {
        if (const auto tokens = item[name].Integer(); tokens && *tokens > 0) {
            return *tokens;
        }
    }
    std::int64_t largest = -1;
    for (const JsonValue provider : item["providers"]) {
        largest = std::max(largest, provider["context_length"].Integer().value_or(-1));
    }
    return largest;
}

bool HasItem(JsonValue list, std::string_view text) {
    for (const JsonValue item : list) {
        if (item.Text() == text) {
            return true;
        }
    }
    return false;
}

bool AnyProvider(JsonValue item, std::string_view flag) {
    for (const JsonValue provider : item["providers"]) {
        if (provider[flag].IsTrue()) {
            return true;
        }
    }
    return false;
}

// In the words of a model row. Empty when the list says nothing: unknown is not "none".
std::string Capabilities(JsonValue item) {
    const JsonValue parameters = item["supported_parameters"];  // OpenRouter
    const JsonValue flags = item["capabilities"];               // Mistral
    const JsonValue inputs = item["architecture"]["input_modalities"];
    if (item["type"].Text() == "embedding") {  // Together
        return "embeddings";
    }
    if (!parameters && !flags && item["providers"].Empty()) {
        return {};
    }
    if (flags && flags["completion_chat"].Type() == sdk::JsonType::kFalse) {
        return {};
    }
    std::string words = "stream";
    const auto add = [&](bool can, std::string_view word) {
        if (can) {
            words.append(" ").append(word);
        }
    };
    add(HasItem(parameters, "tools") || flags["function_calling"].IsTrue() ||
            AnyProvider(item, "supports_tools"),
        "tools");
    add(HasItem(parameters, "structured_outputs") ||
            AnyProvider(item, "supports_structured_output"),
        "json_schema");
    add(HasItem(inputs, "image") || flags["vision"].IsTrue(), "vision");
    return words;
}

// USD for a token as a plain decimal, times a million; empty for what is none.
std::string PerMillion(std::string_view price) {
    constexpr std::size_t kShift = 6;
    const std::size_t point = std::min(price.find('.'), price.size());
    std::string whole(price.substr(0, point));
    std::string fraction(price.substr(std::min(point + 1, price.size())));
    const std::string digits = whole + fraction;
    if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) {
        return {};
    }
    fraction.resize(std::max(fraction.size(), kShift), '0');
    whole += fraction.substr(0, kShift);
    fraction.erase(0, kShift);
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    while (!fraction.empty() && fraction.back() == '0') {
        fraction.pop_back();
    }
    return fraction.empty() ? whole : whole + "." + fraction;
}

std::string_view Decimal(JsonValue value) {
    return value.IsString() ? value.Text() : value.IsNumber() ? value.Raw() : std::string_view();
}

// `prompt` and `completion` are for a token (OpenRouter, SambaNova), `input` and `output` for a
// million (Together).
std::string InputPrice(JsonValue item) {
    const JsonValue pricing = item["pricing"];
    return pricing["input"] ? std::string(Decimal(pricing["input"]))
                            : PerMillion(Decimal(pricing["prompt"]));
}
std::string OutputPrice(JsonValue item) {
    const JsonValue pricing = item["pricing"];
    return pricing["output"] ? std::string(Decimal(pricing["output"]))
                             : PerMillion(Decimal(pricing["completion"]));
}

class OpenAiModelsSession final : public sdk::Session {
  public:
    OpenAiModelsSession(std::string url, const Dialect& dialect)
        : url_(std::move(url)), dialect_(dialect) {}

    bool Next(const sdk::Call&, sdk::HttpRequest& request) override {
        request.Method("GET")
            .Url(url_)
            .Header("accept", "application/json")
            .Frame(sdk::Framing::kWhole);
        AddHeaders(request, dialect_);
        return true;
    }
    Step Head(const sdk::Call& call, const sdk::HttpHead& head) override {
        status_ = head.Status();
        ok_ = head.Ok();
        if (!ok_) {
            hints_ = ReadRateLimitHeaders(head, call.NowUnixMs());
        }
        return Step::kContinue;
    }
    Step Data(const sdk::Call&, const sdk::HttpData& data) override {
        body_ += data.Bytes();
        return Step::kContinue;
    }
    Step End(const sdk::Call& call, sdk::Ending ending) override {
        if (!ok_) {
            return call.Fail(ReadErrorAnswer(status_, body_, hints_, dialect_.errors).AsFailure());
        }
        if (ending == sdk::Ending::kTruncated) {
            return call.Fail(
                {ErrorKind::kUpstreamFailure, "the list of models was cut short", "truncated", {}});
        }
        sdk::JsonDocument document;
        if (ending != sdk::Ending::kComplete || !document.Parse(body_)) {
            return call.Fail({ErrorKind::kProtocolError,
                              "the list of models is no readable JSON",
                              "invalid_json",
                              {}});
        }
        const JsonValue root = document.Root();
        // Some providers send the bare array.
        const JsonValue list = root.IsArray() ? root : root["data"];
        if (!list.IsArray()) {
            return call.Fail(
                {ErrorKind::kProtocolError, "the list of models has no `data`", "no_data", {}});
        }
        return Emit(call, list);
    }

  private:
    static Step Emit(const sdk::Call& call, JsonValue list) {
        for (const JsonValue item : list) {
            const std::string_view id = item["id"].Text();
            if (id.empty() || item["active"].Type() == sdk::JsonType::kFalse) {
                continue;
            }
            const std::string capabilities = Capabilities(item);
            const std::string input = InputPrice(item);
            const std::string output = OutputPrice(item);
            sdk::ModelInfo model;
            model.id = id;
            model.display_name = FirstText(item, {"display_name", "name"});
            model.context_window = ContextWindow(item);
            model.max_output_tokens = FirstCount(item["max_completion_tokens"],
                                                 item["top_provider"]["max_completion_tokens"]);
            model.capabilities = capabilities;
            model.input_price_per_million = input;
            model.output_price_per_million = output;
            if (!sdk::EmitModel(call.out, model)) {
                return call.Fail(
                    {ErrorKind::kUnsupported, "the host takes no list of models", {}, {}});
            }
        }
        return Step::kDone;
    }

    std::string url_;
    const Dialect& dialect_;
    int status_ = 0;
    bool ok_ = false;
    RateLimitHints hints_;
    std::string body_;
};

}  // namespace

std::unique_ptr<sdk::Session> StartModels(std::string_view endpoint, const Dialect& dialect) {
    constexpr std::string_view kChat = "/chat/completions";
    std::string base(endpoint);
    if (const std::size_t at = base.find(kChat); at != base.npos) {  // a row with a full path
        base.erase(at, kChat.size());
    }
    return std::make_unique<OpenAiModelsSession>(OperationUrl(base, "/models"), dialect);
}

}  // namespace aim::openai
