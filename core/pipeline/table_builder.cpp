#include "core/pipeline/table_builder.hpp"

#include <optional>
#include <unordered_set>
#include <utility>

#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "core/security/encoding.hpp"

namespace aim::pipeline {
namespace {

using routing::Availability;

constexpr std::string_view kMock = "mock";

// A row for nothing but embeddings says so; one that says nothing may be for anything.
bool IsForEmbeddingsOnly(const completion::ModelRecord& row) {
    return row.capabilities && row.capabilities->size() == 1 &&
           row.capabilities->front() == "embeddings";
}
bool MayEmbed(const completion::ModelRecord& row) {
    return (routing::CapabilityBits(row.capabilities) & routing::kEmbeddings) != 0;
}

// The secret that a row's own key takes the place of: the one that the provider needs, else the
// first.
const plugin::SettingDescriptor* SettingOfKey(const plugin::Descriptor& descriptor) {
    const plugin::SettingDescriptor* first = nullptr;
    for (const plugin::SettingDescriptor& setting : descriptor.settings) {
        if (!setting.secret) continue;
        if (setting.required) return &setting;
        if (first == nullptr) first = &setting;
    }
    return first;
}

}  // namespace

// Which plugin plays a row, and with what.
struct TableBuilder::Played {
    const plugin::GenerationPtr* owner = nullptr;   // the provider's own plugin
    const plugin::GenerationPtr* player = nullptr;  // the same, or the mock
    bool by_mock = false;
    bool real_secret = false;
    std::string missing;  // the first required setting without a value
    std::map<std::string, std::string, std::less<>> values;
    std::map<std::string, CandidateSlots::Slot, std::less<>> slots;
};

bool DiffersInShape(const completion::ModelRecord& a, const completion::ModelRecord& b) {
    return a.name != b.name || a.provider != b.provider || a.endpoint != b.endpoint ||
           a.upstream_model != b.upstream_model || a.is_active != b.is_active ||
           a.settings != b.settings || a.context_window != b.context_window ||
           a.capabilities != b.capabilities ||
           a.input_price_per_million != b.input_price_per_million ||
           a.output_price_per_million != b.output_price_per_million ||
           a.has_api_key != b.has_api_key || a.api_key_ciphertext != b.api_key_ciphertext ||
           a.api_key_key_id != b.api_key_key_id;
}

TableBuilder::TableBuilder(Options options, routing::ModelStates& states, const Clock& clock,
                           telemetry::Logger& logger)
    : options_(std::move(options)), states_(states), clock_(clock), logger_(logger) {}

void TableBuilder::ReadTimeouts(const completion::ModelRecord& row,
                                routing::AttemptTimeouts& timeouts) const {
    timeouts = options_.timeouts;
    if (row.settings.size() <= 2) return;
    auto document = json::Parse(row.settings);
    if (!document) return;
    const auto read = [&](std::string_view name, std::chrono::milliseconds& value) {
        const auto number = document->root().Get(name).AsInt64();
        if (number && *number > 0 && *number <= 86'400'000)
            value = std::chrono::milliseconds(*number);
    };
    read("connect_timeout_ms", timeouts.connect);
    read("first_content_timeout_ms", timeouts.first_content);
    read("between_content_timeout_ms", timeouts.between_content);
    read("attempt_timeout_ms", timeouts.attempt);
}

bool TableBuilder::ReadOwnKey(const completion::ModelRecord& row, SecretString& key,
                              std::string& problem) {
    const auto bytes = security::Base64Decode(row.api_key_ciphertext);
    if (options_.master_keys.empty()) {
        problem = "the model has a key of its own, and MASTER_KEY is not set";
    } else if (!bytes || bytes->empty()) {
        problem =
            "the model has a key of its own, which the data API does not give out "
            "(DATA_API_TOKEN)";
    } else if (auto plain =
                   options_.master_keys.Decrypt(*bytes, row.api_key_key_id, row.id.ToString())) {
        key = std::move(*plain);
        key_problems_.erase(row.id);
        return true;
    } else {
        problem = "the model's own key cannot be decrypted: " + plain.error().message;
    }
    std::string& said = key_problems_[row.id];
    if (said != problem) {
        said = problem;
        logger_.Error("model_key_unusable", "A model's own key cannot be used",
                      {{"model", row.name}, {"provider", row.provider}, {"reason", problem}});
    }
    return false;
}

std::shared_ptr<const PluginTarget> TableBuilder::Target(const ModelRecordPtr& row,
                                                         const Played& played,
                                                         std::string& reason) {
    const plugin::GenerationPtr& generation = *played.player;
    const plugin::Descriptor& descriptor = generation->descriptor();
    const std::string& endpoint = row->endpoint.empty() && played.owner != nullptr
                                      ? (*played.owner)->descriptor().default_endpoint
                                      : row->endpoint;
    std::string fingerprint;
    for (const std::string* part :
         {&row->settings, &row->upstream_model, &endpoint, &row->api_key_ciphertext}) {
        fingerprint.append(std::to_string(part->size())).append(":").append(*part);
    }
    fingerprint.push_back(played.by_mock ? 'm' : 'p');
    const bool chats = generation->chat() != nullptr && !IsForEmbeddingsOnly(*row);
    const bool embeds = generation->embeddings() != nullptr && MayEmbed(*row);
    fingerprint.push_back(chats ? 'c' : '-');
    fingerprint.push_back(embeds ? 'e' : '-');
    Kept& kept = kept_[row->id];
    if (kept.generation == generation->number() && kept.fingerprint == fingerprint) {
        reason = kept.reason;
        return kept.target;
    }
    kept = Kept();
    kept.generation = generation->number();
    kept.fingerprint = std::move(fingerprint);
    for (const auto& [name, slot] : played.slots) {
        if (slot.own_key && slot.secret && options_.on_secret) options_.on_secret(slot.value);
    }

    const plugin::ChatProvider::SettingLookup lookup =
        [&](std::string_view name) -> std::optional<std::string> {
        const auto value = played.values.find(name);
        return value == played.values.end() ? std::nullopt
                                            : std::optional<std::string>(value->second);
    };
    auto target = std::make_shared<PluginTarget>();
    std::optional<Error> refusal;
    if (chats) {
        auto made =
            plugin::ChatProvider::Create(generation, generation->chat(), row->settings, lookup,
                                         clock_, options_.post_to_loader, generation->conduct());
        if (made) {
            target->provider = std::move(*made);
        } else {
            refusal = std::move(made.error());
        }
    }
    if (embeds && !refusal) {
        auto made = plugin::EmbeddingsProvider::Create(
            generation, generation->embeddings(), row->settings, lookup, clock_,
            options_.post_to_loader, generation->conduct());
        if (made) {
            target->embeddings = std::move(*made);
        } else {
            refusal = std::move(made.error());
        }
    }
    if (refusal) {
        kept.reason = refusal->message;
        if (!refusal->field.empty())
            kept.reason = "settings." + refusal->field + ": " + kept.reason;
        logger_.Warning(
            "model_settings_refused", "The plugin refuses a model's settings",
            {{"model", row->name}, {"provider", row->provider}, {"reason", kept.reason}});
        reason = kept.reason;
        // That verdict may change while neither the row nor the plugin's file does.
        const plugin::Conduct* const conduct = generation->conduct();
        if (conduct != nullptr && conduct->quarantined()) kept_.erase(row->id);
        return nullptr;
    }
    target->generation = generation;
    json::AppendQuoted(row->upstream_model, target->model_json);
    target->endpoint = endpoint;
    target->slots = std::make_unique<CandidateSlots>(
        played.slots, http::client::HostPolicy(descriptor.hosts, options_.secret_hosts));
    kept.target = target;
    return target;
}

routing::Candidate TableBuilder::Join(const ModelRecordPtr& row, const plugin::PluginSet& plugins) {
    routing::Candidate candidate;
    candidate.row = row;
    candidate.state = states_.Get(row->id);
    candidate.capabilities = routing::CapabilityBits(row->capabilities);
    ReadTimeouts(*row, candidate.timeouts);
    if (!row->is_active) {
        candidate.availability = Availability::kInactive;
        candidate.unavailable_reason = "the model is switched off";
        kept_.erase(row->id);
        return candidate;
    }

    Played played;
    played.owner = plugins.Find(row->provider);
    if (played.owner == nullptr) {
        candidate.availability = Availability::kNoPlugin;
        candidate.unavailable_reason = plugins.WhyAbsent(row->provider);
        if (candidate.unavailable_reason.empty())
            candidate.unavailable_reason = "no plugin for provider '" + row->provider + "'";
        // What is kept would keep the generation that is gone.
        kept_.erase(row->id);
        return candidate;
    }
    played.player = played.owner;
    played.by_mock = (*played.owner)->descriptor().id == kMock;
    bool wants_mock = false;
    SecretString own_key;
    const plugin::SettingDescriptor* keyed = nullptr;
    if (row->has_api_key) {
        if (!ReadOwnKey(*row, own_key, candidate.unavailable_reason)) {
            candidate.availability = Availability::kNotConfigured;
            kept_.erase(row->id);
            return candidate;
        }
        keyed = SettingOfKey((*played.owner)->descriptor());
    }
    for (const plugin::SettingDescriptor& setting : (*played.owner)->descriptor().settings) {
        if (&setting == keyed) {
            wants_mock |= own_key.Reveal() == kMock;
            played.real_secret = true;
            played.slots[setting.name] = {own_key, true, true};
            continue;
        }
        const auto given = options_.environment.Get(setting.name);
        const std::string value = given ? std::string(*given) : setting.default_value;
        if (value.empty()) {
            if (setting.required && played.missing.empty()) played.missing = setting.name;
            // An optional one keeps its slot: headers that name it are left out.
            if (!setting.required) played.slots[setting.name] = {SecretString(), true, false};
            continue;
        }
        if (setting.secret) {
            if (setting.required && value == kMock) wants_mock = true;
            if (value != kMock) played.real_secret = true;
            played.slots[setting.name] = {SecretString(value), false, true};
        } else {
            // Not a secret: may go wherever the plugin sends it.
            played.values[setting.name] = value;
            played.slots[setting.name] = {SecretString(value), true, false};
        }
    }
    if (wants_mock) {
        const plugin::GenerationPtr* mock = plugins.Find(kMock);
        if (mock == nullptr) {
            candidate.availability = Availability::kNoPlugin;
            candidate.unavailable_reason = "the key is the word mock, but there is no mock plugin";
            kept_.erase(row->id);
            return candidate;
        }
        played.player = mock;
        played.by_mock = true;
        played.slots.clear();
        played.real_secret = false;
    } else if (!played.missing.empty()) {
        candidate.availability = Availability::kNotConfigured;
        candidate.unavailable_reason = played.missing + " is not set";
        kept_.erase(row->id);
        return candidate;
    }
    const plugin::Generation& player = **played.player;
    const bool can_chat = player.chat() != nullptr && !IsForEmbeddingsOnly(*row);
    const bool can_embed = player.embeddings() != nullptr && MayEmbed(*row);
    if (!can_chat && !can_embed) {
        candidate.availability = Availability::kNoPlugin;
        candidate.unavailable_reason = IsForEmbeddingsOnly(*row)
                                           ? "the plugin has no embeddings interface"
                                           : "the plugin has no chat interface";
        kept_.erase(row->id);
        return candidate;
    }
    candidate.chats = can_chat;
    candidate.embeds = can_embed;
    candidate.listed_for_embeddings = can_embed && row->capabilities.has_value();
    candidate.played_by_mock = played.by_mock;
    candidate.has_real_secret = played.real_secret && !played.by_mock;
    candidate.target = Target(row, played, candidate.unavailable_reason);
    candidate.availability =
        candidate.target ? Availability::kAvailable : Availability::kNotConfigured;
    return candidate;
}

std::shared_ptr<const routing::RoutingTable> TableBuilder::Build(
    const std::vector<ModelRecordPtr>& rows, const plugin::PluginSet& plugins) {
    std::vector<routing::Candidate> candidates;
    candidates.reserve(rows.size());
    std::vector<Uuid> ids;
    ids.reserve(rows.size());
    for (const ModelRecordPtr& row : rows) {
        candidates.push_back(Join(row, plugins));
        ids.push_back(row->id);
    }
    states_.KeepOnly(ids);
    const std::unordered_set<Uuid> known(ids.begin(), ids.end());
    std::erase_if(kept_, [&](const auto& entry) { return !known.contains(entry.first); });
    std::erase_if(key_problems_, [&](const auto& entry) { return !known.contains(entry.first); });
    return std::make_shared<const routing::RoutingTable>(std::move(candidates));
}

}  // namespace aim::pipeline
