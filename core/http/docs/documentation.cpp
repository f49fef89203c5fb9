#include "core/http/docs/documentation.hpp"

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "core/http/error_response.hpp"

namespace aim::embedded {
extern const std::string_view kDocsPage;
extern const std::string_view kDocsStart;
extern const std::string_view kDocsPlainPage;
extern const std::string_view kDocsPlainStart;
}  // namespace aim::embedded

namespace aim::http {
namespace {

constexpr std::string_view kScriptFile = "swagger-ui-bundle.js";
constexpr std::string_view kStyleFile = "swagger-ui.css";
constexpr std::string_view kScriptType = "text/javascript; charset=utf-8";
constexpr std::string_view kStyleType = "text/css; charset=utf-8";
// Swagger UI draws its icons from data: addresses and sets style attributes; it needs no inline
// script and nothing from elsewhere.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct File {
    std::string_view content_type;
    std::string_view text;
};
// What the files are views of lives as long as the routes that hold this.
struct Files {
    SwaggerUi swagger_ui;
    std::map<std::string_view, File> by_name;
};

Result<std::string> ReadFile(const std::filesystem::path& path) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error || size == 0)
        return Fail(ErrorKind::kInvalidRequest, path.string() + " is not there or empty");
    // At once: more than a megabyte is read at each start.
    std::string text(size, '\0');
    if (!std::ifstream(path, std::ios::binary)
             .read(text.data(), static_cast<std::streamsize>(text.size())))
        return Fail(ErrorKind::kInvalidRequest, "cannot read " + path.string());
    return text;
}

Response Page(std::string_view html) {
    Response response = Response::Text(200, "text/html; charset=utf-8", std::string(html));
    response.headers.Add("Content-Security-Policy", kPolicy);
    return response;
}

std::shared_ptr<const Files> MakeFiles(const SwaggerUi& swagger_ui) {
    auto files = std::make_shared<Files>();
    files->swagger_ui = swagger_ui;
    if (swagger_ui.empty()) {
        files->by_name["plain.js"] = {kScriptType, embedded::kDocsPlainStart};
    } else {
        files->by_name["start.js"] = {kScriptType, embedded::kDocsStart};
        files->by_name[kScriptFile] = {kScriptType, *swagger_ui.script()};
        files->by_name[kStyleFile] = {kStyleType, *swagger_ui.style()};
    }
    return files;
}

}  // namespace

Result<SwaggerUi> SwaggerUi::Read(const std::filesystem::path& folder) {
    auto script = ReadFile(folder / kScriptFile);
    if (!script) return Unexpected(std::move(script.error()));
    auto style = ReadFile(folder / kStyleFile);
    if (!style) return Unexpected(std::move(style.error()));
    SwaggerUi files;
    files.script_ = std::make_shared<const std::string>(std::move(*script));
    files.style_ = std::make_shared<const std::string>(std::move(*style));
    return files;
}

SwaggerUi SwaggerUi::BesideProgram() {
    std::error_code ignored;
    std::filesystem::path folder =
        std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    while (!folder.empty()) {
        if (auto files = Read(folder / "share/aimanager/swagger-ui")) return std::move(*files);
        if (folder == folder.root_path()) break;
        folder = folder.parent_path();
    }
    return {};
}

void AddDocumentation(Router& router, std::string_view prefix, std::string_view openapi,
                      const SwaggerUi& swagger_ui) {
    const std::string base(prefix);
    RoutePolicy open;
    open.open = true;
    router.Add(
        Method::kGet, base + "/openapi.json",
        [openapi](const Request&, const PathParameters&) {
            return Response::Json(200, std::string(openapi));
        },
        open);
    const std::string_view page =
        swagger_ui.empty() ? embedded::kDocsPlainPage : embedded::kDocsPage;
    router.Add(
        Method::kGet, base + "/docs",
        [page](const Request&, const PathParameters&) { return Page(page); }, open);
    router.Add(
        Method::kGet, base + "/docs/{file}",
        [files = MakeFiles(swagger_ui)](const Request& request, const PathParameters& parameters) {
            const auto file = files->by_name.find(parameters.Get("file"));
            if (file == files->by_name.end()) return ErrorWriter().NoRoute(request, {});
            Response response =
                Response::Text(200, file->second.content_type, std::string(file->second.text));
            // They change with the program only.
            response.headers.Add("Cache-Control", "public, max-age=3600");
            return response;
        },
        open);
}

}  // namespace aim::http
