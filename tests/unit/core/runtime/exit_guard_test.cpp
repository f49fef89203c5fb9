#include "core/runtime/exit_guard.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace aim::runtime {
namespace {

using std::chrono::milliseconds;

telemetry::LogOptions ToStandardError() {
    telemetry::LogOptions options;
    options.service = "guarded";
    options.file_descriptor = STDERR_FILENO;
    return options;
}

TEST(ExitGuard, WhatEndsInTimeIsLeftAlone) {
    telemetry::JsonLineLogger logger(ToStandardError());
    ExitGuard idle(logger);
    ExitGuard armed(logger);
    armed.Arm(std::chrono::hours(1));
}

TEST(ExitGuardDeathTest, WhatGetsStuckIsEndedWithALine) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            telemetry::JsonLineLogger logger(ToStandardError());
            ExitGuard guard(logger);
            guard.Arm(milliseconds(50));
            for (;;) ::pause();
        },
        ::testing::ExitedWithCode(ExitGuard::kExitStatus), "\"event\":\"exit_forced\"");
}

}  // namespace
}  // namespace aim::runtime
