#include "core/pipeline/conclusion.hpp"

#include <string>
#include <utility>

#include "core/resilience/attempt_policy.hpp"

namespace aim::pipeline {
namespace {

Error MakeError(ErrorKind kind, std::string_view code, std::string message) {
    Error error;
    error.kind = kind;
    error.code = code;
    error.message = std::move(message);
    return error;
}

void DescribeAttempts(CompletionResult& result) {
    result.context_json = "{\"attempts\":";
    dialect::AppendAttempts(result.attempts, result.context_json);
    result.context_json.push_back('}');
}

}  // namespace

Error Overloaded() {
    return MakeError(ErrorKind::kOverloaded, "overloaded",
                     "The gateway works on as many prompts as it may; try again shortly.");
}

Error LedgerFull() {
    return MakeError(ErrorKind::kOverloaded, "ledger_full",
                     "The ledger is full because the data API has been away for too long; no new "
                     "prompts are taken.");
}

Error ModelNotFound(std::string_view name) {
    Error error =
        MakeError(ErrorKind::kModelNotFound, "model_not_found",
                  "There is no active model named '" + std::string(name.substr(0, 100)) + "'.");
    error.field = "model";
    return error;
}

Error ClientLeft() { return MakeError(ErrorKind::kCancelled, "cancelled", "The client left."); }

void ConcludeWithoutCandidate(const routing::Choice& choice, Progress& progress) {
    CompletionResult& result = progress.result;
    if (!result.attempts.empty()) {
        if (choice.soonest &&
            (!progress.smallest_retry_after || *choice.soonest < *progress.smallest_retry_after)) {
            progress.smallest_retry_after = choice.soonest;
        }
        return ConcludeFailure(progress);
    }
    result.candidate = nullptr;
    if (choice.soonest) {
        Error error = MakeError(ErrorKind::kRateLimited, "rate_limited",
                                "Every usable model is resting; try again later.");
        error.retry_after = choice.soonest;
        result.error = std::move(error);
    } else if (choice.incapable) {
        result.error = MakeError(ErrorKind::kUnsupported, "unsupported",
                                 "No usable model can do what the request asks for.");
    } else if (choice.unusable != nullptr) {
        result.error = MakeError(ErrorKind::kOverloaded, "no_model_available",
                                 "The model '" + choice.unusable->row->name + "' cannot be used: " +
                                     choice.unusable->unavailable_reason + ".");
    } else {
        result.error = MakeError(ErrorKind::kOverloaded, "no_model_available",
                                 "No model is active and configured at the moment.");
    }
}

void ConcludeDeadline(Progress& progress) {
    CompletionResult& result = progress.result;
    result.error = MakeError(ErrorKind::kUpstreamTimeout, "deadline_exceeded",
                             "No model answered in the time of the request.");
    if (result.attempts.empty()) return;
    DescribeAttempts(result);
    // After several we have done what the caller's library would do.
    result.should_retry = result.attempts.size() == 1;
}

void ConcludeFailure(Progress& progress) {
    CompletionResult& result = progress.result;
    const Error last = progress.last_error.value_or(
        MakeError(ErrorKind::kInternal, "internal", "No attempt was made."));
    const resilience::FailureRule& rule = resilience::RuleFor(last.kind);
    if (last.code == "deadline_exceeded") return ConcludeDeadline(progress);
    DescribeAttempts(result);
    if (progress.all_rate_limited) {
        Error error =
            MakeError(ErrorKind::kRateLimited, "rate_limited",
                      "Every usable model is rate limited by its provider; try again later.");
        error.retry_after = progress.smallest_retry_after;
        result.error = std::move(error);
        return;
    }
    if (rule.http_status == 400) {
        // The caller's own: the provider's words are what helps.
        Error error = MakeError(last.kind, rule.error_code, last.message);
        error.field = last.field;
        result.error = std::move(error);
        result.context_json.clear();
        return;
    }
    if (last.kind == ErrorKind::kContentFiltered) {
        // Of vectors only: a chat is answered with the finish reason.
        result.error = MakeError(last.kind, "invalid_request", last.message);
        result.error->field = "input";
        result.context_json.clear();
        return;
    }
    result.should_retry = false;
    result.error = MakeError(last.kind, "all_models_failed",
                             "All models that were tried failed; the last one: " +
                                 std::string(ErrorKindName(last.kind)) + ".");
}

}  // namespace aim::pipeline
