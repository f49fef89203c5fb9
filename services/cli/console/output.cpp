#include "services/cli/console/output.hpp"

#include <cerrno>
#include <charconv>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/utf8.hpp"
#include "core/json/writer.hpp"
#include "services/cli/exit_code.hpp"

namespace aim::cli {
namespace {

const char* Escape(Colour colour) {
    switch (colour) {
        case Colour::kGreen:
            return "\x1b[32m";
        case Colour::kYellow:
            return "\x1b[33m";
        case Colour::kRed:
            return "\x1b[31m";
        case Colour::kDim:
            return "\x1b[2m";
        case Colour::kBold:
            return "\x1b[1m";
        case Colour::kNone:
            break;
    }
    return "";
}

int ColumnsOf(int descriptor, const config::Environment& environment) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const std::string_view text = environment.Get("COLUMNS").value_or("");
    int columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    return error == std::errc() && end == text.data() + text.size() && columns > 0 ? columns : 80;
}

int ExitCodeOf(const Error& error) {
    if (error.kind == ErrorKind::kCancelled) return kExitInterrupted;
    if (error.upstream_status != 0) return kExitRefused;
    switch (error.kind) {
        case ErrorKind::kInvalidRequest:
            return kExitUsage;
        case ErrorKind::kModelNotFound:
            return kExitRefused;
        default:
            return kExitFailed;
    }
}

}  // namespace

Terminal Terminal::Of(int descriptor, const config::Environment& environment) {
    Terminal terminal;
    terminal.is_terminal = ::isatty(descriptor) == 1;
    if (!terminal.is_terminal) return terminal;
    terminal.columns = ColumnsOf(descriptor, environment);
    terminal.colours =
        !environment.Has("NO_COLOR") && environment.Get("TERM").value_or("dumb") != "dumb";
    return terminal;
}

std::string Coloured(std::string_view text, Colour colour, bool wanted) {
    if (!wanted || colour == Colour::kNone) return std::string(text);
    return std::string(Escape(colour)).append(text).append("\x1b[0m");
}

bool Print(std::string_view text) {
    std::fflush(stdout);
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string Harmless(std::string_view text) {
    std::string valid;
    SanitizeUtf8(text, valid);
    std::string out;
    out.reserve(valid.size());
    for (std::size_t i = 0; i < valid.size(); ++i) {
        const auto byte = static_cast<unsigned char>(valid[i]);
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) continue;
        // U+0080 to U+009F: the same controls in two bytes.
        if (byte == 0xc2 && static_cast<unsigned char>(valid[i + 1]) < 0xa0) {
            ++i;
            continue;
        }
        out.push_back(valid[i]);
    }
    return out;
}

void Complain(std::string_view message) {
    std::fprintf(stderr, "aimanager: %s\n", Harmless(message).c_str());
}

int Report(const Error& error, bool as_json) {
    const int exit_code = ExitCodeOf(error);
    if (exit_code == kExitInterrupted) return exit_code;
    Complain(error.message);
    if (as_json) {
        std::string text;
        json::Writer out(text);
        out.BeginObject().Field("error", error.message).Field("error_code", error.code);
        if (!error.field.empty()) out.Field("field", error.field);
        if (error.upstream_status != 0) out.Field("status", error.upstream_status);
        out.Field("exit_code", exit_code).EndObject();
        Print(text + "\n");
    }
    return exit_code;
}

}  // namespace aim::cli
