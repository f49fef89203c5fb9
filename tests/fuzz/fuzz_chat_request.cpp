// Any bytes as the body of POST /v1/chat/completions: what the reader takes, each plugin either
// refuses by name or makes into a well-formed request.
//
// An input: plugin (place in kPlugins), then the body.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/dialect/openai_chat.hpp"
#include "core/json/json.hpp"
#include "tests/fuzz/plugins.hpp"

namespace {

void Require(bool holds) {
    if (!holds) std::abort();
}

bool IsFieldText(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return false;
        if (c == 0x7f) return false;
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aim;
    if (size < 2) return 0;
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Result<completion::ChatRequest> request = dialect::ReadChatCompletion(body);
    if (!request) {
        Require(!request.error().message.empty());
        return 0;
    }
    // As an attempt writes it for the plugin.
    const std::string canonical = std::string(R"({"model":"m","stream":)") +
                                  (request->stream ? "true," : "false,") + request->members + "}";
    Require(json::Parse(canonical).has_value());

    const fuzz::Subject& subject = fuzz::SubjectAt(data[0]);
    plugin_driver::Options options = subject.Options();
    options.give_up_after_ms = 0;
    plugin_driver::Answer refusal;
    refusal.status = 400;
    const plugin_driver::Result result =
        plugin_driver::RunChat(subject.plugin, canonical, {refusal, refusal, refusal}, options);
    Require(!fuzz::Misbehaved(result));
    for (const plugin_driver::SentRequest& sent : result.sent) {
        Require(sent.url.rfind("http", 0) == 0 && IsFieldText(sent.url) &&
                sent.url.find(' ') == sent.url.npos);
        Require(sent.body.empty() || json::IsValidValue(sent.body));
        for (const auto& [name, value] : sent.headers)
            Require(IsFieldText(name) && IsFieldText(value));
    }
    return 0;
}
