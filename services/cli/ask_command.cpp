#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "core/json/json.hpp"
#include "core/json/writer.hpp"
#include "services/cli/ask_reply.hpp"
#include "services/cli/command_set.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

constexpr char kPath[] = "/v1/chat/completions";
constexpr std::size_t kMaxPromptBytes = 32u * 1024 * 1024;

struct AskOptions {
    RemoteFlags remote;
    std::vector<std::string> words;
    std::string model = "auto";
    std::string system;
    std::optional<int> max_tokens;
    std::optional<double> temperature;
    bool no_fallback = false;
    bool no_stream = false;
    bool quiet = false;
};

Result<std::string> ReadPrompt(const std::vector<std::string>& words) {
    std::string prompt;
    if (words.size() == 1 ? words[0] != "-" : !words.empty()) {
        for (const std::string& word : words) prompt += (prompt.empty() ? "" : " ") + word;
    } else {
        if (words.empty() && ::isatty(STDIN_FILENO) == 1)
            return FailField("TEXT",
                             "TEXT is missing; say what to ask, or - to read it from the "
                             "standard input");
        char bytes[65536];
        ssize_t got = 0;
        while ((got = ::read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
            prompt.append(bytes, static_cast<std::size_t>(got));
            if (prompt.size() > kMaxPromptBytes)
                return FailField("TEXT", "the standard input is over 32 MiB");
        }
        if (got < 0) return FailField("TEXT", "the standard input cannot be read");
        while (!prompt.empty() && prompt.back() == '\n') prompt.pop_back();
    }
    if (prompt.find_first_not_of(" \t\r\n") == std::string::npos)
        return FailField("TEXT", "the prompt is empty");
    return prompt;
}

std::string BodyOf(const AskOptions& options, const std::string& prompt, bool stream) {
    std::string body;
    json::Writer out(body);
    out.BeginObject().Field("model", options.model).Key("messages").BeginArray();
    if (!options.system.empty()) {
        out.BeginObject().Field("role", "system").Field("content", options.system).EndObject();
    }
    out.BeginObject().Field("role", "user").Field("content", prompt).EndObject().EndArray();
    out.Field("stream", stream);
    if (stream) out.Key("stream_options").BeginObject().Field("include_usage", true).EndObject();
    if (options.max_tokens) out.Field("max_tokens", *options.max_tokens);
    if (options.temperature) out.Field("temperature", *options.temperature);
    if (options.no_fallback) out.Field("fallback", false);
    out.EndObject();
    return body;
}

// "waiting …" on a terminal's standard error until the answer begins.
class WaitingLine {
  public:
    explicit WaitingLine(bool wanted) : wanted_(wanted) {}
    ~WaitingLine() { Clear(); }
    WaitingLine(const WaitingLine&) = delete;
    WaitingLine& operator=(const WaitingLine&) = delete;

    void Show(std::chrono::seconds waited) {
        if (!wanted_) return;
        std::fprintf(stderr, "\r\x1b[Kwaiting for the answer, %lld s",
                     static_cast<long long>(waited.count()));
        shown_ = true;
    }
    void Clear() {
        if (shown_) std::fputs("\r\x1b[K", stderr);
        shown_ = false;
    }

  private:
    const bool wanted_;
    bool shown_ = false;
};

void PrintSummary(const Reply& reply, const Terminal& terminal) {
    const std::string line = Coloured(Harmless(SummaryOf(reply)), Colour::kDim, terminal.colours);
    std::fprintf(stderr, "%s\n", line.c_str());
}

// The whole answer at once.
Result<Reply> AskWhole(RemoteRun& run, std::string body, WaitingLine& waiting) {
    Reply reply;
    std::string answer_body;
    const auto on_data = [&answer_body](const RemoteAnswer&, std::string_view piece) {
        answer_body += piece;
        return true;
    };
    const auto start = std::chrono::steady_clock::now();
    auto answer =
        run.remote->Stream(run.business, kPath, std::move(body), on_data,
                           [&waiting](std::chrono::seconds waited) { waiting.Show(waited); });
    waiting.Clear();
    if (!answer) return Unexpected(std::move(answer.error()));
    if (answer->status / 100 != 2) return Unexpected(RefusalOf(run.business, *answer));
    if (answer->cut)
        return Unexpected(
            BrokenAnswer("the answer broke off: " + answer->cut->message, answer->cut->code));
    reply.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    const auto document = json::Parse(answer_body);
    if (!document) return Unexpected(BrokenAnswer("the answer is not JSON", "bad_response"));
    ReadHead(*answer, reply);
    const json::Value choice = document->root().Get("choices").At(0);
    reply.text = choice.Get("message").Get("content").StringOr("");
    reply.finish_reason = choice.Get("finish_reason").StringOr("");
    ReadUsage(document->root().Get("usage"), reply);
    return reply;
}

int PrintWhole(RemoteRun& run, const AskOptions& options, std::string body, const Terminal& out,
               const Terminal& err) {
    WaitingLine waiting(err.is_terminal && !options.quiet);
    const auto reply = AskWhole(run, std::move(body), waiting);
    if (!reply) return Report(reply.error(), options.remote.json);
    if (options.remote.json) return Print(ToJson(*reply)) ? kExitOk : kExitFailed;
    std::string text = out.is_terminal ? Harmless(reply->text) : reply->text;
    if (!text.ends_with('\n')) text += '\n';
    if (!Print(text)) return kExitFailed;
    if (!options.quiet) PrintSummary(*reply, err);
    return kExitOk;
}

int PrintStream(RemoteRun& run, const AskOptions& options, std::string body, const Terminal& out,
                const Terminal& err) {
    WaitingLine waiting(err.is_terminal && !options.quiet);
    Reply reply;
    StreamPrinter printer(reply, out.is_terminal);
    const auto on_data = [&](const RemoteAnswer&, std::string_view piece) {
        waiting.Clear();
        return printer.Feed(piece);
    };
    const auto start = std::chrono::steady_clock::now();
    const auto answer =
        run.remote->Stream(run.business, kPath, std::move(body), on_data,
                           [&waiting](std::chrono::seconds waited) { waiting.Show(waited); });
    waiting.Clear();
    if (printer.line_open() && !printer.closed_output()) Print("\n");
    if (run.remote->interrupted()) return kExitInterrupted;
    if (!answer) return Report(answer.error(), false);
    if (answer->status / 100 != 2) return Report(RefusalOf(run.business, *answer), false);
    if (printer.error()) return Report(*printer.error(), false);
    if (printer.closed_output()) return kExitFailed;
    if (!printer.done()) {
        const std::string why = answer->cut ? answer->cut->message : "the stream has no proper end";
        return Report(BrokenAnswer("the answer broke off: " + why, "truncated"), false);
    }
    ReadHead(*answer, reply);
    reply.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    if (!options.quiet) PrintSummary(reply, err);
    return kExitOk;
}

int Ask(const AskOptions& options) {
    const config::Environment environment = config::Environment::FromProcess();
    const auto business = BusinessApi(environment, options.remote.url);
    if (!business) return Report(business.error(), options.remote.json);
    if (const auto key = RequireKey(*business); !key)
        return Report(key.error(), options.remote.json);
    // Before Ctrl-C is taken over: it ends the process while the standard input is read.
    const auto prompt = ReadPrompt(options.words);
    if (!prompt) return Report(prompt.error(), options.remote.json);
    auto run = RemoteRun::Start(options.remote);
    if (!run) return Report(run.error(), options.remote.json);
    const bool stream = !options.remote.json && !options.no_stream;
    std::string body = BodyOf(options, *prompt, stream);
    const Terminal out = Terminal::Of(STDOUT_FILENO, run->environment);
    const Terminal err = Terminal::Of(STDERR_FILENO, run->environment);
    return stream ? PrintStream(*run, options, std::move(body), out, err)
                  : PrintWhole(*run, options, std::move(body), out, err);
}

}  // namespace

