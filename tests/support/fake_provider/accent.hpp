// How one provider of the OpenAI family differs from Groq on the wire: the extra fields of its
// answers, where its usage stands, its errors and hints, and what of a request it refuses. Chosen
// by the path: http://127.0.0.1:PORT/as/<name>/v1.
//
// Written from the provider's documents, not from the plugin: the two have to agree by themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rapidjson/document.h>

namespace aim::testing {

struct AccentUsage {
    std::int64_t prompt = 0;
    std::int64_t completion = 0;  // with the reasoning
    std::int64_t cached = 0;
    std::int64_t reasoning = 0;
};

struct Accent {
    using Headers = std::vector<std::pair<std::string, std::string>>;

    std::string name;
    std::string created;       // a fraction for some
    std::string answer_extra;  // behind `choices`, of whole answers and chunks: `,"provider":"X"`
    std::string choice_extra;  // inside a choice that ends
    std::string stream_lead;   // comment lines before the first event
    std::string whole_lead;    // before an unstreamed body
    std::string reasoning_field = "reasoning";
    std::string stream_error;           // data of an event that reports a failure
    Headers headers;                    // of every answer
    Headers limit_headers;              // of a 429, with its hint
    bool usage_in_finish_chunk = true;  // else in a chunk without choices
    bool nulls_in_choices = true;       // finish_reason and logprobs before the end
    bool tools_in_finish_chunk = false;
    bool tool_index = true;
    std::string (*usage)(const AccentUsage& usage) = nullptr;
    std::string (*error)(int status, std::string_view message) = nullptr;

    // What it does not take. `only`: a closed list of top-level fields.
    std::vector<std::string_view> only;
    std::vector<std::string_view> refused;
    std::vector<std::string_view> refused_in_messages;
    bool developer_role = false;
    bool image_urls = true;
    int refusal_status = 400;
};

// Null for a path without `/as/<name>/` and for an unknown name.
const Accent* AccentOfPath(std::string_view path);

// The sentence of a refusal, empty when the request is acceptable.
std::string AccentRefuses(const Accent& accent, const rapidjson::Value& request);

// A sentence as providers use it for a status.
std::string AccentMessage(int status, std::string_view model);

}  // namespace aim::testing
