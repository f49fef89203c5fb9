#pragma once

#include <chrono>
#include <cstddef>

#include "core/routing/candidate.hpp"

namespace aim::pipeline {

enum class MockInAuto { kAuto, kAlways, kNever };

// What becomes of an attempt whose client has left.
enum class OnDisconnect { kCancel, kDrain };

// What every prompt has, and only a benchmark leaves out, to measure its cost. No variable names
// it.
struct Features {
    bool authentication = true;  // without: every caller is nobody, and nobody is refused
    bool ledger = true;          // without: no outcome and no history is kept
    bool metrics = true;         // without: what is counted for each request stays at 0
};

// How prompts are worked on (contract.md, "Variables and defaults"). Immutable after start.
struct Settings {
    std::chrono::milliseconds request_timeout{120000};
    int max_attempts = 4;
    std::chrono::milliseconds stream_max{600000};
    routing::AttemptTimeouts timeouts;
    std::chrono::milliseconds early_stream_head{0};  // 0 = never before content
    std::chrono::milliseconds stream_comment{10000};
    OnDisconnect on_disconnect = OnDisconnect::kCancel;
    // Draining goes on for at most the attempt's own time, for so many attempts at once in the
    // process, and for so much more text; beyond any of these it is a cancel.
    std::size_t max_drains = 256;
    std::size_t drain_text_bytes = 4u * 1024 * 1024;
    std::size_t max_in_flight = 10000;
    MockInAuto mock_in_auto = MockInAuto::kAuto;
    std::size_t history_text_max = 256 * 1024;
    // The longest that a request waits, in all, for models which are cooling down.
    std::chrono::milliseconds longest_wait{10000};
    Features features;
};

}  // namespace aim::pipeline
