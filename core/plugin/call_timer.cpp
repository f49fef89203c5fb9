#include "core/plugin/call_timer.hpp"

#include <string>

#include "core/plugin/call_site.hpp"

namespace aim::plugin {

CallTimer::CallTimer(Conduct* conduct, const Clock& clock, std::size_t input_bytes)
    : conduct_(conduct), clock_(clock), input_bytes_(input_bytes), started_(clock.Now()) {
    if (conduct_ != nullptr && conduct_->IsWatched(started_)) before_ = ThreadUsage::Now();
    CallSite::OfThisThread().Enter(conduct_);
}

CallVerdict CallTimer::Judge() {
    CallSite::OfThisThread().Leave();
    const MonotonicTime ended = clock_.Now();
    took_ = ended - started_;
    const CallBudget budget = CallBudget::For(input_bytes_);
    if (took_ < budget.slow || conduct_ == nullptr) return CallVerdict::kFine;
    std::optional<ThreadUsage> after;
    if (before_) after = ThreadUsage::Now();
    const std::string detail =
        "a call took " +
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took_).count()) +
        " ms for " + std::to_string(input_bytes_) + " bytes of input";
    conduct_->CountSlowCall(detail);
    if (took_ >= budget.breach) conduct_->Watch(ended);
    const CallVerdict verdict = JudgeCall(budget, took_, before_, after);
    if (verdict == CallVerdict::kBreach) conduct_->Count(Misbehaviour::kOverBudget, detail);
    return verdict;
}

}  // namespace aim::plugin
