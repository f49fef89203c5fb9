#include "services/cli/kit/session_run.hpp"

#include <algorithm>

#include "core/base/ascii.hpp"
#include "core/http/url.hpp"
#include "core/plugin/abi_text.hpp"

namespace aim::cli::kit {
namespace {

bool IsToken(std::string_view name) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](unsigned char c) {
        return std::isalnum(c) != 0 || kMarks.find(static_cast<char>(c)) != kMarks.npos;
    });
}

bool IsHostOwned(std::string_view lowered) {
    constexpr std::string_view kOwned[] = {"host",       "content-length",  "connection",
                                           "user-agent", "accept-encoding", "transfer-encoding",
                                           "te",         "upgrade",         "expect"};
    return std::find(std::begin(kOwned), std::end(kOwned), lowered) != std::end(kOwned);
}

// The builder's end; what the gateway would refuse is refused and noted.
struct Draft {
    Description described;
    Recorder& recorder;
    bool has_url = false;

    static Draft& Of(void* context) { return *static_cast<Draft*>(context); }
    int32_t Refuse(const std::string& why) {
        recorder.Misbehaved("request-is-well-formed", why);
        return AIM_FAILED;
    }

    static int32_t Method(void* context, aim_str method) {
        Draft& self = Of(context);
        self.described.method = plugin::View(method);
        if (IsToken(plugin::View(method)) && method.size <= 16) return AIM_OK;
        return self.Refuse("the method \"" + self.described.method + "\" is no HTTP method");
    }
    static int32_t Url(void* context, aim_str url) {
        Draft& self = Of(context);
        self.described.url = plugin::View(url);
        self.has_url = true;
        if (url.size <= 8192 && http::Url::Parse(plugin::View(url))) return AIM_OK;
        return self.Refuse("the URL \"" + self.described.url.substr(0, 200) +
                           "\" is no absolute http or https URL");
    }
    static int32_t Header(void* context, aim_str name, aim_str value) {
        Draft& self = Of(context);
        self.described.headers.emplace_back(plugin::View(name), plugin::View(value));
        const std::string_view text = plugin::View(value);
        const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
            return c == '\t' || (c >= 0x20 && c != 0x7f);
        });
        if (IsToken(plugin::View(name)) && plain && text.size() <= 16 * 1024 &&
            !IsHostOwned(AsciiLowered(plugin::View(name))) && self.described.headers.size() <= 64) {
            return AIM_OK;
        }
        return self.Refuse("the header \"" + std::string(plugin::View(name)).substr(0, 80) +
                           "\" is malformed, one too many, or one that the host sets itself");
    }
    static int32_t Body(void* context, aim_bytes piece) {
        Draft& self = Of(context);
        if (piece.size != 0) {
            self.described.body.append(reinterpret_cast<const char*>(piece.data),
                                       static_cast<std::size_t>(piece.size));
        }
        return AIM_OK;
    }
    static int32_t Framing(void* context, int32_t framing) {
        Draft& self = Of(context);
        self.described.framing = framing;
        if (framing >= AIM_FRAMING_WHOLE && framing <= AIM_FRAMING_JSON_LINES) return AIM_OK;
        return self.Refuse("the framing " + std::to_string(framing) + " does not exist");
    }
};

std::string FindHeader(const Headers& headers, std::string_view name) {
    for (const auto& [known, value] : headers) {
        if (AsciiLowered(known) == name) return value;
    }
    return {};
}

// aim_http_head over texts that live in the call's memory.
const aim_http_head* ShowHead(HostMemory& memory, const Answer& answer) {
    struct Entry {
        aim_str name;
        aim_str value;
    };
    std::vector<Entry> entries;
    for (const auto& [name, value] : answer.headers)
        entries.push_back(
            {plugin::Str(memory.Keep(AsciiLowered(name))), plugin::Str(memory.Keep(value))});
    aim_http_head head{};
    head.status = answer.status;
    head.header_count = static_cast<uint32_t>(entries.size());
    head.impl =
        memory.Keep({reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof(Entry)})
            .data();
    head.header = [](const aim_http_head* self, uint32_t i, aim_str* name,
                     aim_str* value) -> int32_t {
        if (i >= self->header_count) return AIM_FAILED;
        *name = static_cast<const Entry*>(self->impl)[i].name;
        *value = static_cast<const Entry*>(self->impl)[i].value;
        return AIM_OK;
    };
    head.find = [](const aim_http_head* self, aim_str name, aim_str* value) -> int32_t {
        for (uint32_t i = 0; i < self->header_count; ++i) {
            const Entry& entry = static_cast<const Entry*>(self->impl)[i];
            if (plugin::View(entry.name) == AsciiLowered(plugin::View(name))) {
                *value = entry.value;
                return AIM_OK;
            }
        }
        return AIM_FAILED;
    };
    return memory.Place(head);
}

}  // namespace

