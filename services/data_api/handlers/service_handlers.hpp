#pragma once

#include <functional>
#include <string>

#include "core/http/handler.hpp"
#include "core/telemetry/metrics.hpp"

namespace aim::data_api {

// What /ready reports.
struct Readiness {
    bool database_up = false;
    std::string database_detail;
    bool migrations_applied = false;
    bool draining = false;
};

// /health, /ready and /metrics. None of them asks the database: they answer from what the
// supervisor found out last. Thread-safe.
class ServiceHandlers {
  public:
    ServiceHandlers(std::function<Readiness()> readiness, const telemetry::Metrics& metrics,
                    std::string version)
        : readiness_(std::move(readiness)), metrics_(metrics), version_(std::move(version)) {}

    http::Response Health() const;
    http::Response Ready() const;
    http::Response MetricsPage() const;

  private:
    std::function<Readiness()> readiness_;
    const telemetry::Metrics& metrics_;
    std::string version_;
};

}  // namespace aim::data_api
