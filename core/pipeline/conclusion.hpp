#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/pipeline/progress.hpp"
#include "core/routing/chooser.hpp"

namespace aim::pipeline {

// How a prompt ends that no model answered, in the words and codes of contract.md. Pure: nothing
// but the progress is looked at or changed.

// Refused before anything was tried.
Error Overloaded();
Error LedgerFull();
Error ModelNotFound(std::string_view name);

// Given up on the way.
Error ClientLeft();

// Nothing (more) can be chosen: `choice` says why.
void ConcludeWithoutCandidate(const routing::Choice& choice, Progress& progress);

// The request's time is over.
void ConcludeDeadline(Progress& progress);

// The attempts are used up, or the last failure forbids another one.
void ConcludeFailure(Progress& progress);

}  // namespace aim::pipeline
