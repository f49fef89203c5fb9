#include <memory>
#include <string>

#include <unistd.h>

#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/console/table.hpp"
#include "services/cli/discover_command.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/model_lookup.hpp"
#include "services/cli/new_model.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

struct ModelListOptions {
    RemoteFlags remote;
    bool active = false;
};

struct OneModelOptions {
    RemoteFlags remote;
    std::string model;
};

struct AddOptions {
    RemoteFlags remote;
    NewModel model;
};

int ListModels(const ModelListOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const auto models = ListModels(*run->remote, run->data, options.active);
    if (!models) return Report(models.error(), options.remote.json);
    if (options.remote.json) return Print(models->root().ToJson() + "\n") ? kExitOk : kExitFailed;
    const Terminal terminal = Terminal::Of(STDOUT_FILENO, run->environment);
    Table table({{"NAME", false, true, 0},
                 {"PROVIDER", false, true, 1},
                 {"ACTIVE", false, false, 2},
                 {"SCORE", true, false, 3},
                 {"REQUESTS", true, false, 4},
                 {"CONTEXT", true, false, 6},
                 {"UPSTREAM MODEL", false, true, 5},
                 {"ENDPOINT", false, true, 7}});
    for (const auto& [key, model] : models->root()) {
        const bool active = model.Get("is_active").BoolOr(false);
        table.Add({{TextOf(model.Get("name"))},
                   {TextOf(model.Get("provider"))},
                   {active ? "yes" : "no", active ? Colour::kGreen : Colour::kDim},
                   {TextOf(model.Get("reliability_score"))},
                   {TextOf(model.Get("total_requests"))},
                   {TextOf(model.Get("context_window"))},
                   {TextOf(model.Get("upstream_model"))},
                   {TextOf(model.Get("endpoint"))}});
    }
    if (table.empty()) return Print("no models\n") ? kExitOk : kExitFailed;
    return Print(table.Render(terminal)) ? kExitOk : kExitFailed;
}

int Finish(const Result<std::string>& answer, bool as_json, const std::string& sentence) {
    if (!answer) return Report(answer.error(), as_json);
    return Print(as_json ? *answer + "\n" : sentence + "\n") ? kExitOk : kExitFailed;
}

int Add(const AddOptions& options) {
    // Before Ctrl-C is taken over: it ends the process while the standard input is read.
    auto row = RowOf(options.model);
    if (!row) return Report(row.error(), options.remote.json);
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const auto answer = run->remote->Fetch(run->data, "POST", "/api/v1/models", std::move(*row));
    return Finish(answer, options.remote.json,
                  "added " + options.model.name + "; the gateway knows it within seconds");
}

int SetActive(const OneModelOptions& options, bool active) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const auto model = FetchModel(*run->remote, run->data, options.model);
    if (!model) return Report(model.error(), options.remote.json);
    const std::string path =
        "/api/v1/models/" + PercentEncode(model->root().Get("id").StringOr(""));
    const auto answer = run->remote->Fetch(
        run->data, "PATCH", path, active ? R"({"is_active":true})" : R"({"is_active":false})");
    return Finish(
        answer, options.remote.json,
        (active ? "enabled " : "disabled ") + std::string(model->root().Get("name").StringOr("")));
}

int Remove(const OneModelOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const auto model = FetchModel(*run->remote, run->data, options.model);
    if (!model) return Report(model.error(), options.remote.json);
    const std::string path =
        "/api/v1/models/" + PercentEncode(model->root().Get("id").StringOr(""));
    auto answer = run->remote->Fetch(run->data, "DELETE", path);
    if (answer) {
        std::string removed;
        json::Writer(removed)
            .BeginObject()
            .Field("removed", model->root().Get("name").StringOr(""))
            .Field("id", model->root().Get("id").StringOr(""))
            .EndObject();
        answer = std::move(removed);
    }
    return Finish(answer, options.remote.json,
                  "removed " + std::string(model->root().Get("name").StringOr("")));
}

void AddList(CLI::App& models, int& exit_code) {
    auto options = std::make_shared<ModelListOptions>();
    CLI::App* const list = models.add_subcommand("list", "Lists the models, the best first");
    list->add_flag("--active", options->active, "Only those that are enabled");
    AddJson(*list, options->remote);
    AddDataUrl(*list, options->remote);
    list->footer("Example:\n  aimanager models list --json | jq -r '.[].name'");
    list->callback([options, &exit_code] { exit_code = ListModels(*options); });
}

