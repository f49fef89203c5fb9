#pragma once

#include <span>

namespace aim::gateway {

// Where a case's provider is.
enum class Place {
    kFake,        // the fake provider; `script` is its step
    kMock,        // the mock plugin; `script` is the row's settings
    kRefused,     // a port where nobody listens
    kNoName,      // a host name that nobody resolves
    kUntrusted,   // TLS with a certificate of an authority that the gateway does not know
    kTlsToPlain,  // https:// to a server without TLS
    kPlainToTls,  // http:// to a server with TLS
    kFull,        // a listening socket whose queue is full: connects are never answered
};

// One way in which a provider fails, and what must follow: a row of core/docs/failure_policy.md.
struct PolicyCase {
    const char* name;
    Place place;
    const char* script;
    // The row's settings: of those that are asked unstreamed, and of those that are asked streamed.
    const char* whole_settings;
    const char* stream_settings;
    const char* outcome;  // unstreamed
    const char* streamed_outcome;
    int status;  // of the answer when there is no fallback
    const char* code;
    const char* state;   // of the model after one such failure
    bool falls_back;     // before content
    bool after_content;  // streamed, content was sent before it failed
};

std::span<const PolicyCase> PolicyCases();

}  // namespace aim::gateway
