#include "services/cli/keys_reencrypt.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "core/security/encoding.hpp"
#include "core/security/master_key.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::cli {
namespace {

// A key may be changed by somebody else while this runs: such a model is looked at again.
constexpr int kMostRounds = 3;

struct Failure {
    std::string model;
    std::string reason;
};

struct Tally {
    int reencrypted = 0;
    int current = 0;  // were under MASTER_KEY already
    std::vector<Failure> failures;
};

// The keys of a variable, with commas between.
Result<std::vector<security::MasterKey>> KeysFrom(const config::Environment& environment,
                                                  const std::string& name) {
    std::vector<security::MasterKey> keys;
    for (std::string_view rest = environment.Get(name).value_or(""); !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        auto key = security::MasterKey::Parse(one);
        if (!key) return FailField(name, name + " " + key.error().message);
        keys.push_back(std::move(*key));
    }
    if (keys.empty()) return FailField(name, "the variable " + name + " is not set");
    return keys;
}

class Reencryption {
  public:
    Reencryption(RemoteRun& run, security::MasterKey current,
                 std::vector<security::MasterKey> previous)
        : run_(run), current_(std::move(current)) {
        for (security::MasterKey& key : previous) previous_.Add(std::move(key));
    }

    Result<Tally> Run() {
        for (int round = 0; round < kMostRounds; ++round) {
            // Those that were done in an earlier round are no news in this one.
            const int done_before = tally_.reencrypted;
            tally_.current = 0;
            tally_.failures.clear();
            conflicts_ = false;
            auto text = run_.remote->Fetch(run_.data, "GET", "/api/v1/models?include=ciphertext");
            if (!text) return Unexpected(std::move(text.error()));
            const json::Limits limits{80, false};
            const auto models = json::Parse(*text, limits);
            if (!models || !models->root().IsArray())
                return Fail(ErrorKind::kProtocolError, "the data API's models cannot be read");
            for (const auto& [key, model] : models->root()) {
                if (!model.Get("has_api_key").BoolOr(false)) continue;
                if (auto done = One(model); !done) return Unexpected(std::move(done.error()));
            }
            tally_.current -= std::min(tally_.current, done_before);
            if (!conflicts_) break;
        }
        return std::move(tally_);
    }

  private:
    Result<void> One(json::Value model) {
        const std::string name(model.Get("name").StringOr(""));
        const std::string id(model.Get("id").StringOr(""));
        const std::string known(model.Get("api_key_ciphertext").StringOr(""));
        const auto key_id = model.Get("api_key_key_id").StringOr("");
        const auto bytes = security::Base64Decode(known);
        if (key_id == current_.id()) {
            ++tally_.current;
            return {};
        }
        const auto plain = previous_.Decrypt(bytes.value_or(""), key_id, id);
        if (!plain) {
            tally_.failures.push_back({name, plain.error().message});
            return {};
        }
        std::string body;
        json::Writer(body)
            .BeginObject()
            .Field("api_key_ciphertext",
                   security::Base64Encode(current_.Encrypt(plain->Reveal(), id)))
            .Field("api_key_key_id", current_.id())
            .Field("known_ciphertext", known)
            .EndObject();
        const auto answer = run_.remote->Fetch(
            run_.data, "POST", "/api/v1/models/" + PercentEncode(id) + "/reencrypted-key",
            std::move(body));
        if (answer) {
            ++tally_.reencrypted;
            return {};
        }
        const Error& error = answer.error();
        if (error.upstream_status == 404) return {};  // the model is gone
        if (error.upstream_status != 409) return Unexpected(error);
        conflicts_ = true;
        tally_.failures.push_back({name, error.message});
        return {};
    }

    RemoteRun& run_;
    const security::MasterKey current_;
    security::MasterKeyRing previous_;
    Tally tally_;
    bool conflicts_ = false;
};

std::string JsonOf(const Tally& tally) {
    std::string text;
    json::Writer writer(text);
    writer.BeginObject()
        .Field("reencrypted", tally.reencrypted)
        .Field("current", tally.current)
        .Key("failed")
        .BeginArray();
    for (const Failure& failure : tally.failures) {
        writer.BeginObject()
            .Field("model", failure.model)
            .Field("reason", failure.reason)
            .EndObject();
    }
    writer.EndArray().EndObject();
    return text + "\n";
}

std::string SentenceOf(const Tally& tally) {
    std::string text = std::to_string(tally.reencrypted) + " keys are under MASTER_KEY now, " +
                       std::to_string(tally.current) + " were already\n";
    for (const Failure& failure : tally.failures)
        text += Harmless(failure.model + ": " + failure.reason) + "\n";
    return text;
}

}  // namespace

int ReencryptKeys(const RemoteFlags& flags) {
    auto run = RemoteRun::Start(flags);
    if (!run) return Report(run.error(), flags.json);
    auto current = KeysFrom(run->environment, "MASTER_KEY");
    if (!current) return Report(current.error(), flags.json);
    auto previous = KeysFrom(run->environment, "MASTER_KEY_PREVIOUS");
    if (!previous) return Report(previous.error(), flags.json);
    Reencryption reencryption(*run, std::move(current->front()), std::move(*previous));
    const auto tally = reencryption.Run();
    if (!tally) return Report(tally.error(), flags.json);
    if (!Print(flags.json ? JsonOf(*tally) : SentenceOf(*tally))) return kExitFailed;
    return tally->failures.empty() ? kExitOk : kExitRefused;
}

}  // namespace aim::cli
