#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace aim::cli {

// What may stand where somebody presses the tab key.
struct Completion {
    struct Word {
        std::string text;
        std::string description;
    };
    std::vector<Word> words;
    bool files = false;  // names of files instead; the shell knows them

    // One a line, "text<TAB>description"; ":files".
    std::string ToLines() const;
};

using ModelNames = std::function<std::vector<std::string>()>;

// `words` stand behind the program's name, the last is the one that is being typed and may be
// empty. Everything comes from the parser itself: the commands, the options, and from an option's
// type name what its values are: "a|b" are choices, MODEL the names of models, FILE and DIR files.
Completion Complete(const CLI::App& root, const std::vector<std::string>& words,
                    const ModelNames& model_names);

// A command line up to the cursor, as its words with quotes and backslashes taken off; the last is
// empty after a space.
std::vector<std::string> SplitLine(std::string_view line);

// `aimanager __complete …`, which the shells' scripts call: "--line LINE", or "--" and words.
int PrintCompletion(const CLI::App& root, int argc, char** argv);

}  // namespace aim::cli
