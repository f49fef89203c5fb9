#pragma once

#include "core/http/handler.hpp"
#include "core/telemetry/counter.hpp"
#include "services/data_api/handlers/api_context.hpp"

namespace aim::data_api {

// What became of the ledger's records since the start. The owner outlives the handler.
struct LedgerCounters {
    telemetry::Counter& applied;
    telemetry::Counter& duplicates;
    telemetry::Counter& rejected;
};

// POST /ledger. Thread-safe.
class LedgerHandler {
  public:
    LedgerHandler(const ApiContext& context, const LedgerCounters& counters)
        : context_(context), counters_(counters) {}

    http::Response Apply(const http::Request& request) const;

  private:
    const ApiContext& context_;
    LedgerCounters counters_;
};

}  // namespace aim::data_api
