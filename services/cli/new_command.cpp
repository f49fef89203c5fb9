#include "services/cli/new_command.hpp"

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/plugin/descriptor.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::embedded {
extern const std::string_view kTemplateC;
extern const std::string_view kTemplateCpp;
extern const std::string_view kTemplateCMake;
extern const std::string_view kTemplateReadme;
}  // namespace aim::embedded

namespace aim::cli {
namespace {

namespace fs = std::filesystem;

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

// The name of the key's setting: "acme-ai" -> "ACME_AI_API_KEY".
std::string KeyName(const std::string& name) {
    std::string key;
    for (const char c : name)
        key += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return key + "_API_KEY";
}

bool Write(const fs::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    return static_cast<bool>(file);
}

int Problem(int exit_code, const std::string& message) {
    std::fprintf(stderr, "aimanager: %s\n", message.c_str());
    return exit_code;
}

}  // namespace

int NewPlugin(const PluginNewOptions& options) {
    const std::string& name = options.name;
    if (!plugin::IsProviderId(name) || std::isalpha(static_cast<unsigned char>(name[0])) == 0)
        return Problem(kExitUsage,
                       "a plugin's name begins with a letter and has a-z, 0-9, '_' and '-' only");
    const bool is_c = options.language == "c";
    const std::string old_name = is_c ? "template_c" : "template_cpp";
    const std::string old_key = is_c ? "TEMPLATE_C_API_KEY" : "TEMPLATE_CPP_API_KEY";
    const std::string old_title = is_c ? "Template in C" : "Template in C++";
    const std::string file = is_c ? "plugin.c" : "plugin.cpp";
    const auto fill = [&](std::string_view from) {
        std::string text = ReplaceAll(std::string(from), old_key, KeyName(name));
        text = ReplaceAll(std::move(text), old_title, name);
        text = ReplaceAll(std::move(text), old_name, name);
        text = ReplaceAll(std::move(text), "@NAME@", name);
        text = ReplaceAll(std::move(text), "@KEY@", KeyName(name));
        text = ReplaceAll(std::move(text), "@SOURCE@", file);
        return ReplaceAll(std::move(text), "@LANGUAGE@", is_c ? "C" : "CXX");
    };

    const fs::path folder = fs::path(options.into.empty() ? "." : options.into) / name;
    std::error_code error;
    if (fs::exists(folder, error))
        return Problem(kExitFailed, folder.string() + " is there already; nothing was written");
    if (!fs::create_directories(folder, error))
        return Problem(kExitFailed, folder.string() + " cannot be made: " + error.message());
    const bool written =
        Write(folder / file, fill(is_c ? embedded::kTemplateC : embedded::kTemplateCpp)) &&
        Write(folder / "CMakeLists.txt", fill(embedded::kTemplateCMake)) &&
        Write(folder / "README.md", fill(embedded::kTemplateReadme));
    if (!written)
        return Problem(kExitFailed, "a file in " + folder.string() + " cannot be written");
    std::printf("%s is written. Next: README.md in it says how to build and check it.\n",
                folder.c_str());
    return kExitOk;
}

}  // namespace aim::cli
