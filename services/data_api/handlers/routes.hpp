#pragma once

#include "core/http/router.hpp"
#include "services/data_api/handlers/history_handlers.hpp"
#include "services/data_api/handlers/key_handlers.hpp"
#include "services/data_api/handlers/ledger_handler.hpp"
#include "services/data_api/handlers/model_handlers.hpp"
#include "services/data_api/handlers/service_handlers.hpp"

namespace aim::data_api {

// The data API's calls, each at its path and under /api/v1. The handlers outlive the router.
void AddRoutes(http::Router& router, const ModelHandlers& models, const HistoryHandlers& history,
               const LedgerHandler& ledger, const KeyHandlers& keys,
               const ServiceHandlers& service);

}  // namespace aim::data_api
