#include "services/cli/discover_command.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "core/json/writer.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/console/table.hpp"
#include "services/cli/discovery.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/model_lookup.hpp"
#include "services/cli/plugin_commands.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

using plugin::OfferedModel;

constexpr std::size_t kMaxNameBytes = 100;

struct DiscoverOptions {
    RemoteFlags remote;
    std::string provider;
    std::string endpoint;
    std::string match;
    std::string path;
    bool add = false;
};

// What became of a model under --add.
struct Insertion {
    std::string name;
    std::string what;     // "added", "exists" or "failed"
    std::string message;  // of a failure
};

std::string Lowered(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return lowered;
}

std::string Joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

void PutModel(const OfferedModel& model, json::Writer& out) {
    out.BeginObject().Field("id", model.id);
    if (!model.display_name.empty()) out.Field("display_name", model.display_name);
    out.Field("context_window", model.context_window);
    out.Field("max_output_tokens", model.max_output_tokens);
    out.Key("capabilities");
    if (model.capabilities.empty()) {
        out.Null();
    } else {
        out.BeginArray();
        for (const std::string& capability : model.capabilities) out.String(capability);
        out.EndArray();
    }
    if (!model.input_price_per_million.empty())
        out.Field("input_price_per_million", model.input_price_per_million);
    if (!model.output_price_per_million.empty())
        out.Field("output_price_per_million", model.output_price_per_million);
    out.EndObject();
}

// What is unknown stays out of the row, and is then assumed or measured.
std::string RowOf(const OfferedModel& model, const Discovery& found, bool with_endpoint) {
    std::string body;
    json::Writer out(body);
    out.BeginObject().Field("name", model.id).Field("provider", found.provider);
    out.Field("upstream_model", model.id);
    if (with_endpoint) out.Field("endpoint", found.endpoint);
    if (model.context_window.value_or(0) > 0) out.Field("context_window", *model.context_window);
    if (!model.capabilities.empty()) {
        out.Key("capabilities").BeginArray();
        for (const std::string& capability : model.capabilities) out.String(capability);
        out.EndArray();
    }
    if (!model.input_price_per_million.empty())
        out.Field("input_price_per_million", model.input_price_per_million);
    if (!model.output_price_per_million.empty())
        out.Field("output_price_per_million", model.output_price_per_million);
    out.EndObject();
    return body;
}

Result<std::vector<Insertion>> Insert(const DiscoverOptions& options, const Discovery& found,
                                      RemoteRun& run) {
    const auto rows = ListModels(*run.remote, run.data);
    if (!rows) return Unexpected(rows.error());
    std::vector<Insertion> insertions;
    for (const OfferedModel& model : found.models) {
        Insertion insertion{model.id, "added", {}};
        bool known = false;
        for (const auto& [key, row] : rows->root())
            known = known || row.Get("name").StringOr("") == model.id;
        if (known) {
            insertion.what = "exists";
        } else if (model.id.size() > kMaxNameBytes) {
            insertion.what = "failed";
            insertion.message = "the name is over 100 characters; add it by hand under another one";
        } else {
            const auto answer = run.remote->Fetch(run.data, "POST", "/api/v1/models",
                                                  RowOf(model, found, !options.endpoint.empty()));
            if (!answer) {
                const Error& error = answer.error();
                if (error.upstream_status == 0) return Unexpected(error);
                insertion.what = error.code == "duplicate_name" ? "exists" : "failed";
                if (insertion.what == "failed") insertion.message = error.message;
            }
        }
        insertions.push_back(std::move(insertion));
    }
    return insertions;
}

std::string AsJson(const Discovery& found, const std::vector<Insertion>& insertions) {
    std::string text;
    json::Writer out(text);
    out.BeginObject().Field("provider", found.provider).Field("endpoint", found.endpoint);
    out.Key("models").BeginArray();
    for (const OfferedModel& model : found.models) PutModel(model, out);
    out.EndArray();
    for (const char* what : {"added", "exists"}) {
        out.Key(what).BeginArray();
        for (const Insertion& insertion : insertions)
            if (insertion.what == what) out.String(insertion.name);
        out.EndArray();
    }
    out.Key("failed").BeginArray();
    for (const Insertion& insertion : insertions) {
        if (insertion.what != "failed") continue;
        out.BeginObject().Field("name", insertion.name).Field("error", insertion.message);
        out.EndObject();
    }
    out.EndArray().EndObject();
    return text + "\n";
}

