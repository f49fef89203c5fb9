#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "core/base/clock.hpp"
#include "core/base/time_format.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/console/table.hpp"
#include "services/cli/duration.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/keys_reencrypt.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

struct KeyListOptions {
    RemoteFlags remote;
    bool revoked = false;
};

struct CreateOptions {
    RemoteFlags remote;
    std::string name;
    std::vector<std::string> scopes;
    std::string expires;
    std::optional<std::int64_t> rate_limit;
    std::string secret_env;
};

struct OneKeyOptions {
    RemoteFlags remote;
    std::string key;
    std::string grace;
    std::string secret_env;
};

std::string Joined(json::Value list) {
    std::string text;
    for (const auto& [key, entry] : list)
        text.append(text.empty() ? "" : ",").append(entry.StringOr(""));
    return text;
}

// Shown once. The secret alone is on the standard output, for $(…); the words are on the other.
int ShowSecret(const Result<std::string>& answer, bool as_json, const std::string& sentence) {
    if (!answer) return Report(answer.error(), as_json);
    if (as_json) return Print(*answer + "\n") ? kExitOk : kExitFailed;
    const auto document = json::Parse(*answer);
    const auto secret =
        document ? document->root().Get("secret").AsString() : std::optional<std::string_view>();
    if (!secret) {
        std::fprintf(stderr, "%s\n", Harmless(sentence).c_str());
        return kExitOk;
    }
    std::fprintf(stderr, "%s; this is the only time that it is shown:\n",
                 Harmless(sentence).c_str());
    return Print(Harmless(*secret) + "\n") ? kExitOk : kExitFailed;
}

// From a variable, never from the arguments, which every user of the machine can read.
Result<void> PutSecret(const std::string& variable, json::Writer& out) {
    if (variable.empty()) return {};
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0')
        return FailField("--secret-env", "the variable " + variable + " is not set");
    out.Field("secret", std::string_view(value));
    return {};
}

int ListKeys(const KeyListOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const auto text = run->remote->Fetch(
        run->data, "GET", options.revoked ? "/api/v1/keys?include=revoked" : "/api/v1/keys");
    if (!text) return Report(text.error(), options.remote.json);
    if (options.remote.json) return Print(*text + "\n") ? kExitOk : kExitFailed;
    const auto keys = json::Parse(*text);
    if (!keys) return Report(keys.error(), false);
    Table table({{"NAME", false, true, 0},
                 {"KEY", false, false, 1},
                 {"SCOPES", false, true, 2},
                 {"PER MINUTE", true, false, 4},
                 {"LAST USED", false, false, 3},
                 {"EXPIRES", false, false, 5},
                 {"STATE", false, false, 6},
                 {"ID", false, false, 7}});
    const std::string now = FormatRfc3339(SystemClock().WallNow());
    for (const auto& [index, key] : keys->root()) {
        const auto limit = key.Get("rate_limit_per_minute").AsInt64();
        // Times of one form: their order is that of the texts.
        const std::string expires = TextOf(key.Get("expires_at"));
        const bool over = expires != "-" && expires <= now;
        const bool revoked = !key.Get("revoked_at").IsNull();
        table.Add({{TextOf(key.Get("name"))},
                   {TextOf(key.Get("prefix")) + "…"},
                   {Joined(key.Get("scopes"))},
                   {!limit        ? "default"
                    : *limit == 0 ? "no limit"
                                  : std::to_string(*limit)},
                   {TextOf(key.Get("last_used_at"))},
                   {expires},
                   {revoked ? "revoked"
                    : over  ? "expired"
                            : "valid",
                    revoked || over ? Colour::kDim : Colour::kGreen},
                   {TextOf(key.Get("id"))}});
    }
    if (table.empty()) return Print("no keys\n") ? kExitOk : kExitFailed;
    return Print(table.Render(Terminal::Of(STDOUT_FILENO, run->environment))) ? kExitOk
                                                                              : kExitFailed;
}

