#include "services/business_api/loop_services.hpp"

#include <utility>

namespace aim::business_api {

LoopServices::LoopServices(Loop& loop, std::shared_ptr<http::client::Resolver> resolver,
                           std::shared_ptr<const http::client::TlsContext> tls,
                           const http::client::ClientOptions& client_options,
                           pipeline::PipelineShared& shared, const http::Url& data_api,
                           const SecretString& data_api_token, UpstreamMetrics& upstream_metrics)
    : loop_(loop),
      client_(loop.context(), loop.timers(), std::move(resolver), std::move(tls), client_options),
      client_figures_(upstream_metrics, client_.stats()),
      completions_(shared, client_, loop.timers()),
      data_api_(client_, loop.timers(), data_api, data_api_token) {}

}  // namespace aim::business_api
