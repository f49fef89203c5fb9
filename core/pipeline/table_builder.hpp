#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/uuid.hpp"
#include "core/completion/model_record.hpp"
#include "core/config/environment.hpp"
#include "core/pipeline/plugin_target.hpp"
#include "core/pipeline/settings.hpp"
#include "core/plugin/plugin_set.hpp"
#include "core/routing/candidate.hpp"
#include "core/routing/model_states.hpp"
#include "core/security/master_key.hpp"
#include "core/telemetry/log.hpp"

namespace aim::pipeline {

using ModelRecordPtr = std::shared_ptr<const completion::ModelRecord>;

// Joins the rows of the catalogue with the plugins and the operator's settings. A row whose plugin
// is not there, whose settings are incomplete or refused stays in the table, marked so. Keeps the
// provider objects of rows that have not changed, so that a refresh costs nothing. One thread.
class TableBuilder {
  public:
    struct Options {
        const config::Environment& environment;
        std::vector<std::string> secret_hosts;
        routing::AttemptTimeouts timeouts;
        plugin::ChatProvider::LoaderPost post_to_loader;
        // Decrypt the rows' own keys; empty = such rows are not configured.
        security::MasterKeyRing master_keys = {};
        // Told of every key that was decrypted, so that no log shows it.
        std::function<void(const SecretString&)> on_secret = nullptr;
    };

    TableBuilder(Options options, routing::ModelStates& states, const Clock& clock,
                 telemetry::Logger& logger);

    std::shared_ptr<const routing::RoutingTable> Build(const std::vector<ModelRecordPtr>& rows,
                                                       const plugin::PluginSet& plugins);

  private:
    struct Played;

    routing::Candidate Join(const ModelRecordPtr& row, const plugin::PluginSet& plugins);
    std::shared_ptr<const PluginTarget> Target(const ModelRecordPtr& row, const Played& played,
                                               std::string& reason);
    bool ReadOwnKey(const completion::ModelRecord& row, SecretString& key, std::string& problem);
    void ReadTimeouts(const completion::ModelRecord& row, routing::AttemptTimeouts& timeouts) const;

    Options options_;
    routing::ModelStates& states_;
    const Clock& clock_;
    telemetry::Logger& logger_;

    struct Kept {
        std::string fingerprint;
        std::uint64_t generation = 0;
        std::shared_ptr<const PluginTarget> target;
        std::string reason;
    };
    std::unordered_map<Uuid, Kept> kept_;
    // What was wrong with a row's own key when it was last said.
    std::unordered_map<Uuid, std::string> key_problems_;
};

// True when the two rows differ in more than their counters.
bool DiffersInShape(const completion::ModelRecord& a, const completion::ModelRecord& b);

}  // namespace aim::pipeline