std::string AsTable(const Discovery& found, const std::vector<Insertion>& insertions,
                    const Terminal& terminal) {
    if (found.models.empty()) return "no models\n";
    std::vector<Table::Column> columns = {{"MODEL", false, true, 0},
                                          {"CONTEXT", true, false, 1},
                                          {"CAN", false, true, 2},
                                          {"IN $/M", true, false, 3},
                                          {"OUT $/M", true, false, 3}};
    if (!insertions.empty()) columns.push_back({"ROW", false, false, 0});
    Table table(std::move(columns));
    for (std::size_t i = 0; i < found.models.size(); ++i) {
        const OfferedModel& model = found.models[i];
        std::vector<Table::Cell> row = {
            {model.id},
            {model.context_window ? std::to_string(*model.context_window) : "-"},
            {model.capabilities.empty() ? "-" : Joined(model.capabilities)},
            {model.input_price_per_million.empty() ? "-" : model.input_price_per_million},
            {model.output_price_per_million.empty() ? "-" : model.output_price_per_million}};
        if (!insertions.empty()) {
            const std::string& what = insertions[i].what;
            row.push_back({what, what == "added"    ? Colour::kGreen
                                 : what == "failed" ? Colour::kRed
                                                    : Colour::kDim});
        }
        table.Add(std::move(row));
    }
    return table.Render(terminal);
}

int Discover(const DiscoverOptions& options) {
    const auto environment = config::Environment::FromProcess();
    DiscoveryOptions wanted;
    wanted.provider = options.provider;
    wanted.endpoint = options.endpoint;
    wanted.plugin_folders = PluginFolders(options.path);
    auto found = DiscoverModels(wanted, environment);
    if (!found) return Report(found.error(), options.remote.json);
    const std::string match = Lowered(options.match);
    std::erase_if(found->models, [&match](const OfferedModel& model) {
        return Lowered(model.id).find(match) == std::string::npos;
    });
    std::vector<Insertion> insertions;
    if (options.add) {
        auto run = RemoteRun::Start(options.remote);
        if (!run) return Report(run.error(), options.remote.json);
        auto inserted = Insert(options, *found, *run);
        if (!inserted) return Report(inserted.error(), options.remote.json);
        insertions = std::move(*inserted);
    }
    const Terminal terminal = Terminal::Of(STDOUT_FILENO, environment);
    if (!Print(options.remote.json ? AsJson(*found, insertions)
                                   : AsTable(*found, insertions, terminal)))
        return kExitFailed;
    bool failed = false;
    for (const Insertion& insertion : insertions) {
        if (insertion.what != "failed") continue;
        failed = true;
        Complain(insertion.name + " was not added: " + insertion.message);
    }
    return failed ? kExitRefused : kExitOk;
}

}  // namespace

void AddDiscover(CLI::App& models, int& exit_code) {
    auto options = std::make_shared<DiscoverOptions>();
    CLI::App* const discover = models.add_subcommand(
        "discover", "Asks a provider which models the key of the environment may use");
    discover->add_option("PROVIDER", options->provider, "The id or an alias of its plugin")
        ->required();
    discover->add_flag("--add", options->add,
                       "Add a row for each; names that exist are left as they are");
    discover
        ->add_option("--match", options->match, "Only models whose id contains this, in any case")
        ->type_name("TEXT");
    discover
        ->add_option("--endpoint", options->endpoint,
                     "The base URL (default: the plugin's own address)")
        ->type_name("URL");
    discover
        ->add_option("--path", options->path,
                     "Folders of plugins, separated by colons (default: PLUGIN_PATH)")
        ->type_name("FOLDERS");
    AddJson(*discover, options->remote);
    AddDataUrl(*discover, options->remote);
    discover->footer(
        "Examples:\n"
        "  GROQ_API_KEY=... aimanager models discover groq\n"
        "  aimanager models discover openrouter --match :free --add\n"
        "  aimanager models discover ollama --endpoint http://127.0.0.1:11434/v1 --json");
    discover->callback([options, &exit_code] { exit_code = Discover(*options); });
}

}  // namespace aim::cli
