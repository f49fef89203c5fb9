#include "core/resilience/attempt_policy.hpp"

#include <set>

#include <gtest/gtest.h>

namespace aim::resilience {
namespace {

TEST(AttemptPolicy, TheCallersFaultChangesNoRatingAndNoBreaker) {
    const std::set<ErrorKind> callers = {ErrorKind::kInvalidRequest, ErrorKind::kContentFiltered,
                                         ErrorKind::kContextTooLong, ErrorKind::kCancelled,
                                         ErrorKind::kUnsupported};
    for (const FailureRule& rule : kFailurePolicy) {
        EXPECT_EQ(rule.counts_for_rating, !callers.contains(rule.kind)) << ErrorKindName(rule.kind);
        if (callers.contains(rule.kind)) {
            EXPECT_FALSE(rule.breaker_counts) << ErrorKindName(rule.kind);
            EXPECT_EQ(rule.action, ModelAction::kNone) << ErrorKindName(rule.kind);
        }
    }
}

TEST(AttemptPolicy, EachFailureMovesTheModelInOneWay) {
    const std::set<ErrorKind> parked = {ErrorKind::kUnauthenticated, ErrorKind::kForbidden,
                                        ErrorKind::kQuotaExhausted, ErrorKind::kModelNotFound};
    const std::set<ErrorKind> breaking = {ErrorKind::kOverloaded, ErrorKind::kUpstreamFailure,
                                          ErrorKind::kUpstreamTimeout, ErrorKind::kProtocolError};
    for (const FailureRule& rule : kFailurePolicy) {
        EXPECT_EQ(rule.action == ModelAction::kPark, parked.contains(rule.kind))
            << ErrorKindName(rule.kind);
        EXPECT_EQ(rule.breaker_counts, breaking.contains(rule.kind)) << ErrorKindName(rule.kind);
        EXPECT_EQ(rule.action == ModelAction::kCoolDown, rule.kind == ErrorKind::kRateLimited);
        EXPECT_EQ(rule.action == ModelAction::kPluginStrike, rule.kind == ErrorKind::kInternal);
    }
}

TEST(AttemptPolicy, WhatEndsThePromptAndWithWhichAnswer) {
    EXPECT_EQ(RuleFor(ErrorKind::kInvalidRequest).fallback, Fallback::kNo);
    EXPECT_EQ(RuleFor(ErrorKind::kInvalidRequest).http_status, 400);
    EXPECT_EQ(RuleFor(ErrorKind::kContentFiltered).fallback, Fallback::kNo);
    EXPECT_EQ(RuleFor(ErrorKind::kContentFiltered).http_status, 200);
    EXPECT_EQ(RuleFor(ErrorKind::kContextTooLong).fallback, Fallback::kLargerWindow);
    EXPECT_EQ(RuleFor(ErrorKind::kContextTooLong).error_code, "context_too_long");
    EXPECT_EQ(RuleFor(ErrorKind::kCancelled).http_status, 499);
    EXPECT_EQ(RuleFor(ErrorKind::kRateLimited).http_status, 429);
    EXPECT_EQ(RuleFor(ErrorKind::kRateLimited).error_code, "rate_limited");
    // A provider's 401 is never ours.
    EXPECT_EQ(RuleFor(ErrorKind::kUnauthenticated).http_status, 502);
    for (const FailureRule& rule : kFailurePolicy) {
        if (rule.counts_for_rating) {
            EXPECT_EQ(rule.fallback, Fallback::kYes) << ErrorKindName(rule.kind);
        }
    }
}

TEST(AttemptPolicy, RuleForFindsTheKindAndSurvivesAnyInteger) {
    for (const FailureRule& rule : kFailurePolicy) EXPECT_EQ(&RuleFor(rule.kind), &rule);
    for (const int value : {0, -1, 16, 1000000})
        EXPECT_EQ(RuleFor(static_cast<ErrorKind>(value)).kind, ErrorKind::kInternal);
}

}  // namespace
}  // namespace aim::resilience
