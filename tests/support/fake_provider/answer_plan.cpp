#include "tests/support/fake_provider/answer_plan.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "tests/support/fake_provider/stored_gzip.hpp"

namespace aim::testing {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGarbage = "\x01\xff{]not json at all<html>";

// The body before any transfer framing.
struct Body {
    std::vector<AnswerPiece> pieces;
    bool streamed = false;
    bool complete = true;  // false: the framing's end must not be written
    std::optional<AnswerEnd> end;
    std::optional<std::size_t> repeat_from;
};

const char* ReasonPhrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        default:
            return "Status";
    }
}

bool SameName(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x)) ==
               std::tolower(static_cast<unsigned char>(y));
    });
}

class HeadWriter {
  public:
    explicit HeadWriter(const ScriptStep& step) : step_(step) {
        text_ =
            "HTTP/1.1 " + std::to_string(step.status) + " " + ReasonPhrase(step.status) + "\r\n";
    }
    // Ours gives way to the script's of the same name.
    void Default(std::string_view name, std::string_view value) {
        for (const auto& header : step_.headers)
            if (SameName(header.first, name)) return;
        for (const auto& removed : step_.removed_headers)
            if (SameName(removed, name)) return;
        Add(name, value);
    }
    std::string Finish() {
        for (const auto& header : step_.headers) Add(header.first, header.second);
        return std::move(text_) + "\r\n";
    }

  private:
    void Add(std::string_view name, std::string_view value) {
        text_.append(name).append(": ").append(value).append("\r\n");
    }
    const ScriptStep& step_;
    std::string text_;
};

void AddDialectHeaders(const ScriptStep& step, const Accent* accent, HeadWriter* head) {
    if (accent != nullptr) {
        for (const auto& [name, value] :
             step.status == 429 ? accent->limit_headers : accent->headers)
            head->Default(name, value);
        return;
    }
    head->Default("x-ratelimit-limit-requests", "14400");
    head->Default("x-ratelimit-limit-tokens", "6000");
    head->Default("x-ratelimit-remaining-requests", "14370");
    head->Default("x-ratelimit-remaining-tokens", "5997");
    head->Default("x-ratelimit-reset-requests", "2m59.56s");
    head->Default("x-ratelimit-reset-tokens", "7.66s");
    head->Default("x-request-id", "req_fake");
}

std::string LineEnd(const ScriptStep& step) {
    if (step.lone_cr) return "\r";
    return step.crlf ? "\r\n" : "\n";
}

std::string Frame(const ScriptStep& step, std::string_view data) {
    const std::string end = LineEnd(step);
    return std::string(step.space_after_data ? "data: " : "data:").append(data) + end + end;
}

std::string Comment(const ScriptStep& step) {
    const std::string end = LineEnd(step);
    return ": keep-alive" + end + end;
}

// The error frame, the broken frame, or nothing: what comes in place of the chunk after `sent`
// deltas.
std::optional<std::string> FaultFrame(const ScriptStep& step, const Accent* accent) {
    if (step.error_in_stream) {
        if (accent != nullptr) return Frame(step, accent->stream_error);
        const std::string& error = *step.error_in_stream;
        const bool wrapped = error.find("\"error\"") != std::string::npos;
        return Frame(step, wrapped ? error : "{\"error\":" + error + "}");
    }
    if (step.garbage) return Frame(step, kGarbage);
    return std::nullopt;
}

