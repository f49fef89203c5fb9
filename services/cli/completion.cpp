#include "services/cli/completion.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/json/json.hpp"
#include "services/cli/console/output.hpp"
#include "services/cli/exit_code.hpp"
#include "services/cli/remote_flags.hpp"

namespace aim::cli {
namespace {

// Nobody waits for long with a finger on the tab key.
constexpr std::chrono::milliseconds kTimeout{1'000};

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

std::vector<const CLI::Option*> VisibleOptions(const CLI::App& command) {
    return command.get_options(
        [](const CLI::Option* option) { return !option->get_group().empty(); });
}

const CLI::Option* FindOption(const CLI::App& command, std::string_view word) {
    const std::string name(word.substr(0, word.find('=')));
    return command.get_option_no_throw(name);
}

const CLI::App* FindCommand(const CLI::App& parent, const std::string& word) {
    for (const CLI::App* const child : parent.get_subcommands([](const CLI::App*) { return true; }))
        if (child->get_name() == word) return child;
    return nullptr;
}

void AddValues(const CLI::Option& option, const std::string& before, std::string_view typed,
               const ModelNames& model_names, Completion& completion) {
    const std::string kind = option.get_type_name();
    if (kind == "FILE" || kind == "DIR") {
        completion.files = true;
        return;
    }
    std::vector<std::string> values;
    if (kind == "MODEL") {
        values = model_names();
    } else if (kind.find('|') != std::string::npos) {
        values = CLI::detail::split(kind, '|');
    }
    for (std::string& value : values) {
        if (value.starts_with(typed)) completion.words.push_back({before + value, {}});
    }
}

void AddOptions(const CLI::App& command, std::string_view typed, Completion& completion) {
    for (const CLI::Option* const option : VisibleOptions(command)) {
        for (const std::string& name : option->get_lnames()) {
            const std::string text = "--" + name;
            if (text.starts_with(typed))
                completion.words.push_back({text, option->get_description()});
        }
    }
}

void AddCommands(const CLI::App& command, std::string_view typed, Completion& completion) {
    for (const CLI::App* const child :
         command.get_subcommands([](const CLI::App*) { return true; })) {
        if (!child->get_group().empty() && child->get_name().starts_with(typed))
            completion.words.push_back({child->get_name(), child->get_description()});
    }
}

const CLI::Option* PositionalAt(const CLI::App& command, std::size_t position) {
    const auto all =
        command.get_options([](const CLI::Option* option) { return option->get_positional(); });
    if (all.empty()) return nullptr;
    const CLI::Option* const last = all.back();
    if (position < all.size()) return all[position];
    return last->get_items_expected_max() > 1 ? last : nullptr;
}

std::vector<std::string> ModelsOfGateway(const std::vector<std::string>& words) {
    RemoteFlags flags;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i].starts_with("--url=")) flags.url = words[i].substr(6);
        if (words[i] == "--url" && i + 1 < words.size()) flags.url = words[i + 1];
    }
    std::vector<std::string> names;
    auto run = RemoteRun::Start(flags);
    if (!run) return names;
    // The list is open: the key stays here.
    run->business.key = SecretString();
    const auto body = run->remote->Fetch(run->business, "GET", "/api/v1/models", {}, kTimeout);
    if (!body) return names;
    const auto models = json::Parse(*body);
    if (!models) return names;
    for (const auto& [key, model] : models->root()) {
        const std::string name(model.Get("name").StringOr(""));
        // What would break the lines of the answer is not offered.
        if (!name.empty() && name.find_first_of("\n\t") == std::string::npos &&
            Harmless(name) == name)
            names.push_back(name);
    }
    return names;
}

}  // namespace

std::string Completion::ToLines() const {
    if (files) return ":files\n";
    std::string lines;
    for (const Word& word : words) {
        lines += word.text;
        if (!word.description.empty()) lines += "\t" + word.description;
        lines += "\n";
    }
    return lines;
}

Completion Complete(const CLI::App& root, const std::vector<std::string>& words,
                    const ModelNames& model_names) {
    Completion completion;
    const CLI::App* command = &root;
    const CLI::Option* pending = nullptr;
    bool only_positionals = false;
    std::size_t positionals = 0;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string& word = words[i];
        if (pending != nullptr) {
            pending = nullptr;
        } else if (!only_positionals && word == "--") {
            only_positionals = true;
        } else if (!only_positionals && word.size() > 1 && word[0] == '-') {
            const CLI::Option* const option = FindOption(*command, word);
            if (option != nullptr && TakesValue(*option) && word.find('=') == std::string::npos)
                pending = option;
        } else if (const CLI::App* const child =
                       positionals == 0 ? FindCommand(*command, word) : nullptr) {
            command = child;
        } else {
            ++positionals;
        }
    }
    const std::string_view typed = words.empty() ? std::string_view() : words.back();
    if (pending != nullptr) {
        AddValues(*pending, {}, typed, model_names, completion);
        return completion;
    }
    if (!only_positionals && typed.starts_with("--") && typed.find('=') != std::string_view::npos) {
        const std::size_t equals = typed.find('=');
        if (const CLI::Option* const option = FindOption(*command, typed)) {
            AddValues(*option, std::string(typed.substr(0, equals + 1)), typed.substr(equals + 1),
                      model_names, completion);
        }
        return completion;
    }
    if (!only_positionals && typed.starts_with('-')) {
        AddOptions(*command, typed, completion);
        return completion;
    }
    if (positionals == 0) AddCommands(*command, typed, completion);
    if (const CLI::Option* const positional = PositionalAt(*command, positionals))
        AddValues(*positional, {}, typed, model_names, completion);
    return completion;
}

std::vector<std::string> SplitLine(std::string_view line) {
    std::vector<std::string> words;
    std::optional<std::string> word;
    char quote = '\0';
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote != '\0') {
            if (c == quote) {
                quote = '\0';
            } else if (c == '\\' && quote == '"' && i + 1 < line.size()) {
                word->push_back(line[++i]);
            } else {
                word->push_back(c);
            }
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (word) words.push_back(std::move(*word));
            word.reset();
        } else {
            if (!word) word.emplace();
            if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == '\\' && i + 1 < line.size()) {
                word->push_back(line[++i]);
            } else {
                word->push_back(c);
            }
        }
    }
    words.push_back(word.value_or(""));
    return words;
}

int PrintCompletion(const CLI::App& root, int argc, char** argv) {
    std::vector<std::string> words(argv, argv + argc);
    if (words.size() == 2 && words[0] == "--line") {
        words = SplitLine(words[1]);
        words.erase(words.begin());  // the program
    } else if (!words.empty() && words[0] == "--") {
        words.erase(words.begin());
    } else {
        return kExitUsage;
    }
    const Completion found = Complete(root, words, [&words] { return ModelsOfGateway(words); });
    return Print(found.ToLines()) ? kExitOk : kExitFailed;
}

}  // namespace aim::cli
