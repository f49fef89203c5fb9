// The named scenarios: one table of name and steps, the last step is repeated.
#include <algorithm>
#include <map>
#include <stdexcept>

#include "tests/support/fake_provider/script_book.hpp"

namespace aim::testing {
namespace {

struct Scenario {
    const char* name;
    const char* steps;
};

constexpr Scenario kScenarios[] = {
    {"ok", R"({"text":"A fine answer."})"},
    {"429-then-ok", R"([{"status":429,"headers":{"retry-after":"2"}},{"text":"A fine answer."}])"},
    {"429-seconds", R"({"status":429,"headers":{"retry-after":"7"}})"},
    {"429-float", R"({"status":429,"headers":{"retry-after":"2.5"}})"},
    {"429-milliseconds", R"({"status":429,"headers":{"retry-after-ms":"350"}})"},
    {"429-date", R"({"status":429,"headers":{"retry-after":"Wed, 18 Nov 2026 10:00:00 GMT"}})"},
    {"429-duration",
     R"({"status":429,"headers":{"x-ratelimit-remaining-tokens":"0","x-ratelimit-reset-tokens":"1m2.5s"}})"},
    {"429-absurd", R"({"status":429,"headers":{"retry-after":"1000000000"}})"},
    {"429-negative", R"({"status":429,"headers":{"retry-after":"-5"}})"},
    {"429-silent",
     R"({"status":429,"body":{"error":{"message":"Slow down.","type":"requests","code":"rate_limit_exceeded"}},"headers":{"x-ratelimit-limit-requests":null,"x-ratelimit-limit-tokens":null,"x-ratelimit-remaining-requests":null,"x-ratelimit-remaining-tokens":null,"x-ratelimit-reset-requests":null,"x-ratelimit-reset-tokens":null}})"},
    {"401", R"({"status":401})"},
    {"402", R"({"status":402})"},
    {"403", R"({"status":403})"},
    {"403-cdn", R"({"status":403,"content_type":"text/plain","body":"error code: 1010"})"},
    {"404", R"({"status":404})"},
    {"413", R"({"status":413})"},
    {"422", R"({"status":422})"},
    {"498", R"({"status":498})"},
    {"500", R"({"status":500})"},
    {"500-empty", R"({"status":500,"body":""})"},
    {"502-html",
     R"({"status":502,"content_type":"text/html","body":"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"})"},
    {"503", R"({"status":503})"},
    {"context-length",
     R"({"status":400,"body":{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}})"},
    {"content-filter", R"({"text":"I","finish_reason":"content_filter"})"},
    {"decommissioned",
     R"({"status":400,"body":{"error":{"message":"The model has been decommissioned and is no longer supported.","type":"invalid_request_error","code":"model_decommissioned"}}})"},
    {"tool-use-failed",
     R"({"status":400,"body":{"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=weather>"}}})"},
    {"array-error",
     R"({"status":400,"body":[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]})"},
    {"gzip-error", R"({"status":503,"gzip":true})"},
    {"gzip", R"({"text":"A fine answer.","gzip":true})"},
    {"blank-lines", R"({"text":"A fine answer.","leading_blank_lines":3})"},
    {"error-in-200", R"({"error_in_stream":{"message":"overloaded","type":"overloaded_error"}})"},
    {"error-mid-stream",
     R"({"text":"a b c d","error_in_stream":{"message":"overloaded","type":"overloaded_error"},"error_after_chunks":2})"},
    {"garbage", R"({"garbage":true})"},
    {"garbage-mid-stream", R"({"text":"a b c d","garbage":true,"error_after_chunks":2})"},
    {"garbage-head", R"({"garbage_head":true})"},
    {"cut", R"({"text":"a b c d","cut_after_chunks":2})"},
    {"cut-before-head", R"({"cut_before_head":true})"},
    {"reset", R"({"reset":true})"},
    {"reset-mid-stream", R"({"text":"a b c d","cut_after_chunks":2,"reset":true})"},
    {"no-terminator", R"({"text":"a b c d","finish_reason":null,"usage":"none","no_done":true})"},
    {"after-done", R"({"text":"a b c d","after_done":"garbage after the end\n\n"})"},
    {"stall", R"({"text":"a b c d","stall_after_chunks":2})"},
    {"never-answer", R"({"never_answer":true})"},
    {"endless-comments", R"({"endless_comments":true,"chunk_delay_ms":50})"},
    {"slow-head", R"({"text":"A fine answer.","delay_before_head_ms":500})"},
    {"slow-first-byte", R"({"text":"A fine answer.","delay_before_first_byte_ms":500})"},
    {"slow-chunks", R"({"text":"a b c d e f g h","chunk_delay_ms":100})"},
    {"split", R"({"text":"Привет, мир — ok 🙂","split":1})"},
    {"crlf", R"({"text":"a b c d","crlf":true})"},
    {"no-space", R"({"text":"a b c d","no_space_after_data":true})"},
    {"comments", R"({"text":"a b c d","comments":true})"},
    {"huge-line", R"({"huge_line_bytes":1200000})"},
    {"usage-extra", R"({"text":"a b c d","usage":"extra"})"},
    {"usage-none", R"({"text":"a b c d","usage":"none"})"},
    {"reasoning", R"({"text":"Four.","reasoning":"Two and two."})"},
    {"tool-call", R"({"tool_calls":[{"name":"weather","arguments":{"city":"Oslo"}}]})"},
    {"tool-calls-fragmented",
     R"({"tool_calls":[{"name":"weather","arguments":{"city":"Oslo"}},{"name":"clock","arguments":{"zone":"UTC"}}],"tool_fragments":3})"},
    {"tool-without-arguments", R"({"tool_calls":[{"name":"now"}]})"},
    {"finish-unknown", R"({"text":"a b","finish_reason":"eos"})"},
    {"finish-empty", R"({"text":"a b","finish_reason":""})"},
    {"length", R"({"text":"a b","finish_reason":"length"})"},
};

using Table = std::map<std::string, std::vector<ScriptStepPtr>, std::less<>>;

Table BuildTable() {
    Table table;
    for (const Scenario& scenario : kScenarios) {
        std::vector<ScriptStep> steps;
        std::string error;
        if (!ParseScriptSteps(scenario.steps, &steps, &error))
            throw std::logic_error(std::string(scenario.name) + ": " + error);
        for (ScriptStep& step : steps)
            table[scenario.name].push_back(std::make_shared<const ScriptStep>(std::move(step)));
    }
    return table;
}

const Table& NamedSteps() {
    static const Table kTable = BuildTable();
    return kTable;
}

}  // namespace

ScriptStepPtr NamedScenarioStep(std::string_view name, std::size_t step_number) {
    const auto found = NamedSteps().find(name);
    if (found == NamedSteps().end()) return nullptr;
    return found->second[std::min(step_number, found->second.size() - 1)];
}

std::vector<std::string> NamedScenarios() {
    std::vector<std::string> names;
    for (const auto& entry : NamedSteps()) names.push_back(entry.first);
    return names;
}

}  // namespace aim::testing
