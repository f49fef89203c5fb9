#include "services/cli/kit/recorder.hpp"

#include <algorithm>

#include "core/json/scan.hpp"
#include "core/plugin/abi_text.hpp"

namespace aim::cli::kit {
namespace {

template <typename Number>
std::string Text(Number number) {
    return std::to_string(number);
}

constexpr std::size_t kMostFaults = 50;

// One JSON value; a key that stands twice is the provider's affair.
bool IsPassable(std::string_view json) {
    return json::IsValidValue(json, {.max_depth = 64, .refuse_duplicate_keys = false});
}

}  // namespace

void Recorder::Misbehaved(std::string rule, std::string message) {
    if (faults_.size() < kMostFaults) faults_.push_back({std::move(rule), std::move(message)});
}

Recorder& Recorder::Self(void* context, const char* what) {
    auto& self = *static_cast<Recorder*>(context);
    if (!self.open_) {
        self.Misbehaved("no-output-outside-a-call",
                        std::string("sink->") + what + " was called outside of a call");
    } else if (self.terminal_) {
        self.Misbehaved("no-output-after-terminal",
                        std::string("sink->") + what + " was called after the terminal step");
    } else if (self.thread_ != std::this_thread::get_id()) {
        self.Misbehaved("sink-on-the-calling-thread",
                        std::string("sink->") + what + " was called on another thread");
    }
    return self;
}

const aim_sink& Recorder::Table() {
    static const aim_sink table = [] {
        aim_sink sink{};
        sink.text = [](void* context, uint32_t choice, aim_str text) {
            Self(context, "text").SayText("text", choice, text);
        };
        sink.reasoning = [](void* context, uint32_t choice, aim_str text) {
            Self(context, "reasoning").SayText("reasoning", choice, text);
        };
        sink.refusal = [](void* context, uint32_t choice, aim_str text) {
            Self(context, "refusal").SayText("refusal", choice, text);
        };
        sink.tool_call = [](void* context, uint32_t choice, uint32_t index, aim_str id,
                            aim_str name, aim_str arguments) {
            Self(context, "tool_call").OnToolCall(choice, index, id, name, arguments);
        };
        sink.usage = [](void* context, const aim_usage* usage) {
            Self(context, "usage").OnUsage(*usage);
        };
        sink.finish = [](void* context, uint32_t choice, int32_t reason) {
            Self(context, "finish").OnFinish(choice, reason);
        };
        sink.extra = [](void* context, int32_t scope, uint32_t choice, uint32_t index, aim_str name,
                        aim_str json) {
            Self(context, "extra").OnExtra(scope, choice, index, name, json);
        };
        sink.error = [](void* context, const aim_error* error) {
            Self(context, "error").OnError(*error);
        };
        sink.wait = [](void* context, uint64_t milliseconds) {
            Recorder& self = Self(context, "wait");
            self.wait_ms_ = std::min<uint64_t>(milliseconds, 60'000);
            self.wait_in_call_ = true;
            self.Say("wait " + Text(milliseconds));
        };
        sink.get_extension = [](void*, const char*) -> const void* { return nullptr; };
        return sink;
    }();
    return table;
}

const aim_sink* Recorder::Open(HostMemory& memory) {
    open_ = true;
    thread_ = std::this_thread::get_id();
    error_in_call_ = false;
    wait_in_call_ = false;
    aim_sink sink = Table();
    sink.context = this;
    return memory.Place(sink);
}

void Recorder::Close(std::int32_t step) {
    open_ = false;
    if (step == AIM_STEP_FAILED && !has_error_) {
        Misbehaved("error-before-failed", "a call failed without an error in the sink");
    }
    if (step != AIM_STEP_FAILED && error_in_call_) {
        Misbehaved("error-before-failed",
                   "an error was given to the sink, but the call returned " + Text(step));
    }
    if (step == AIM_STEP_WAIT && !wait_in_call_) {
        Misbehaved("wait-has-a-time", "AIM_STEP_WAIT without a time in the sink");
    }
    if (step == AIM_STEP_DONE && finishes_.empty()) {
        Misbehaved("finish-exactly-once", "AIM_STEP_DONE without a finish: say sink->finish first");
    }
    terminal_ = terminal_ || step == AIM_STEP_FAILED || step == AIM_STEP_DONE;
}

void Recorder::Say(std::string head, std::string_view text, bool joins) {
    output_bytes_ += text.size();
    if (joins && !events_.empty() && events_.back().joins && events_.back().head == head) {
        events_.back().text += text;
        return;
    }
    events_.push_back({std::move(head), std::string(text), joins});
}

void Recorder::SayText(const char* kind, std::uint32_t choice, aim_str text) {
    if (text.size == 0) return;
    const std::string head = std::string(kind) + " " + Text(choice);
    // A piece may end inside a character, the whole may not hold anything else.
    std::string& kept = unfinished_[head];
    kept += plugin::View(text);
    std::size_t at = 0;
    while (at < kept.size()) {
        const Utf8Step step = NextUtf8(std::string_view(kept).substr(at));
        if (step.kind == Utf8Step::Kind::kUnfinished) break;
        if (step.kind == Utf8Step::Kind::kMalformed)
            Misbehaved("text-is-utf8", "the " + std::string(kind) + " is not UTF-8");
        at += step.size;
    }
    kept.erase(0, at);
    Say(head, plugin::View(text), true);
}

void Recorder::OnToolCall(std::uint32_t choice, std::uint32_t index, aim_str id, aim_str name,
                          aim_str arguments) {
    const std::string place = "tool " + Text(choice) + " " + Text(index);
    std::uint32_t& count = tool_counts_[choice];
    if (index > count) {
        Misbehaved("tool-call-indexes", "tool call " + Text(index) + " came when only " +
                                            Text(count) + " had begun: count from 0 without gaps");
    } else if (index == count) {
        ++count;
        if (name.size == 0)
            Misbehaved("tool-call-indexes", "the first piece of a tool call has no name");
        Say(place + " id=" + std::string(plugin::View(id)) +
            " name=" + std::string(plugin::View(name)));
    } else if (id.size != 0 || name.size != 0) {
        Misbehaved("tool-call-indexes", "a later piece of a tool call repeats its id or name");
    }
    if (arguments.size != 0) Say(place, plugin::View(arguments), true);
}

void Recorder::OnUsage(const aim_usage& usage) {
    std::string head = "usage";
    const std::pair<const char*, std::int64_t> values[] = {{"prompt", usage.prompt_tokens},
                                                           {"completion", usage.completion_tokens},
                                                           {"total", usage.total_tokens},
                                                           {"cached", usage.cached_tokens},
                                                           {"reasoning", usage.reasoning_tokens}};
    for (const auto& [name, value] : values) {
        if (value < -1)
            Misbehaved("usage-monotonic", std::string(name) + " tokens are " + Text(value) +
                                              "; -1 says that the provider did not tell");
        if (value < 0) continue;
        head += std::string(" ") + name + "=" + Text(value);
        auto& last = counts_[name];
        if (value < last)
            Misbehaved("usage-monotonic", std::string(name) + " tokens went from " + Text(last) +
                                              " to " + Text(value) + ": counts are cumulative");
        last = value;
    }
    const std::string_view json = plugin::View(usage.json);
    if (!json.empty() && !IsPassable(json))
        Misbehaved("extra-fields-are-json",
                   "the usage's json is not one JSON value: " + std::string(json.substr(0, 200)));
    Say(std::move(head));
}

void Recorder::OnFinish(std::uint32_t choice, std::int32_t reason) {
    if (!finishes_.emplace(choice, reason).second) {
        Misbehaved("finish-exactly-once", "choice " + Text(choice) + " finished twice");
    }
    Say("finish " + Text(choice) + " " + Text(reason));
}

void Recorder::OnExtra(std::int32_t scope, std::uint32_t choice, std::uint32_t index, aim_str name,
                       aim_str json) {
    if (!IsPassable(plugin::View(json))) {
        Misbehaved("extra-fields-are-json", "the extra field \"" + std::string(plugin::View(name)) +
                                                "\" is not one JSON value: " +
                                                std::string(plugin::View(json).substr(0, 200)));
    }
    Say("extra " + Text(scope) + " " + Text(choice) + " " + Text(index) + " " +
            std::string(plugin::View(name)),
        plugin::View(json));
}

void Recorder::OnError(const aim_error& error) {
    error_in_call_ = true;
    if (has_error_) return;  // the first counts
    has_error_ = true;
    error_ = {error.kind,
              error.upstream_status,
              error.retry_after_ms,
              std::string(plugin::View(error.message)),
              std::string(plugin::View(error.code)),
              std::string(plugin::View(error.field))};
    if (error.kind < AIM_ERROR_INVALID_REQUEST || error.kind > AIM_ERROR_INTERNAL)
        Misbehaved("error-before-failed", "the error kind " + Text(error.kind) + " does not exist");
    if (!IsValidUtf8(error_.message) || !IsValidUtf8(error_.code) || !IsValidUtf8(error_.field))
        Misbehaved("text-is-utf8", "an error's text is not UTF-8");
    Say("error " + Text(error.kind) + " " + Text(error.upstream_status) + " " +
            Text(error.retry_after_ms) + " " + error_.code + " " + error_.field,
        error_.message);
}

std::string Recorder::Describe() const {
    std::string all;
    for (const Event& event : events_) {
        if (!all.empty()) all += "; ";
        all += event.head;
        if (!event.text.empty()) all += " \"" + event.text.substr(0, 80) + "\"";
        if (all.size() > 400) return all.substr(0, 400) + "...";
    }
    return all.empty() ? "nothing" : all;
}

}  // namespace aim::cli::kit
