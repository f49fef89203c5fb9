#include "plugins/common/openai_tool_calls.hpp"

namespace aim::openai {
namespace {

using sdk::JsonValue;

// Text, or, from providers that do not serialise, the object itself.
std::string_view Arguments(JsonValue function) {
    const JsonValue arguments = function["arguments"];
    if (arguments.IsString()) {
        return arguments.Text();
    }
    return arguments.IsObject() ? arguments.Raw() : std::string_view();
}

}  // namespace

// The call that a piece belongs to, or null when it begins a new one.
ToolCallAssembler::ToolCall* ToolCallAssembler::Find(std::int64_t provider_index,
                                                     std::string_view id, std::string_view name) {
    if (provider_index >= 0) {
        // From the end: when two calls share an index, fragments belong to the later one.
        for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
            if (call->provider_index != provider_index) {
                continue;
            }
            const bool same = id.empty() || call->id.empty() || call->id == id;
            if (same) {
                return &*call;
            }
        }
        return nullptr;
    }
    if (!id.empty()) {
        for (ToolCall& call : calls_) {
            if (call.id == id) {
                return &call;
            }
        }
        return nullptr;
    }
    return name.empty() && !calls_.empty() ? &calls_.back() : nullptr;
}

void ToolCallAssembler::Take(const sdk::Emitter& out, JsonValue item) {
    if (!item.IsObject()) {
        return;
    }
    const JsonValue function = item["function"];
    const JsonValue body = function.IsObject() ? function : item;
    const std::string_view id = item["id"].Text();
    const std::string_view name = body["name"].Text();
    const std::string_view arguments = Arguments(body);
    const std::int64_t provider_index = item["index"].Integer().value_or(-1);

    ToolCall* call = Find(provider_index, id, name);
    if (call == nullptr) {
        if (id.empty() && name.empty() && arguments.empty()) {
            return;  // some providers end with an empty item
        }
        calls_.emplace_back();
        call = &calls_.back();
        call->provider_index = provider_index;
    }
    if (call->id.empty()) {
        call->id = id;
    }
    call->has_arguments = call->has_arguments || !arguments.empty();
    if (call->announced) {
        if (!arguments.empty()) {
            out.ToolCall(choice_, call->index, {}, {}, arguments);
        }
    } else if (name.empty()) {
        call->held_back += arguments;
    } else {
        call->announced = true;
        call->index = announced_count_++;
        call->held_back += arguments;
        out.ToolCall(choice_, call->index, call->id, name, call->held_back);
        call->held_back.clear();
    }
    if (!call->announced) {
        return;
    }
    for (const JsonValue member : item) {
        const std::string_view key = member.Key();
        const bool known = key == "index" || key == "id" || key == "type" || key == "function" ||
                           key == "name" || key == "arguments";
        if (!known && !member.IsNull()) {
            out.Extra(sdk::Scope::kToolCall, choice_, call->index, key, member.Raw());
        }
    }
}

bool ToolCallAssembler::Close(const sdk::Emitter& out) {
    for (ToolCall& call : calls_) {
        if (!call.announced) {
            return false;
        }
        if (!call.has_arguments) {
            call.has_arguments = true;
            out.ToolCall(choice_, call.index, {}, {}, "{}");
        }
    }
    return true;
}

}  // namespace aim::openai
