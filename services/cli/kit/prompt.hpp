#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aim/abi/chat_request.h"
#include "core/completion/chat_request.hpp"
#include "services/cli/kit/host_memory.hpp"

namespace aim::cli::kit {

// A request as a client would send it, read by the gateway's own reader. Immutable.
class Prompt {
  public:
    static constexpr std::string_view kModel = "kit-model";

    // `body` is the JSON of POST /v1/chat/completions; throws std::invalid_argument when the
    // gateway would refuse it.
    Prompt(std::string name, std::string_view body);

    const std::string& name() const { return name_; }
    bool streams() const { return request_.stream; }
    // The canonical JSON, as a plugin gets it.
    const std::string& json() const { return json_; }
    const completion::ChatRequest& request() const { return request_; }

    // The table for begin(), alive as long as `memory` and this object.
    const aim_chat_request* Show(HostMemory& memory, std::string_view endpoint) const;

  private:
    std::string name_;
    completion::ChatRequest request_;
    std::string json_;
};

// `{"model":…,"messages":[one user message]}`, whole or streamed.
const Prompt& MinimalPrompt(bool stream);

// Requests of every shape, the minimal ones first; each once whole and once streamed.
const std::vector<Prompt>& AllPrompts();

}  // namespace aim::cli::kit