SessionRun::SessionRun(const aim_chat& chat, void* provider, Script script)
    : chat_(chat), provider_(provider), script_(std::move(script)) {}

SessionRun::~SessionRun() { End(); }

void SessionRun::End() {
    if (std::exchange(ended_, true)) return;
    if (state_ != RunState::kDone && state_ != RunState::kFailed) state_ = RunState::kGivenUp;
    if (session_ != nullptr) chat_.session->end(std::exchange(session_, nullptr));
}

template <typename Call>
std::int32_t SessionRun::Make(HostMemory& memory, Call&& call) {
    ++calls_;
    aim_call context{};
    context.now_unix_ms = now_ms_;
    context.sink = recorder_.Open(memory);
    const std::int32_t result = call(static_cast<const aim_call*>(memory.Place(context)));
    return result;
}

void SessionRun::Follow(const char* function, std::int32_t step, bool may_continue) {
    recorder_.Close(step);
    switch (step) {
        case AIM_STEP_CONTINUE:
            if (may_continue) return;
            break;
        case AIM_STEP_NEXT_REQUEST:
            pieces_.clear();
            state_ = RunState::kRequest;
            return;
        case AIM_STEP_WAIT:
            pieces_.clear();
            requests_without_wait_ = 0;
            state_ = RunState::kWait;
            return;
        case AIM_STEP_DONE:
            state_ = RunState::kDone;
            return;
        case AIM_STEP_FAILED:
            state_ = RunState::kFailed;
            return;
        default:
            break;
    }
    recorder_.Misbehaved("steps-are-legal", std::string(function) + " returned " +
                                                std::to_string(step) +
                                                ", which is no step that it may return");
    state_ = RunState::kGivenUp;
}

bool SessionRun::Step() {
    if (ended_) return false;
    switch (state_) {
        case RunState::kBegin:
            Begin();
            break;
        case RunState::kRequest:
            Describe();
            break;
        case RunState::kHead:
            Head();
            break;
        case RunState::kBody:
            Body();
            break;
        case RunState::kWait:
            Wake();
            break;
        default:
            return false;
    }
    return state_ != RunState::kDone && state_ != RunState::kFailed && state_ != RunState::kGivenUp;
}

void SessionRun::Begin() {
    HostMemory memory(script_.memory);
    const aim_chat_request* const request = script_.prompt->Show(memory, script_.endpoint);
    void* const untouched = &recorder_;
    session_ = untouched;
    const std::int32_t step = Make(memory, [&](const aim_call* call) {
        return chat_.begin(provider_, call, request, script_.seed, &session_);
    });
    Follow("begin", step, false);
    if (session_ == untouched) {
        session_ = nullptr;
        if (step >= 0) {
            recorder_.Misbehaved("steps-are-legal", "begin returned a step and made no session");
            state_ = RunState::kGivenUp;
        }
    } else if (step == AIM_STEP_FAILED) {
        recorder_.Misbehaved("out-parameters-untouched",
                             "begin failed and wrote to *session: leave it alone");
        session_ = nullptr;
    } else if (session_ == nullptr) {
        recorder_.Misbehaved("steps-are-legal", "begin returned a step and made no session");
        state_ = RunState::kGivenUp;
    }
}

void SessionRun::Describe() {
    HostMemory memory(script_.memory);
    Draft draft{{}, recorder_};
    aim_http_builder builder{};
    builder.context = &draft;
    builder.method = &Draft::Method;
    builder.url = &Draft::Url;
    builder.header = &Draft::Header;
    builder.body = &Draft::Body;
    builder.framing = &Draft::Framing;
    const aim_http_builder* const table = memory.Place(builder);
    const std::int32_t result = Make(memory, [&](const aim_call* call) {
        return chat_.session->next_request(session_, call, table);
    });
    if (result != AIM_OK) {
        if (result != AIM_FAILED)
            recorder_.Misbehaved("steps-are-legal", "next_request returned " +
                                                        std::to_string(result) +
                                                        "; it may return AIM_OK or AIM_FAILED");
        recorder_.Close(AIM_STEP_FAILED);
        state_ = RunState::kFailed;
        return;
    }
    recorder_.Close(AIM_STEP_CONTINUE);
    if (!draft.has_url)
        recorder_.Misbehaved("request-is-well-formed", "next_request described no URL");
    if (draft.described.method.empty())
        draft.described.method = draft.described.body.empty() ? "GET" : "POST";
    framing_ = draft.described.framing;
    requests_.push_back(std::move(draft.described));
    if (++requests_without_wait_ > 16) {
        recorder_.Misbehaved("request-loop-is-bounded",
                             "17 requests followed each other without a wait");
        state_ = RunState::kGivenUp;
        return;
    }
    state_ = static_cast<int>(requests_.size()) > script_.most_requests ? RunState::kGivenUp
                                                                        : RunState::kHead;
}

