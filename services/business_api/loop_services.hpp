#pragma once

#include <memory>

#include "core/base/loop.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/http/client/asio_client.hpp"
#include "core/pipeline/completion_service.hpp"
#include "services/business_api/upstream_metrics.hpp"

namespace aim::business_api {

// What one engine loop works with: its own upstream connections and its own pipeline. Made and
// released on the loop.
class LoopServices {
  public:
    LoopServices(Loop& loop, std::shared_ptr<http::client::Resolver> resolver,
                 std::shared_ptr<const http::client::TlsContext> tls,
                 const http::client::ClientOptions& client_options,
                 pipeline::PipelineShared& shared, const http::Url& data_api,
                 const SecretString& data_api_token, UpstreamMetrics& upstream_metrics);

    Loop& loop() { return loop_; }
    http::client::AsioClient& client() { return client_; }
    pipeline::CompletionService& completions() { return completions_; }
    // For pages that show what only the database knows; never for a prompt.
    data_client::DataApiClient& data_api() { return data_api_; }

  private:
    Loop& loop_;
    http::client::AsioClient client_;
    const UpstreamMetrics::Member client_figures_;
    pipeline::CompletionService completions_;
    data_client::DataApiClient data_api_;
};

}  // namespace aim::business_api
