#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "core/json/json.hpp"
#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/console/table.hpp"
#include "services/cli/console/text_width.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/model_lookup.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

constexpr int kPageSize = 200;  // the most that the data API gives at once
constexpr std::chrono::milliseconds kFollowInterval{1'000};

struct HistoryOptions {
    RemoteFlags remote;
    int limit = 20;
    std::string user;
    std::string model;
    std::string status;
    bool follow = false;
};

// Rows as documents of their own, newest first.
using Rows = std::vector<json::Document>;

struct Page {
    Rows rows;
    std::string next_cursor;  // empty: there are no older ones
};

class HistorySource {
  public:
    HistorySource(RemoteRun& run, std::string filter) : run_(run), filter_(std::move(filter)) {}

    Result<Page> Read(int limit, const std::string& cursor) {
        std::string path = "/api/v1/prompts/history?limit=" + std::to_string(limit) + filter_;
        if (!cursor.empty()) path += "&cursor=" + PercentEncode(cursor);
        const auto body = run_.remote->Fetch(run_.data, "GET", path);
        if (!body) return Unexpected(body.error());
        const auto document = json::Parse(*body);
        if (!document || !document->root().Get("items").IsArray()) {
            return Fail(ErrorKind::kProtocolError, "the data API at " + run_.data.base +
                                                       " did not answer with a page of history");
        }
        Page page;
        for (const auto& [key, item] : document->root().Get("items")) {
            if (auto row = json::Parse(item.ToJson())) page.rows.push_back(std::move(*row));
        }
        page.next_cursor = document->root().Get("next_cursor").StringOr("");
        return page;
    }

    // The newest `limit` rows, in as many pages as it takes.
    Result<Rows> Newest(int limit) {
        Rows rows;
        std::string cursor;
        while (static_cast<int>(rows.size()) < limit) {
            auto page = Read(std::min(limit - static_cast<int>(rows.size()), kPageSize), cursor);
            if (!page) return Unexpected(std::move(page.error()));
            std::move(page->rows.begin(), page->rows.end(), std::back_inserter(rows));
            cursor = std::move(page->next_cursor);
            if (cursor.empty()) break;
        }
        return rows;
    }

  private:
    RemoteRun& run_;
    const std::string filter_;
};

std::string Text(const json::Document& row, const char* field) {
    const json::Value value = row.root().Get(field);
    if (const auto text = value.AsString()) return std::string(*text);
    return value.exists() && !value.IsNull() ? value.ToJson() : "-";
}

Colour StatusColour(std::string_view status) {
    if (status == "success") return Colour::kGreen;
    return status == "cancelled" ? Colour::kYellow : Colour::kRed;
}

// "2026-11-21T10:30:45.123Z" without what a reader does not need.
std::string Moment(const json::Document& row) {
    std::string time = Text(row, "created_at");
    if (time.size() >= 19 && time[10] == 'T') {
        time[10] = ' ';
        time.resize(19);
    }
    return time;
}

std::string ToTable(const Rows& rows, const Terminal& terminal) {
    Table table({{"TIME (UTC)", false, false, 0},
                 {"STATUS", false, false, 0},
                 {"MODEL", false, true, 1},
                 {"USER", false, true, 3},
                 {"MS", true, false, 2},
                 {"PROMPT", false, true, 1},
                 {"ANSWER", false, true, 4}});
    for (const json::Document& row : rows) {
        const std::string status = Text(row, "status");
        const std::string outcome =
            status == "success" ? Text(row, "response_text") : Text(row, "error_message");
        // Only what a screen can show; --json has it all.
        table.Add({{Moment(row)},
                   {status, StatusColour(status)},
                   {Text(row, "model_name")},
                   {Text(row, "user_id")},
                   {Text(row, "processing_duration_ms")},
                   {FitToWidth(OneLine(Text(row, "prompt_text")), 60)},
                   {FitToWidth(OneLine(outcome), 60)}});
    }
    return table.Render(terminal);
}

std::string ToLine(const json::Document& row, const Terminal& terminal) {
    const std::string status = Text(row, "status");
    std::string line = Moment(row) + "  " + status + "  " + Text(row, "model_name") + "  " +
                       Text(row, "user_id") + "  " + Text(row, "processing_duration_ms") + " ms  " +
                       Text(row, "prompt_text");
    line = OneLine(Harmless(line));
    if (terminal.is_terminal && terminal.columns > 0)
        line = FitToWidth(line, static_cast<std::size_t>(terminal.columns));
    const std::size_t at = line.find(status);
    if (terminal.colours && at != std::string::npos)
        line.replace(at, status.size(), Coloured(status, StatusColour(status), true));
    return line + "\n";
}

// Oldest first, one a line; then what comes.
int Follow(RemoteRun& run, HistorySource& source, const HistoryOptions& options) {
    const Terminal terminal = Terminal::Of(STDOUT_FILENO, run.environment);
    std::set<std::string> known;
    int wanted = std::max(options.limit, kPageSize);
    for (bool first = true;; first = false) {
        auto rows = source.Newest(wanted);
        if (!rows) return Report(rows.error(), options.remote.json);
        // More than a page since the last look: read on until something is known.
        while (!known.empty() && static_cast<int>(rows->size()) == wanted && wanted < 10'000 &&
               known.find(Text(rows->back(), "id")) == known.end()) {
            wanted *= 4;
            rows = source.Newest(wanted);
            if (!rows) return Report(rows.error(), options.remote.json);
        }
        std::set<std::string> seen;
        for (std::size_t i = rows->size(); i-- > 0;) {
            const json::Document& row = (*rows)[i];
            const std::string id = Text(row, "id");
            const bool wanted_now =
                first ? i < static_cast<std::size_t>(options.limit) : known.find(id) == known.end();
            seen.insert(id);
            if (!wanted_now) continue;
            if (!Print(options.remote.json ? row.root().ToJson() + "\n" : ToLine(row, terminal)))
                return run.remote->interrupted() ? kExitInterrupted : kExitFailed;
        }
        known = std::move(seen);
        wanted = kPageSize;
        if (!run.remote->Sleep(kFollowInterval)) return kExitInterrupted;
    }
}

int History(const HistoryOptions& options) {
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    std::string filter;
    if (!options.user.empty()) filter += "&user_id=" + PercentEncode(options.user);
    if (!options.status.empty()) filter += "&status=" + options.status;
    if (!options.model.empty()) {
        const auto model = FetchModel(*run->remote, run->data, options.model);
        if (!model) return Report(model.error(), options.remote.json);
        filter += "&model_id=" + PercentEncode(model->root().Get("id").StringOr(""));
    }
    HistorySource source(*run, std::move(filter));
    if (options.follow) return Follow(*run, source, options);
    const auto rows = source.Newest(options.limit);
    if (!rows) return Report(rows.error(), options.remote.json);
    std::string text;
    if (options.remote.json) {
        text = "{\"items\":[";
        for (const json::Document& row : *rows) {
            if (text.back() != '[') text += ',';
            row.root().AppendJson(text);
        }
        text += "]}\n";
    } else if (rows->empty()) {
        text = "no prompts\n";
    } else {
        text = ToTable(*rows, Terminal::Of(STDOUT_FILENO, run->environment));
    }
    return Print(text) ? kExitOk : kExitFailed;
}

}  // namespace