void SessionRun::Head() {
    if (script_.later_requests_are_lost && requests_.size() > 1) {
        pieces_.push_back({{}, {}, {}, AIM_END_NOT_CONNECTED});
        state_ = RunState::kBody;
        return;
    }
    HostMemory memory(script_.memory);
    const bool success = script_.answer.status >= 200 && script_.answer.status < 300;
    const std::string type = AsciiLowered(FindHeader(script_.answer.headers, "content-type"));
    const bool json = framing_ == AIM_FRAMING_SSE && type.rfind("application/json", 0) == 0;
    if (!success || json) framing_ = AIM_FRAMING_WHOLE;
    state_ = RunState::kBody;
    CutBody();
    const aim_http_head* const head = ShowHead(memory, script_.answer);
    Follow("on_head",
           Make(memory,
                [&](const aim_call* call) { return chat_.session->on_head(session_, call, head); }),
           true);
}

// All pieces at once: what the plugin sees depends on the framing, and with raw framing on the
// splitter.
void SessionRun::CutBody() {
    const std::string_view body = script_.answer.body;
    std::int32_t ending = script_.answer.ending;
    if (framing_ == AIM_FRAMING_WHOLE) {
        if (!body.empty()) pieces_.push_back({std::string(body), {}, {}, {}});
    } else {
        http::SseParser events;
        http::JsonLinesParser lines;
        for (std::size_t at = 0; at < body.size();) {
            const std::size_t left = body.size() - at;
            const std::size_t size =
                script_.splitter ? std::clamp<std::size_t>(script_.splitter(left), 1, left) : left;
            const std::string_view bytes = body.substr(at, size);
            at += size;
            if (framing_ == AIM_FRAMING_RAW) pieces_.push_back({std::string(bytes), {}, {}, {}});
            if (framing_ == AIM_FRAMING_SSE) {
                events.Push(bytes);
                while (const auto event = events.Next()) {
                    pieces_.push_back({std::string(event->data),
                                       std::string(event->event),
                                       std::string(event->id),
                                       {}});
                }
            }
            if (framing_ == AIM_FRAMING_JSON_LINES) {
                lines.Push(bytes);
                while (const auto line = lines.Next())
                    pieces_.push_back({std::string(*line), {}, {}, {}});
            }
        }
        if (framing_ == AIM_FRAMING_JSON_LINES && ending == AIM_END_COMPLETE) {
            lines.Finish();
            while (const auto line = lines.Next())
                pieces_.push_back({std::string(*line), {}, {}, {}});
        }
        if (events.failed() || lines.failed()) ending = AIM_END_TOO_LARGE;
    }
    pieces_.push_back({{}, {}, {}, ending});
}

void SessionRun::Body() {
    const Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    HostMemory memory(script_.memory);
    if (piece.ending) {
        Follow("on_end",
               Make(memory,
                    [&](const aim_call* call) {
                        return chat_.session->on_end(session_, call, *piece.ending);
                    }),
               false);
        return;
    }
    const std::string_view bytes = memory.Keep(piece.data);
    aim_http_data data{};
    data.bytes = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
    data.event = plugin::Str(memory.Keep(piece.event));
    data.id = plugin::Str(memory.Keep(piece.id));
    const aim_http_data* const table = memory.Place(data);
    Follow(
        "on_data",
        Make(memory,
             [&](const aim_call* call) { return chat_.session->on_data(session_, call, table); }),
        true);
}

void SessionRun::Wake() {
    waited_ms_ += std::max<std::uint64_t>(recorder_.wait_ms(), 1);
    now_ms_ += recorder_.wait_ms();
    if (waited_ms_ > script_.give_up_after_ms) {
        state_ = RunState::kGivenUp;
        return;
    }
    HostMemory memory(script_.memory);
    Follow(
        "on_wake",
        Make(memory, [&](const aim_call* call) { return chat_.session->on_wake(session_, call); }),
        false);
}

std::unique_ptr<SessionRun> Play(const aim_chat& chat, void* provider, Script script) {
    auto run = std::make_unique<SessionRun>(chat, provider, std::move(script));
    run->StepAll();
    run->End();
    return run;
}

bool SameOutcome(const SessionRun& a, const SessionRun& b) {
    return a.state() == b.state() && a.requests() == b.requests() &&
           a.record().events() == b.record().events();
}

}  // namespace aim::cli::kit
