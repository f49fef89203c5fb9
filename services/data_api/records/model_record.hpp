#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/completion/model_record.hpp"
#include "core/json/value.hpp"
#include "core/json/writer.hpp"
#include "core/rating/reliability.hpp"

namespace aim::data_api {

// A row of ai_models as it is read: the record that all services know, and what only the data API
// shows.
struct ModelRow {
    completion::ModelRecord record;
    WallTime updated_at{};
    std::optional<std::string> api_key_ciphertext;  // Base64
    std::optional<std::string> api_key_key_id;
};

// A row's own key as it is stored.
struct SealedKey {
    std::string ciphertext;  // bytes
    std::string key_id;      // of the master key
};

// What a caller may set. An outer optional that is empty means "not given"; an inner one that is
// empty means null.
struct ModelChange {
    std::optional<std::string> name;
    std::optional<std::string> provider;
    std::optional<std::string> endpoint;
    std::optional<std::string> upstream_model;
    std::optional<bool> is_active;
    std::optional<std::string> settings;        // JSON object text of the members to set
    std::vector<std::string> removed_settings;  // members that were given as null
    std::optional<std::optional<std::int64_t>> context_window;
    std::optional<std::optional<std::vector<std::string>>> capabilities;
    std::optional<std::optional<std::string>> input_price_per_million;
    std::optional<std::optional<std::string>> output_price_per_million;
    std::optional<std::optional<SecretString>> api_key;  // as it was given; never stored so
    std::optional<SealedKey> sealed_key;                 // what is stored, when there is one
};

// Reads the body of POST /models and PATCH /models/{id}. Every error names its field; unknown
// fields and those that only the service writes are errors. `api_key` is for the caller to seal.
Result<ModelChange> ReadModelChange(json::Value body);

// What POST needs beyond that: name and provider.
Result<void> CheckNewModel(const ModelChange& change);

// A row's counters, for the formula.
rating::Counters CountersOf(const completion::ModelRecord& record);

// Best first: by score, then fewest requests, then name.
void SortBestFirst(std::vector<ModelRow>& rows);

// Contract.md's model. `with_ciphertext` adds the two fields of the encrypted key.
void WriteModel(json::Writer& writer, const ModelRow& row, bool with_ciphertext = false);

// Contract.md's stats of a model; needs record.last_24h_requests.
void WriteModelStats(json::Writer& writer, const ModelRow& row);

// A non-negative decimal number as PostgreSQL's numeric takes it: 1 to 20 digits, and as many
// behind a point.
bool IsDecimal(std::string_view text);

}  // namespace aim::data_api
