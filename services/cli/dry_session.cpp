#include "services/cli/dry_session.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "aim/abi/chat_request.h"

namespace aim::cli {
namespace {

aim_str View(std::string_view text) { return {text.data(), text.size()}; }

// What the plugin did with the sink and the builder.
struct Record {
    bool error = false;
    bool url = false;
    bool wait = false;
};

Record& RecordOf(void* context) { return *static_cast<Record*>(context); }

aim_sink MakeSink(Record& record) {
    aim_sink sink{};
    sink.struct_size = sizeof(sink);
    sink.context = &record;
    sink.text = [](void*, uint32_t, aim_str) {};
    sink.reasoning = sink.text;
    sink.refusal = sink.text;
    sink.tool_call = [](void*, uint32_t, uint32_t, aim_str, aim_str, aim_str) {};
    sink.usage = [](void*, const aim_usage*) {};
    sink.finish = [](void*, uint32_t, int32_t) {};
    sink.extra = [](void*, int32_t, uint32_t, uint32_t, aim_str, aim_str) {};
    sink.error = [](void* context, const aim_error*) { RecordOf(context).error = true; };
    sink.wait = [](void* context, uint64_t) { RecordOf(context).wait = true; };
    sink.get_extension = [](void*, const char*) -> const void* { return nullptr; };
    return sink;
}

aim_http_builder MakeBuilder(Record& record) {
    aim_http_builder builder{};
    builder.struct_size = sizeof(builder);
    builder.context = &record;
    builder.method = [](void*, aim_str) -> int32_t { return AIM_OK; };
    builder.url = [](void* context, aim_str url) -> int32_t {
        const std::string_view text(url.size == 0 ? "" : url.data, url.size);
        RecordOf(context).url = text.substr(0, 8) == "https://" || text.substr(0, 7) == "http://";
        return RecordOf(context).url ? AIM_OK : AIM_FAILED;
    };
    builder.header = [](void*, aim_str, aim_str) -> int32_t { return AIM_OK; };
    builder.body = [](void*, aim_bytes) -> int32_t { return AIM_OK; };
    builder.framing = [](void*, int32_t) -> int32_t { return AIM_OK; };
    return builder;
}

int32_t FindSetting(const aim_config* config, aim_str name, aim_str* value) {
    const auto& descriptor = *static_cast<const plugin::Descriptor*>(config->impl);
    for (const plugin::SettingDescriptor& setting : descriptor.settings) {
        if (setting.name != std::string_view(name.data, name.size)) continue;
        if (setting.secret || setting.default_value.empty()) return AIM_FAILED;
        *value = View(setting.default_value);
        return AIM_OK;
    }
    return AIM_FAILED;
}

constexpr std::string_view kJson =
    R"({"model":"probe","stream":false,"messages":[{"role":"user","content":"ping"}]})";

const aim_chat_message* GetMessage(const aim_chat_request* request, uint32_t i) {
    return i == 0 ? static_cast<const aim_chat_message*>(request->impl) : nullptr;
}

std::string SettleFirstStep(const aim_session_functions& functions, void* session, int32_t step,
                            const aim_call& call, Record& record) {
    switch (step) {
        case AIM_STEP_NEXT_REQUEST: {
            const aim_http_builder builder = MakeBuilder(record);
            const int32_t result = functions.next_request(session, &call, &builder);
            if (result == AIM_OK && !record.url)
                return "next_request returned AIM_OK without an http(s) URL";
            if (result != AIM_OK && !record.error)
                return "next_request failed without an error in the sink";
            return {};
        }
        case AIM_STEP_WAIT: {
            if (!record.wait) return "begin returned AIM_STEP_WAIT without a time in the sink";
            const int32_t next = functions.on_wake(session, &call);
            if (next < AIM_STEP_FAILED || next > AIM_STEP_DONE || next == AIM_STEP_CONTINUE) {
                return "on_wake returned " + std::to_string(next) +
                       ", which is no step that it may return";
            }
            return {};
        }
        case AIM_STEP_DONE:
            return {};
        case AIM_STEP_FAILED:
            return record.error ? ""
                                : "begin returned AIM_STEP_FAILED without an error in the sink";
        default:
            return "begin returned " + std::to_string(step) +
                   ", which is no step that it may return";
    }
}

std::string RunSession(const aim_chat& chat, void* provider, const plugin::Descriptor& descriptor,
                       const aim_call& call, Record& record) {
    aim_chat_message message{};
    message.struct_size = sizeof(message);
    message.role = AIM_ROLE_USER;
    message.text = View("ping");
    aim_chat_request request{};
    request.struct_size = sizeof(request);
    request.json = View(kJson);
    request.model = View("probe");
    const std::string_view endpoint = descriptor.default_endpoint;
    request.endpoint = View(endpoint.empty() ? "http://127.0.0.1/v1" : endpoint);
    request.max_tokens = -1;
    request.temperature = std::numeric_limits<double>::quiet_NaN();
    request.top_p = std::numeric_limits<double>::quiet_NaN();
    request.message_count = 1;
    request.message = &GetMessage;
    request.impl = &message;

    void* session = nullptr;
    const int32_t step = chat.begin(provider, &call, &request, 42, &session);
    std::string fault;
    if (session == nullptr && step != AIM_STEP_FAILED) {
        fault = "begin returned a step and no session";
    } else {
        fault = SettleFirstStep(*chat.session, session, step, call, record);
    }
    chat.session->end(session);  // null is allowed
    return fault;
}

}  // namespace

std::string RunDryChat(const aim_chat& chat, const plugin::Descriptor& descriptor) {
    Record record;
    const aim_sink sink = MakeSink(record);
    aim_call call{};
    call.struct_size = sizeof(call);
    call.now_unix_ms = 1'790'000'000'000;
    call.sink = &sink;
    aim_config config{};
    config.struct_size = sizeof(config);
    config.row_settings = View("{}");
    config.setting = &FindSetting;
    config.impl = &descriptor;

    void* provider = nullptr;
    const int32_t created = chat.create(&config, &call, &provider);
    if (created != AIM_OK) {
        if (!record.error) return "create failed without an error in the sink";
        return {};
    }
    std::string fault = RunSession(chat, provider, descriptor, call, record);
    chat.destroy(provider);
    chat.destroy(nullptr);
    chat.session->end(nullptr);
    return fault;
}

}  // namespace aim::cli
