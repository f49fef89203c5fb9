// The host's side of aim_chat_request and aim_embeddings_request: the parsed fields beside the
// JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aim/abi/aim_abi.h"

namespace aim::plugin_driver {

class RequestView final {
  public:
    // Throws std::invalid_argument when `json` is not a JSON object.
    RequestView(std::string json, std::string endpoint);
    RequestView(const RequestView&) = delete;
    RequestView& operator=(const RequestView&) = delete;

    const aim_chat_request* Raw() const { return &raw_; }

  private:
    struct Message {
        aim_chat_message raw{};
        std::string text;
        std::string tool_call_id;
    };

    std::string json_;
    std::string endpoint_;
    std::string model_;
    std::vector<Message> messages_;
    aim_chat_request raw_{};
};

class EmbeddingsView final {
  public:
    // Throws std::invalid_argument when `json` is not a JSON object.
    EmbeddingsView(std::string json, std::string endpoint);
    EmbeddingsView(const EmbeddingsView&) = delete;
    EmbeddingsView& operator=(const EmbeddingsView&) = delete;

    const aim_embeddings_request* Raw() const { return &raw_; }

  private:
    std::string json_;
    std::string endpoint_;
    std::string model_;
    std::vector<std::string> texts_;
    aim_embeddings_request raw_{};
};

}  // namespace aim::plugin_driver
