#include "core/plugin/call_budget.hpp"

#include <sys/resource.h>

namespace aim::plugin {
namespace {

constexpr std::size_t kInputUnit = 64 * 1024;
constexpr std::chrono::microseconds kSlow{5'000};
constexpr std::chrono::microseconds kBreach{50'000};
constexpr std::chrono::microseconds kHopeless{1'000'000};

std::chrono::microseconds Of(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

CallBudget CallBudget::For(std::size_t input_bytes) {
    const auto units = static_cast<std::int64_t>(1 + input_bytes / kInputUnit);
    return {kSlow * units, kBreach * units, kHopeless * units};
}

ThreadUsage ThreadUsage::Now() {
    struct rusage usage {};
    ThreadUsage now;
    if (::getrusage(RUSAGE_THREAD, &usage) != 0) return now;
    now.processor = Of(usage.ru_utime) + Of(usage.ru_stime);
    now.own_waits = usage.ru_nvcsw;
    return now;
}

CallVerdict JudgeCall(const CallBudget& budget, std::chrono::nanoseconds took,
                      const std::optional<ThreadUsage>& before,
                      const std::optional<ThreadUsage>& after) {
    if (took < budget.slow) return CallVerdict::kFine;
    if (took >= budget.hopeless) return CallVerdict::kBreach;
    if (took < budget.breach || !before || !after) return CallVerdict::kSlow;
    const bool computed = after->processor - before->processor >= budget.breach;
    const bool waited = after->own_waits > before->own_waits;
    return computed || waited ? CallVerdict::kBreach : CallVerdict::kSlow;
}

}  // namespace aim::plugin
