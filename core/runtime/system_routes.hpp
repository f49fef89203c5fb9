#pragma once

#include <atomic>
#include <string_view>

#include "core/http/router.hpp"
#include "core/ledger/delivery.hpp"
#include "core/pipeline/catalogue_keeper.hpp"
#include "core/plugin/registry.hpp"
#include "core/runtime/loop_watchdog.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::runtime {

// What /ready looks at. The references outlive the router.
struct Readiness {
    const pipeline::CatalogueKeeper& catalogue;
    const plugin::Registry& plugins;
    const ledger::Journal& ledger;
    const ledger::Delivery& delivery;
    const LoopWatchdog& watchdog;
    const std::atomic<bool>& draining;
};

// GET /health, /ready, /metrics of the service with that name: plain handlers, open to everybody.
void AddSystemRoutes(http::Router& router, std::string_view service, const Readiness& readiness,
                     const telemetry::Metrics& metrics);

}  // namespace aim::runtime
