#include "tests/support/plugin_driver/recorder.hpp"

#include <array>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

#include "aim/sdk/json.hpp"
#include "aim/sdk/views.hpp"

namespace aim::plugin_driver {
namespace {

constexpr std::array<std::string_view, 16> kKinds = {
    "none",           "invalid_request",  "unauthenticated",
    "forbidden",      "quota_exhausted",  "model_not_found",
    "rate_limited",   "context_too_long", "content_filtered",
    "overloaded",     "upstream_failure", "upstream_timeout",
    "protocol_error", "unsupported",      "cancelled",
    "internal"};
constexpr std::array<std::string_view, 5> kFinishes = {"none", "stop", "length", "tool_calls",
                                                       "content_filter"};
constexpr std::array<std::string_view, 4> kScopes = {"response", "choice", "message", "tool_call"};

std::string Quoted(aim_str text) {
    std::string quoted;
    sdk::AppendJsonString(quoted, sdk::View(text));
    return quoted;
}

std::string Number(std::uint64_t number) { return std::to_string(number); }

void AppendText(std::string& line, std::string_view name, aim_str text) {
    if (text.size > 0) {
        line += " " + std::string(name) + "=" + Quoted(text);
    }
}

void AppendCount(std::string& line, std::string_view name, std::int64_t count) {
    if (count != -1) {
        line += " " + std::string(name) + "=" + std::to_string(count);
    }
}

}  // namespace

std::string ErrorKindName(std::int32_t kind) {
    const bool known = kind > 0 && kind < static_cast<std::int32_t>(kKinds.size());
    return known ? std::string(kKinds[static_cast<std::size_t>(kind)])
                 : "unknown_" + std::to_string(kind);
}

Recorder& Recorder::Self(void* context) { return *static_cast<Recorder*>(context); }

void Recorder::Said(std::string line) {
    if (!open_) {
        Misbehaved("the sink was used outside of a call: " + line);
    } else if (terminal_) {
        Misbehaved("the sink was used after the terminal step: " + line);
    }
    Note(std::move(line));
}

void Recorder::Open() {
    open_ = true;
    waited_ = false;
}
void Recorder::Close() { open_ = false; }

void Recorder::CheckStep(std::int32_t step) {
    if (step == AIM_STEP_FAILED && !failed_) {
        Misbehaved("failed without an error");
    }
    if (step != AIM_STEP_FAILED && failed_) {
        Misbehaved("an error, but the step is " + std::to_string(step));
    }
    if (step == AIM_STEP_WAIT && !waited_) {
        Misbehaved("a wait without a time");
    }
    terminal_ = terminal_ || step == AIM_STEP_FAILED || step == AIM_STEP_DONE;
}

Recorder::Recorder(std::uint32_t sink_size) {
    sink_.struct_size = sizeof(sink_);
    sink_.context = this;
    sink_.text = [](void* context, std::uint32_t choice, aim_str text) {
        Self(context).Said("text " + Number(choice) + " " + Quoted(text));
        if (choice == 0) {
            Self(context).text_ += sdk::View(text);
        }
    };
    sink_.reasoning = [](void* context, std::uint32_t choice, aim_str text) {
        Self(context).Said("reasoning " + Number(choice) + " " + Quoted(text));
    };
    sink_.refusal = [](void* context, std::uint32_t choice, aim_str text) {
        Self(context).Said("refusal " + Number(choice) + " " + Quoted(text));
    };
    sink_.tool_call = [](void* context, std::uint32_t choice, std::uint32_t index, aim_str id,
                         aim_str name, aim_str arguments) {
        Recorder& self = Self(context);
        std::string line = "tool " + Number(choice) + " " + Number(index);
        if (id.size > 0) {
            line += " id=" + std::string(sdk::View(id));
        }
        if (name.size > 0) {
            line += " name=" + std::string(sdk::View(name));
        }
        self.Said(line + " args=" + Quoted(arguments));
        std::uint32_t& count = self.tool_count_[choice];
        if (index > count) {
            self.Misbehaved("a gap in the indexes of tool calls");
        } else if (index == count) {
            ++count;
            if (name.size == 0) {
                self.Misbehaved("the first piece of a tool call has no name");
            }
        } else if (id.size > 0 || name.size > 0) {
            self.Misbehaved("a later piece of a tool call has an id or a name");
        }
    };
    sink_.usage = [](void* context, const aim_usage* usage) {
        std::string line = "usage";
        AppendCount(line, "prompt", usage->prompt_tokens);
        AppendCount(line, "completion", usage->completion_tokens);
        AppendCount(line, "total", usage->total_tokens);
        AppendCount(line, "cached", usage->cached_tokens);
        AppendCount(line, "cache_write", usage->cache_write_tokens);
        AppendCount(line, "reasoning", usage->reasoning_tokens);
        Self(context).Said(line);
        Self(context).usage_json_ = sdk::View(usage->json);
    };
    sink_.finish = [](void* context, std::uint32_t choice, std::int32_t reason) {
        Recorder& self = Self(context);
        const bool known = reason > 0 && reason < static_cast<std::int32_t>(kFinishes.size());
        self.Said("finish " + Number(choice) + " " +
                  (known ? std::string(kFinishes[static_cast<std::size_t>(reason)]) : "unknown"));
        if (std::exchange(self.finished_[choice], true)) {
            self.Misbehaved("a choice finished twice");
        }
    };
    sink_.extra = [](void* context, std::int32_t scope, std::uint32_t choice, std::uint32_t index,
                     aim_str name, aim_str json) {
        Recorder& self = Self(context);
        self.Said("extra " + std::string(kScopes.at(static_cast<std::size_t>(scope))) + " " +
                  Number(choice) + " " + Number(index) + " " + std::string(sdk::View(name)) + " " +
                  std::string(sdk::View(json)));
        sdk::JsonDocument value;
        if (!value.Parse(sdk::View(json))) {
            self.Misbehaved("an extra field that is no JSON");
        }
    };
    sink_.error = [](void* context, const aim_error* error) {
        Recorder& self = Self(context);
        std::string line = "error " + ErrorKindName(error->kind);
        if (error->upstream_status != 0) {
            line += " status=" + std::to_string(error->upstream_status);
        }
        AppendCount(line, "retry_after_ms", error->retry_after_ms);
        if (error->code.size > 0) {
            line += " code=" + std::string(sdk::View(error->code));
        }
        if (error->field.size > 0) {
            line += " field=" + std::string(sdk::View(error->field));
        }
        self.Said(line + " " + Quoted(error->message));
        self.failed_ = true;
        self.error_message_ = sdk::View(error->message);
    };
    sink_.wait = [](void* context, std::uint64_t milliseconds) {
        Recorder& self = Self(context);
        self.Said("wait " + Number(milliseconds));
        self.waited_ = true;
        self.wait_ms_ = milliseconds;
    };
    sink_.get_extension = [](void* context, const char* id) -> const void* {
        const bool vectors = std::strcmp(id, AIM_EMBEDDINGS_SINK_ID) == 0;
        const bool models = std::strcmp(id, AIM_MODELS_SINK_ID) == 0;
        return vectors  ? static_cast<const void*>(&Self(context).embeddings_sink_)
               : models ? static_cast<const void*>(&Self(context).models_sink_)
                        : nullptr;
    };
    embeddings_sink_.struct_size = sizeof(embeddings_sink_);
    embeddings_sink_.context = this;
    embeddings_sink_.embedding = [](void* context, std::uint32_t index, const float* values,
                                    std::uint64_t count) {
        std::ostringstream line;
        line << "vector " << index << " [";
        for (std::uint64_t i = 0; i < count; ++i) {
            line << (i == 0 ? "" : ",") << values[i];
        }
        Self(context).Said(line.str() + "]");
    };
    models_sink_.struct_size = sizeof(models_sink_);
    models_sink_.context = this;
    models_sink_.model = [](void* context, const aim_model_info* model) {
        std::string line = "model " + std::string(sdk::View(model->id));
        AppendCount(line, "context", model->context_window);
        AppendCount(line, "max_output", model->max_output_tokens);
        AppendText(line, "name", model->display_name);
        AppendText(line, "can", model->capabilities);
        AppendText(line, "in", model->input_price_per_million);
        AppendText(line, "out", model->output_price_per_million);
        Self(context).Said(line);
    };
    if (sink_size < sizeof(sink_)) {
        std::memset(reinterpret_cast<char*>(&sink_) + sink_size, 0, sizeof(sink_) - sink_size);
        sink_.struct_size = sink_size;
    }
}

}  // namespace aim::plugin_driver
