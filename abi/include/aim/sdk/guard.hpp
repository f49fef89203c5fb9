// The wall that no exception passes: every function in a plugin's tables runs inside Guard, and
// what is thrown becomes an internal error and the failing result. An exception that left a plugin
// would end the host (two C++ runtimes may be in one process).
#ifndef AIM_SDK_GUARD_HPP
#define AIM_SDK_GUARD_HPP

#include <cstdint>
#include <exception>
#include <string_view>

#include "aim/sdk/session.hpp"

namespace aim::sdk {

namespace detail {

inline void ReportThrown(const Call& call, const char* what) noexcept {
    try {
        call.Fail({ErrorKind::kInternal, what, "plugin_exception", {}});
    } catch (...) {  // the host's sink does not throw; if it did, the result still says failed
    }
}

}  // namespace detail

// Runs body(const Call&), which returns an int32_t. Fails closed: AIM_FAILED and AIM_STEP_FAILED
// are the same number. A body that failed without telling why gets a reason, so that the host has
// one.
template <typename Body>
std::int32_t Guard(const aim_call* raw, Body&& body) noexcept {
    static_assert(AIM_FAILED == AIM_STEP_FAILED, "one value fails closed for both");
    if (raw == nullptr || raw->sink == nullptr) {
        return AIM_FAILED;
    }
    const Call call(raw);
    try {
        const std::int32_t result = body(call);
        if (result < 0 && !call.Failed()) {
            detail::ReportThrown(call, "the plugin failed without giving a reason");
        }
        return result;
    } catch (const std::exception& error) {
        detail::ReportThrown(call, error.what());
    } catch (...) {
        detail::ReportThrown(call, "the plugin threw something that is no std::exception");
    }
    return AIM_FAILED;
}

// For functions that return nothing and have no sink.
template <typename Body>
void GuardVoid(Body&& body) noexcept {
    try {
        body();
    } catch (...) {  // a destructor that throws has nobody to tell
    }
}

}  // namespace aim::sdk

#endif  // AIM_SDK_GUARD_HPP
