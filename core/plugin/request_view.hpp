#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aim/abi/chat_request.h"
#include "core/completion/chat_request.hpp"

namespace aim::plugin {

// A ChatRequest as a plugin sees it (aim_chat_request), for one attempt at one model. Lives from
// begin() until begin() has returned; borrows everything.
class RequestView {
  public:
    // `model` is the model as the provider calls it, `model_json` the same as a JSON string with
    // its quotes.
    RequestView(const completion::ChatRequest& request, std::string_view model,
                std::string_view model_json, std::string_view endpoint);
    RequestView(const RequestView&) = delete;
    RequestView& operator=(const RequestView&) = delete;

    const aim_chat_request* get() const { return &view_; }

  private:
    std::string json_;
    std::vector<aim_chat_message> messages_;
    aim_chat_request view_{};
};

}  // namespace aim::plugin