void AddAdd(CLI::App& models, int& exit_code) {
    auto options = std::make_shared<AddOptions>();
    CLI::App* const add = models.add_subcommand("add", "Adds a model");
    add->add_option("NAME", options->model.name, "What callers call it")->required();
    add->add_option("--provider", options->model.provider, "The id of its plugin, as groq or mock")
        ->required()
        ->type_name("PROVIDER");
    add->add_option("--endpoint", options->model.endpoint,
                    "The base URL (default: the plugin's own address)")
        ->type_name("URL");
    add->add_option("--upstream-model", options->model.upstream_model,
                    "What the provider calls it (default: NAME)")
        ->type_name("NAME");
    add->add_option("--set", options->model.settings,
                    "A setting, NAME=VALUE; the value may be JSON (repeatable)")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    add->add_option("--capability", options->model.capabilities,
                    "What it can do; without any, everything is assumed (repeatable)")
        ->type_name("stream|tools|json_schema|vision|embeddings")
        ->check(CLI::IsMember({"stream", "tools", "json_schema", "vision", "embeddings"})
                    .description(""))
        ->allow_extra_args(false);
    add->add_option("--context-window", options->model.context_window, "Tokens that it can take")
        ->type_name("N")
        ->check(CLI::Range(1, 2'000'000'000, ""));
    add->add_option("--input-price", options->model.input_price,
                    "USD for a million tokens of prompt")
        ->type_name("USD");
    add->add_option("--output-price", options->model.output_price,
                    "USD for a million tokens of answer")
        ->type_name("USD");
    CLI::Option* const from_variable =
        add->add_option("--api-key-env", options->model.api_key_env,
                        "The variable that holds the provider's key for this model")
            ->type_name("VARIABLE");
    add->add_flag("--api-key-stdin", options->model.api_key_stdin,
                  "Read the provider's key for this model from the standard input")
        ->excludes(from_variable);
    add->add_flag("--inactive", options->model.inactive, "Do not use it yet");
    AddJson(*add, options->remote);
    AddDataUrl(*add, options->remote);
    add->footer(
        "Examples:\n"
        "  aimanager models add local --provider openai_compatible \\\n"
        "      --endpoint http://127.0.0.1:11434/v1 --upstream-model llama3.2\n"
        "  aimanager models add shaky --provider mock --endpoint mock://local --set "
        "error_rate=0.33\n"
        "  aimanager models add mine --provider groq --api-key-env MY_GROQ_KEY");
    add->callback([options, &exit_code] { exit_code = Add(*options); });
}

void AddSwitch(CLI::App& models, int& exit_code, bool active) {
    auto options = std::make_shared<OneModelOptions>();
    const std::string name = active ? "enable" : "disable";
    CLI::App* const command = models.add_subcommand(
        name, active ? "Lets the gateway use a model" : "Keeps a model, but lets nobody use it");
    command->add_option("NAME", options->model, "The model's name or id")
        ->required()
        ->type_name("MODEL");
    AddJson(*command, options->remote);
    AddDataUrl(*command, options->remote);
    command->footer("Example:\n  aimanager models " + name + " llama-3.3-70b");
    command->callback([options, active, &exit_code] { exit_code = SetActive(*options, active); });
}

void AddRemove(CLI::App& models, int& exit_code) {
    auto options = std::make_shared<OneModelOptions>();
    CLI::App* const remove = models.add_subcommand(
        "remove", "Deletes a model and its figures; the history keeps its name");
    remove->add_option("NAME", options->model, "The model's name or id")
        ->required()
        ->type_name("MODEL");
    AddJson(*remove, options->remote);
    AddDataUrl(*remove, options->remote);
    remove->footer("Example:\n  aimanager models remove shaky");
    remove->callback([options, &exit_code] { exit_code = Remove(*options); });
}

}  // namespace

void AddModelsCommands(CommandSet& commands) {
    CLI::App* const models = commands.root.add_subcommand(
        "models", "The models that the gateway may use, through the data API");
    models->require_subcommand(1);
    AddList(*models, commands.exit_code);
    AddAdd(*models, commands.exit_code);
    AddSwitch(*models, commands.exit_code, true);
    AddSwitch(*models, commands.exit_code, false);
    AddRemove(*models, commands.exit_code);
    AddDiscover(*models, commands.exit_code);
}

}  // namespace aim::cli
