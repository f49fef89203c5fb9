#pragma once

#include <string>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

// A real nginx with the configuration that is deployed, in front of the given ports of 127.0.0.1.
class Nginx {
  public:
    // Throws when it does not answer.
    explicit Nginx(const std::vector<std::uint16_t>& business_ports);
    // In order: killed, it would leave its workers behind.
    ~Nginx() { service_.process->Terminate(); }
    Nginx(const Nginx&) = delete;
    Nginx& operator=(const Nginx&) = delete;

    const Service& service() const { return service_; }
    HttpTestClient Client() const { return service_.Client(); }
    // The rendered configuration; the lines of the access log that contain `text`.
    std::string Configuration() const;
    std::vector<std::string> LogLines(const std::string& text) const;
    std::string Errors() const { return service_.process->output(); }

  private:
    TemporaryFolder folder_;
    Service service_;
};

}  // namespace aim::gateway