Result<std::string> BodyOf(const CreateOptions& options) {
    std::string body;
    json::Writer out(body);
    out.BeginObject().Field("name", options.name);
    if (!options.scopes.empty()) {
        out.Key("scopes").BeginArray();
        for (const std::string& scope : options.scopes) out.String(scope);
        out.EndArray();
    }
    if (!options.expires.empty()) {
        const auto time = ParseDuration(options.expires);
        const auto at =
            time ? std::optional(SystemClock().WallNow() + *time) : ParseRfc3339(options.expires);
        if (!at) return FailField("--expires", "--expires wants 30d, 12h or 2027-01-31T00:00:00Z");
        out.Field("expires_at", FormatRfc3339(*at));
    }
    if (options.rate_limit) out.Field("rate_limit_per_minute", *options.rate_limit);
    if (auto put = PutSecret(options.secret_env, out); !put)
        return Unexpected(std::move(put.error()));
    out.EndObject();
    return body;
}

int Create(const CreateOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    auto body = BodyOf(options);
    if (!body) return Report(body.error(), options.remote.json);
    const auto answer = run->remote->Fetch(run->data, "POST", "/api/v1/keys", std::move(*body));
    return ShowSecret(answer, options.remote.json, "created the key " + options.name);
}

// The path of the key with this name, else with this id.
Result<std::string> PathOf(RemoteRun& run, const std::string& name_or_id, std::string& name) {
    const auto text = run.remote->Fetch(run.data, "GET", "/api/v1/keys");
    if (!text) return Unexpected(text.error());
    const auto keys = json::Parse(*text);
    if (!keys) return Unexpected(keys.error());
    for (const char* field : {"name", "id"}) {
        for (const auto& [index, key] : keys->root()) {
            if (key.Get(field).StringOr("") != name_or_id) continue;
            name = key.Get("name").StringOr("");
            return "/api/v1/keys/" + PercentEncode(key.Get("id").StringOr(""));
        }
    }
    Error error;
    error.kind = ErrorKind::kModelNotFound;  // for its exit code: the answer is no
    error.upstream_status = 404;
    error.code = "not_found";
    error.message = "there is no key \"" + name_or_id + "\"; `aimanager keys list` shows all";
    return Unexpected(std::move(error));
}

int Revoke(const OneKeyOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    std::string name;
    const auto path = PathOf(*run, options.key, name);
    if (!path) return Report(path.error(), options.remote.json);
    const auto answer = run->remote->Fetch(run->data, "DELETE", *path);
    if (!answer) return Report(answer.error(), options.remote.json);
    std::string revoked;
    if (options.remote.json) {
        json::Writer(revoked)
            .BeginObject()
            .Field("revoked", name)
            .Field("id", path->substr(path->rfind('/') + 1))
            .EndObject();
    } else {
        revoked = "revoked " + Harmless(name) + "; no gateway takes it any more within seconds";
    }
    return Print(revoked + "\n") ? kExitOk : kExitFailed;
}

int Rotate(const OneKeyOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    std::string body;
    json::Writer out(body);
    out.BeginObject();
    if (!options.grace.empty()) {
        const auto grace = ParseDuration(options.grace);
        if (!grace) {
            const Result<void> wrong = FailField("--grace", "--grace wants 90s, 15m, 24h or 0");
            return Report(wrong.error(), options.remote.json);
        }
        out.Field("grace_ms", static_cast<std::int64_t>(grace->count()));
    }
    if (auto put = PutSecret(options.secret_env, out); !put)
        return Report(put.error(), options.remote.json);
    out.EndObject();
    std::string name;
    const auto path = PathOf(*run, options.key, name);
    if (!path) return Report(path.error(), options.remote.json);
    const auto answer = run->remote->Fetch(run->data, "POST", *path + "/rotate", std::move(body));
    return ShowSecret(answer, options.remote.json, "the key " + name + " has a new secret");
}

void AddListCommand(CLI::App& keys, int& exit_code) {
    auto options = std::make_shared<KeyListOptions>();
    CLI::App* const list = keys.add_subcommand("list", "Lists the keys; never their secrets");
    list->add_flag("--revoked", options->revoked, "Also those that were revoked");
    AddJson(*list, options->remote);
    AddDataUrl(*list, options->remote);
    list->footer("Example:\n  aimanager keys list --json | jq -r '.[].name'");
    list->callback([options, &exit_code] { exit_code = ListKeys(*options); });
}

