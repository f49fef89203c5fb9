#pragma once

#include <optional>

#include "core/plugin/handshake.hpp"
#include "core/plugin/refusal.hpp"

namespace aim::cli {

// The tests of the conformance suite that are quick enough for every load. The plugin is
// initialised. Nullopt when all pass, else probe_failed with the name of the test and what was
// expected.
std::optional<plugin::Refusal> RunSmokeTests(const plugin::Introduction& introduction,
                                             const plugin::PluginInterfaces& interfaces);

}  // namespace aim::cli