Body StreamBody(const ScriptStep& step, const ChatRequest& request) {
    Body body;
    body.streamed = true;
    const auto add = [&body](milliseconds delay, std::string bytes) {
        body.pieces.push_back({delay, std::move(bytes)});
    };
    if (step.endless_comments) {
        add(milliseconds(0), Comment(step));
        add(std::max(step.chunk_delay, milliseconds(1)), Comment(step));
        body.repeat_from = 1;
        body.complete = false;
        return body;
    }
    if (request.accent != nullptr && !request.accent->stream_lead.empty())
        add(milliseconds(0), request.accent->stream_lead);
    std::size_t deltas = 0;
    for (const StreamChunk& chunk : CompletionChunks(step, request)) {
        // The limits are looked at before each chunk that counts and before the finish chunk.
        const bool boundary = chunk.counts || !body.pieces.empty();
        const auto fault = FaultFrame(step, request.accent);
        if (fault && deltas >= step.error_after_chunks &&
            (boundary || step.error_after_chunks == 0)) {
            add(body.pieces.empty() ? milliseconds(0) : step.chunk_delay, *fault);
            return body;
        }
        if (boundary && step.cut_after_chunks && deltas >= *step.cut_after_chunks) {
            body.complete = false;
            body.end = step.reset ? AnswerEnd::kReset : AnswerEnd::kClose;
            return body;
        }
        if (boundary && step.stall_after_chunks && deltas >= *step.stall_after_chunks) {
            body.complete = false;
            body.end = AnswerEnd::kStall;
            return body;
        }
        if (step.comments) add(milliseconds(0), Comment(step));
        add(chunk.counts ? step.chunk_delay : milliseconds(0), Frame(step, chunk.json));
        if (chunk.counts) ++deltas;
    }
    if (step.done_marker) add(milliseconds(0), Frame(step, "[DONE]"));
    if (!step.after_done.empty()) add(milliseconds(0), step.after_done);
    return body;
}

Body WholeBody(const ScriptStep& step, const ChatRequest& request) {
    std::string text(step.leading_blank_lines, '\n');
    if (step.body) {
        text += *step.body;
    } else if (step.garbage) {
        text += kGarbage;
    } else if (step.status < 200 || step.status > 299) {
        text += request.accent != nullptr
                    ? request.accent->error(step.status, AccentMessage(step.status, request.model))
                    : ErrorBody(step.status, request.model);
    } else if (step.error_in_stream && request.accent != nullptr) {
        text += request.accent->stream_error;
    } else if (step.error_in_stream) {
        const bool wrapped = step.error_in_stream->find("\"error\"") != std::string::npos;
        text += wrapped ? *step.error_in_stream : "{\"error\":" + *step.error_in_stream + "}";
    } else {
        if (request.accent != nullptr) text += request.accent->whole_lead;
        text += CompletionBody(step, request);
    }
    Body body;
    body.pieces.push_back({milliseconds(0), std::move(text)});
    if (step.stall_after_chunks) {
        body.pieces.back().bytes.resize(body.pieces.back().bytes.size() / 2);
        body.complete = false;
        body.end = AnswerEnd::kStall;
    } else if (step.cut_after_chunks) {
        body.pieces.back().bytes.resize(body.pieces.back().bytes.size() / 2);
        body.complete = false;
        body.end = step.reset ? AnswerEnd::kReset : AnswerEnd::kClose;
    }
    return body;
}

std::size_t BodySize(const Body& body) {
    std::size_t size = 0;
    for (const AnswerPiece& piece : body.pieces) size += piece.bytes.size();
    return size;
}

void Compress(Body* body) {
    StoredGzip gzip;
    std::string lead = gzip.Begin();
    for (AnswerPiece& piece : body->pieces) {
        piece.bytes = lead + gzip.Add(piece.bytes);
        lead.clear();
    }
    if (body->complete) body->pieces.push_back({milliseconds(0), lead + gzip.End()});
}

void CutAfterBytes(std::size_t limit, bool reset, Body* body) {
    std::size_t left = limit;
    for (std::size_t i = 0; i < body->pieces.size(); ++i) {
        std::string& bytes = body->pieces[i].bytes;
        if (bytes.size() > left) {
            bytes.resize(left);
            body->pieces.resize(i + 1);
            break;
        }
        left -= bytes.size();
    }
    body->repeat_from.reset();
    body->complete = false;
    body->end = reset ? AnswerEnd::kReset : AnswerEnd::kClose;
}

void FrameChunked(Body* body) {
    for (AnswerPiece& piece : body->pieces) {
        if (piece.bytes.empty()) continue;
        char size[24];
        std::snprintf(size, sizeof size, "%zx\r\n", piece.bytes.size());
        piece.bytes = size + piece.bytes + "\r\n";
    }
    if (body->complete) body->pieces.push_back({milliseconds(0), "0\r\n\r\n"});
}

// What is due at the same moment goes out in one write.
void Merge(AnswerPlan* plan) {
    std::vector<AnswerPiece> merged;
    for (std::size_t i = 0; i < plan->pieces.size(); ++i) {
        AnswerPiece& piece = plan->pieces[i];
        const bool starts_repeat = plan->repeat_from && *plan->repeat_from == i;
        if (!merged.empty() && piece.delay_before.count() == 0 && !starts_repeat) {
            merged.back().bytes += piece.bytes;
            continue;
        }
        if (starts_repeat) plan->repeat_from = merged.size();
        merged.push_back(std::move(piece));
    }
    plan->pieces = std::move(merged);
}

