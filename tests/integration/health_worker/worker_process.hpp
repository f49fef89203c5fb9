#pragma once

#include <string>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::gateway {

// A running health worker, beside the stack's business API on the same AIM_STATE_DIR.
class Worker {
  public:
    // Does not wait for anything. `more` overrides the defaults: an interval of an hour, the
    // stack's provider key, port 0.
    Worker(const std::filesystem::path& state, std::uint16_t data_api_port,
           const Environment& more = {});

    // Waits until it listens; 0 when it does not.
    std::uint16_t Port();
    ProcessFixture& process() { return process_; }
    std::string output() const { return process_.output(); }

    // The log lines of that event so far, in order.
    std::vector<json::Document> Events(std::string_view event) const;
    // Waits for so many rounds to be over.
    bool AwaitRounds(std::size_t count);
    // The line about the model; empty when there is none.
    json::Document Line(std::string_view event, std::string_view model) const;

  private:
    ProcessFixture process_;
};

}  // namespace aim::gateway
