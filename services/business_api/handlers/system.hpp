#pragma once

#include <atomic>

#include "core/http/router.hpp"
#include "core/ledger/delivery.hpp"
#include "core/pipeline/catalogue_keeper.hpp"
#include "core/plugin/registry.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::business_api {

// What /ready looks at. The references outlive the router.
struct Readiness {
    const pipeline::CatalogueKeeper& catalogue;
    const plugin::Registry& plugins;
    const ledger::Journal& ledger;
    const ledger::Delivery& delivery;
    const std::atomic<bool>& draining;
};

// GET /health, /ready, /metrics.
void AddSystemRoutes(http::Router& router, const Readiness& readiness,
                     const telemetry::Metrics& metrics);

}  // namespace aim::business_api