void AddHistoryCommand(CommandSet& commands) {
    auto options = std::make_shared<HistoryOptions>();
    CLI::App* const history =
        commands.root.add_subcommand("history", "The prompts that were answered, newest first");
    history->add_option("-n,--limit", options->limit, "How many (default: 20)")
        ->type_name("N")
        ->check(CLI::Range(1, 10'000));
    history->add_option("--user", options->user, "Of this user only")->type_name("ID");
    history->add_option("--model", options->model, "Answered by this model only")
        ->type_name("MODEL");
    history->add_option("--status", options->status, "With this outcome only")
        ->type_name("success|error|timeout|cancelled")
        ->check(CLI::IsMember({"success", "error", "timeout", "cancelled"}).description(""));
    history->add_flag("-f,--follow", options->follow,
                      "Go on with new ones as they come, oldest first, until Ctrl-C");
    AddJson(*history, options->remote);
    AddDataUrl(*history, options->remote);
    history->footer(
        "With --json one object, {\"items\":[...]}; with --follow one row a line.\n\n"
        "Examples:\n"
        "  aimanager history --limit 5\n"
        "  aimanager history --status error --follow\n"
        "  aimanager history --user telegram_42 --json");
    history->callback([options, &code = commands.exit_code] { code = History(*options); });
}

}  // namespace aim::cli
