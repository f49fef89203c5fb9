#pragma once

#include "core/http/handler.hpp"
#include "services/data_api/handlers/api_context.hpp"

namespace aim::data_api {

// The calls under /prompts/history (= /history). Thread-safe.
class HistoryHandlers {
  public:
    explicit HistoryHandlers(const ApiContext& context) : context_(context) {}

    http::Response List(const http::Request& request) const;
    // 201 with the row; 200 with the row that is there when the id is known already.
    http::Response Store(const http::Request& request) const;

  private:
    const ApiContext& context_;
};

}  // namespace aim::data_api
