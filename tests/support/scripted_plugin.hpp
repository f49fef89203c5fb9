#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "aim/abi/provider.h"

namespace aim::testing {

inline aim_str AbiText(std::string_view text) { return {text.data(), text.size()}; }
inline std::string FromAbi(aim_str text) {
    return text.size == 0 ? std::string() : std::string(text.data, text.size);
}

// A plugin's chat interface inside the test's process, whose every function is what the test says.
// Left alone it asks http://provider.test/chat for server-sent events and makes of an event
// "[DONE]" the end with 3 and 5 tokens, of "[ERROR x]" an upstream failure, of "[FILTER]" a content
// filter, of any other its text; a status other than 2xx fails with the kind that belongs to it.
// One thread.
class ScriptedPlugin {
  public:
    ScriptedPlugin() {
        functions_.struct_size = sizeof functions_;
        functions_.next_request = [](void* session, const aim_call* call,
                                     const aim_http_builder* builder) {
            auto& self = Self(session, "next_request");
            return self.next_request(call, builder);
        };
        functions_.on_head = [](void* session, const aim_call* call, const aim_http_head* head) {
            auto& self = Self(session, "on_head");
            return self.on_head(call, head);
        };
        functions_.on_data = [](void* session, const aim_call* call, const aim_http_data* data) {
            auto& self = Self(session, "on_data");
            return self.on_data(call, data);
        };
        functions_.on_end = [](void* session, const aim_call* call, int32_t how) {
            auto& self = Self(session, "on_end");
            return self.on_end(call, how);
        };
        functions_.on_wake = [](void* session, const aim_call* call) {
            auto& self = Self(session, "on_wake");
            return self.on_wake(call);
        };
        functions_.end = [](void* session) {
            if (session != nullptr) Self(session, "end");
        };
        chat_.struct_size = sizeof chat_;
        chat_.create = [](const aim_config* config, const aim_call* call, void** provider) {
            // The interface has no context of its own: the settings carry the address.
            ScriptedPlugin* self = nullptr;
            const std::string address = FromAbi(config->row_settings);
            std::memcpy(&self, address.data(), sizeof self);
            self->calls.emplace_back("create");
            *provider = self;
            return self->create(config, call);
        };
        chat_.destroy = [](void* provider) { Self(provider, "destroy"); };
        chat_.begin = [](void* provider, const aim_call* call, const aim_chat_request* request,
                         uint64_t seed, void** session) {
            auto& self = Self(provider, "begin");
            if (self.makes_session) *session = &self;
            return self.begin(call, request, seed);
        };
        chat_.session = &functions_;
    }
    ScriptedPlugin(const ScriptedPlugin&) = delete;
    ScriptedPlugin& operator=(const ScriptedPlugin&) = delete;

    const aim_chat* table() const { return &chat_; }
    // What ChatProvider::Create is to be given as the row's settings.
    std::string address() const {
        const ScriptedPlugin* self = this;
        return {reinterpret_cast<const char*>(&self), sizeof self};
    }

    std::function<int32_t(const aim_config*, const aim_call*)> create =
        [](const aim_config*, const aim_call*) { return AIM_OK; };
    bool makes_session = true;
    std::function<int32_t(const aim_call*, const aim_chat_request*, uint64_t)> begin =
        [](const aim_call*, const aim_chat_request*, uint64_t) { return AIM_STEP_NEXT_REQUEST; };
    std::function<int32_t(const aim_call*, const aim_http_builder*)> next_request =
        [](const aim_call*, const aim_http_builder* builder) {
            Describe(builder);
            return AIM_OK;
        };
    std::function<int32_t(const aim_call*, const aim_http_head*)> on_head =
        [](const aim_call* call, const aim_http_head* head) { return TakeHead(call, head); };
    std::function<int32_t(const aim_call*, const aim_http_data*)> on_data =
        [](const aim_call* call, const aim_http_data* data) { return TakeData(call, data); };
    std::function<int32_t(const aim_call*, int32_t)> on_end = [](const aim_call* call, int32_t) {
        return FailWith(call, AIM_ERROR_UPSTREAM_FAILURE, "the stream broke off");
    };
    std::function<int32_t(const aim_call*)> on_wake = [](const aim_call*) {
        return AIM_STEP_NEXT_REQUEST;
    };

    // The names of the functions that were called, in order.
    std::vector<std::string> calls;
    std::size_t CallsOf(std::string_view name) const {
        std::size_t count = 0;
        for (const std::string& call : calls) count += call == name;
        return count;
    }

    static void Describe(const aim_http_builder* builder,
                         std::string_view url = "http://provider.test/chat") {
        builder->url(builder->context, AbiText(url));
        builder->header(builder->context, AbiText("Authorization"), AbiText("Bearer {KEY}"));
        const aim_bytes body{reinterpret_cast<const uint8_t*>("{}"), 2};
        builder->body(builder->context, body);
        builder->framing(builder->context, AIM_FRAMING_SSE);
    }
    static int32_t FailWith(const aim_call* call, int32_t kind, std::string_view message,
                            int64_t retry_after_ms = -1) {
        aim_error error{};
        error.struct_size = sizeof error;
        error.kind = kind;
        error.message = AbiText(message);
        error.retry_after_ms = retry_after_ms;
        call->sink->error(call->sink->context, &error);
        return AIM_STEP_FAILED;
    }
    static int32_t Finish(const aim_call* call) {
        aim_usage usage{};
        usage.struct_size = sizeof usage;
        usage.prompt_tokens = 3;
        usage.completion_tokens = 5;
        usage.total_tokens = 8;
        usage.cached_tokens = usage.cache_write_tokens = usage.reasoning_tokens = -1;
        call->sink->usage(call->sink->context, &usage);
        call->sink->finish(call->sink->context, 0, AIM_FINISH_STOP);
        return AIM_STEP_DONE;
    }
    static int32_t TakeHead(const aim_call* call, const aim_http_head* head) {
        switch (head->status) {
            case 200:
                return AIM_STEP_CONTINUE;
            case 400:
                return FailWith(call, AIM_ERROR_INVALID_REQUEST, "temperature is too high");
            case 401:
                return FailWith(call, AIM_ERROR_UNAUTHENTICATED, "bad key");
            case 429:
                return FailWith(call, AIM_ERROR_RATE_LIMITED, "slow down", 7000);
            default:
                return FailWith(call, AIM_ERROR_UPSTREAM_FAILURE, "status");
        }
    }
    static int32_t TakeData(const aim_call* call, const aim_http_data* data) {
        const std::string text(reinterpret_cast<const char*>(data->bytes.data), data->bytes.size);
        if (text == "[DONE]") return Finish(call);
        if (text == "[FILTER]") return FailWith(call, AIM_ERROR_CONTENT_FILTERED, "no");
        if (text.starts_with("[ERROR")) return FailWith(call, AIM_ERROR_UPSTREAM_FAILURE, text);
        call->sink->text(call->sink->context, 0, AbiText(text));
        return AIM_STEP_CONTINUE;
    }

  private:
    static ScriptedPlugin& Self(void* object, const char* call) {
        auto& self = *static_cast<ScriptedPlugin*>(object);
        self.calls.emplace_back(call);
        return self;
    }

    aim_session_functions functions_{};
    aim_chat chat_{};
};

}  // namespace aim::testing