// Steps that answer without HTTP's help; false when the step is none of them.
bool PlanBareAnswer(const ScriptStep& step, AnswerPlan* plan) {
    if (step.never_answer) {
        plan->end = AnswerEnd::kStall;
        return true;
    }
    if (step.raw_response) {
        plan->pieces.push_back({step.delay_before_head, *step.raw_response});
        plan->end = step.end.value_or(AnswerEnd::kClose);
        return true;
    }
    if (step.garbage_head) {
        plan->pieces.push_back({step.delay_before_head, std::string(kGarbage) + "\r\n\r\n"});
        plan->end = step.end.value_or(AnswerEnd::kClose);
        return true;
    }
    const bool cut_later = step.cut_after_bytes || step.cut_after_chunks;
    if (step.cut_before_head || (step.reset && !cut_later)) {
        plan->pieces.push_back({step.delay_before_head, ""});
        plan->end = step.reset ? AnswerEnd::kReset : AnswerEnd::kClose;
        return true;
    }
    return false;
}

bool ScriptSaysClose(const ScriptStep& step) {
    return std::any_of(step.headers.begin(), step.headers.end(), [](const auto& header) {
        return SameName(header.first, "connection") && SameName(header.second, "close");
    });
}

}  // namespace

AnswerPlan PlanChatAnswer(const ScriptStep& step, const ChatRequest& request,
                          const AnswerFraming& framing) {
    AnswerPlan plan;
    plan.write_size = step.split;
    plan.write_gap = step.split_delay;
    plan.close_notify = step.close_notify;
    if (PlanBareAnswer(step, &plan)) return plan;

    const bool ok = step.status >= 200 && step.status <= 299;
    const bool stream = (request.stream || step.endless_comments) && ok && !step.body && !step.raw;
    Body body;
    if (step.raw) {
        body.pieces.push_back({milliseconds(0), *step.raw});
        body.end = AnswerEnd::kClose;
    } else {
        body = stream ? StreamBody(step, request) : WholeBody(step, request);
    }
    if (step.gzip) Compress(&body);
    // The length tells of the whole body, so that a cut one is visibly short.
    std::size_t declared = step.content_length.value_or(BodySize(body));
    if (!stream && !step.content_length && !body.complete) declared *= 2;
    const bool lie = step.content_length && *step.content_length != BodySize(body);
    if (step.cut_after_bytes) CutAfterBytes(*step.cut_after_bytes, step.reset, &body);

    HeadWriter head(step);
    head.Default("content-type",
                 step.content_type.value_or(stream ? "text/event-stream" : "application/json"));
    bool close = !framing.keep_alive || ScriptSaysClose(step);
    if (stream) head.Default("cache-control", "no-cache");
    if (step.gzip) head.Default("content-encoding", "gzip");
    if (step.content_length || (!stream && !step.raw)) {
        head.Default("content-length", std::to_string(declared));
    } else if (stream && framing.http11) {
        head.Default("transfer-encoding", "chunked");
        FrameChunked(&body);
    } else {
        close = true;
    }
    AddDialectHeaders(step, request.accent, &head);
    if (close) head.Default("connection", "close");

    plan.pieces.push_back({step.delay_before_head, head.Finish()});
    if (!body.pieces.empty()) body.pieces.front().delay_before += step.delay_before_first_byte;
    if (body.repeat_from) plan.repeat_from = *body.repeat_from + 1;
    for (AnswerPiece& piece : body.pieces) plan.pieces.push_back(std::move(piece));
    Merge(&plan);
    plan.end = close || lie || step.raw ? AnswerEnd::kClose : AnswerEnd::kKeepOpen;
    if (body.end) plan.end = *body.end;
    if (step.end) plan.end = *step.end;
    return plan;
}

AnswerPlan PlanJsonAnswer(int status, const std::string& body, const AnswerFraming& framing) {
    ScriptStep step;
    step.status = status;
    step.body = body;
    return PlanChatAnswer(step, ChatRequest(), framing);
}

}  // namespace aim::testing