void AddAskCommand(CommandSet& commands) {
    auto options = std::make_shared<AskOptions>();
    CLI::App* const ask =
        commands.root.add_subcommand("ask", "Asks a question and prints the answer as it comes");
    ask->add_option("TEXT", options->words, "The prompt, or - for the standard input");
    ask->add_option("-m,--model", options->model, "The model to ask first (default: the best one)")
        ->type_name("MODEL");
    ask->add_option("--system", options->system, "What the model shall keep to")->type_name("TEXT");
    ask->add_option("--max-tokens", options->max_tokens, "The longest answer")
        ->type_name("N")
        ->check(CLI::Range(1, 100'000'000));
    ask->add_option("--temperature", options->temperature, "0 to 2: how freely it answers")
        ->type_name("X")
        ->check(CLI::Range(0.0, 2.0));
    ask->add_flag("--no-fallback", options->no_fallback, "Ask no other model when it fails");
    ask->add_flag("--no-stream", options->no_stream, "Print the answer when it is complete");
    ask->add_flag("-q,--quiet", options->quiet, "Nothing but the answer");
    AddJson(*ask, options->remote);
    AddUrl(*ask, options->remote);
    ask->footer(
        "The key is $API_KEY, else the one in the state folder of tools/run.sh.\n\n"
        "Examples:\n"
        "  aimanager ask \"Explain quantum computing\"\n"
        "  aimanager ask --model llama-3.3-70b --no-fallback Hello\n"
        "  git diff | aimanager ask --system \"Review this\" -\n"
        "  aimanager ask --json Hello");
    ask->callback([options, &code = commands.exit_code] { code = Ask(*options); });
}

}  // namespace aim::cli