void AddCreateCommand(CLI::App& keys, int& exit_code) {
    auto options = std::make_shared<CreateOptions>();
    CLI::App* const create = keys.add_subcommand("create", "Makes a key and shows it, this once");
    create->add_option("NAME", options->name, "Whose key it is")->required();
    create
        ->add_option("--scope", options->scopes,
                     "What it may be used for (repeatable; default: prompts and history)")
        ->type_name("prompts|history|admin")
        ->check(CLI::IsMember({"prompts", "history", "admin"}).description(""))
        ->allow_extra_args(false);
    create->add_option("--expires", options->expires, "When it ends: 30d, 12h, or a time")
        ->type_name("TIME");
    create
        ->add_option("--rate-limit", options->rate_limit,
                     "Prompts a minute; 0: no limit (default: the gateway's)")
        ->type_name("N")
        ->check(CLI::Range(0, 1'000'000'000, ""));
    create
        ->add_option("--secret-env", options->secret_env,
                     "The variable that holds the secret, in place of a new one")
        ->type_name("VARIABLE");
    AddJson(*create, options->remote);
    AddDataUrl(*create, options->remote);
    create->footer(
        "Examples:\n"
        "  aimanager keys create web --expires 90d --rate-limit 60\n"
        "  KEY=$(aimanager keys create ci --scope prompts)\n"
        "  aimanager keys create operator --scope prompts --scope history --scope admin");
    create->callback([options, &exit_code] { exit_code = Create(*options); });
}

void AddRevokeCommand(CLI::App& keys, int& exit_code) {
    auto options = std::make_shared<OneKeyOptions>();
    CLI::App* const revoke = keys.add_subcommand("revoke", "Ends a key, at once and for good");
    revoke->add_option("KEY", options->key, "The key's name or id")->required();
    AddJson(*revoke, options->remote);
    AddDataUrl(*revoke, options->remote);
    revoke->footer("Example:\n  aimanager keys revoke web");
    revoke->callback([options, &exit_code] { exit_code = Revoke(*options); });
}

void AddRotateCommand(CLI::App& keys, int& exit_code) {
    auto options = std::make_shared<OneKeyOptions>();
    CLI::App* const rotate =
        keys.add_subcommand("rotate", "Gives a key a new secret; the old one ends after a while");
    rotate->add_option("KEY", options->key, "The key's name or id")->required();
    rotate
        ->add_option("--grace", options->grace, "How long the old one is still taken (default: 1h)")
        ->type_name("TIME");
    rotate
        ->add_option("--secret-env", options->secret_env,
                     "The variable that holds the secret, in place of a new one")
        ->type_name("VARIABLE");
    AddJson(*rotate, options->remote);
    AddDataUrl(*rotate, options->remote);
    rotate->footer(
        "Examples:\n"
        "  aimanager keys rotate web --grace 24h\n"
        "  aimanager keys rotate leaked --grace 0");
    rotate->callback([options, &exit_code] { exit_code = Rotate(*options); });
}

void AddReencryptCommand(CLI::App& keys, int& exit_code) {
    auto options = std::make_shared<RemoteFlags>();
    CLI::App* const reencrypt =
        keys.add_subcommand("reencrypt", "Stores the models' own keys under a new MASTER_KEY");
    AddJson(*reencrypt, *options);
    AddDataUrl(*reencrypt, *options);
    reencrypt->footer(
        "Takes both master keys and the data API's token from the environment. Give every process\n"
        "both keys first, so that no model is without its key meanwhile; MASTER_KEY_PREVIOUS can "
        "go afterwards.\n"
        "Example:\n"
        "  MASTER_KEY=$NEW MASTER_KEY_PREVIOUS=$OLD DATA_API_TOKEN=… aimanager keys reencrypt");
    reencrypt->callback([options, &exit_code] { exit_code = ReencryptKeys(*options); });
}

}  // namespace

void AddKeysCommands(CommandSet& commands) {
    CLI::App* const keys = commands.root.add_subcommand(
        "keys", "The callers' keys, through the data API; and the models' own");
    keys->require_subcommand(1);
    AddListCommand(*keys, commands.exit_code);
    AddCreateCommand(*keys, commands.exit_code);
    AddRevokeCommand(*keys, commands.exit_code);
    AddRotateCommand(*keys, commands.exit_code);
    AddReencryptCommand(*keys, commands.exit_code);
}

}  // namespace aim::cli
