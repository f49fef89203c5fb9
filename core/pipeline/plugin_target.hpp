#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/secret_string.hpp"
#include "core/http/client/host_policy.hpp"
#include "core/plugin/plugin_set.hpp"
#include "core/plugin/provider_object.hpp"
#include "core/plugin/session_driver.hpp"
#include "core/routing/candidate.hpp"

namespace aim::pipeline {

// The secrets of one candidate, and where they may go. A secret from the environment goes to the
// plugin's hosts, to loopback and to SECRET_HOSTS; a row's own key may go where its row says.
// Immutable.
class CandidateSlots final : public plugin::HeaderSlots {
  public:
    struct Slot {
        SecretString value;
        bool own_key = false;  // the row's own, or no secret at all: may go wherever the row says
        bool secret = true;
    };

    CandidateSlots(std::map<std::string, Slot, std::less<>> slots, http::client::HostPolicy policy)
        : slots_(std::move(slots)), policy_(std::move(policy)) {}

    Result<std::string> Fill(std::string_view value_template, const http::Url& url) const override;

    // Takes the values of secrets out of a provider's words: some echo the key that they refuse.
    void Redact(std::string& text) const;

  private:
    std::map<std::string, Slot, std::less<>> slots_;
    http::client::HostPolicy policy_;
};

// What a candidate is played on: the provider objects of a plugin's generation, one for each
// interface that the candidate may be asked for. Immutable; shared by all loops.
struct PluginTarget final : routing::CandidateTarget {
    plugin::GenerationPtr generation;
    std::shared_ptr<const plugin::ChatProvider> provider;          // null: it does not chat
    std::shared_ptr<const plugin::EmbeddingsProvider> embeddings;  // null: it does not embed
    std::string model_json;  // upstream_model as a JSON string
    std::string endpoint;
    std::unique_ptr<const CandidateSlots> slots;
};

}  // namespace aim::pipeline
