#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/http/router.hpp"

namespace aim::http {

// Swagger UI's two files, as tools/swagger-ui.sh puts them into a folder. Read once, before a
// server starts, so that no request waits for a disk; about 2 MB stay in memory.
class SwaggerUi {
  public:
    // Not there: every page falls back to a plain list of the operations.
    SwaggerUi() = default;

    // The error names the file that cannot be read or is empty.
    static Result<SwaggerUi> Read(const std::filesystem::path& folder);

    // The first `share/aimanager/swagger-ui` in a folder above the program; without files when
    // there is none.
    static SwaggerUi BesideProgram();

    bool empty() const { return !script_; }
    // Null when empty. Shared by the routers of all loops.
    const std::shared_ptr<const std::string>& script() const { return script_; }
    const std::shared_ptr<const std::string>& style() const { return style_; }

  private:
    std::shared_ptr<const std::string> script_;
    std::shared_ptr<const std::string> style_;
};

// Adds, open to everybody:
//   GET <prefix>/openapi.json   the document as it is
//   GET <prefix>/docs           Swagger UI for it, or a plain list that says how to get Swagger UI
//   GET <prefix>/docs/{file}    what that page needs
// The page's Content-Security-Policy allows files and calls of its own origin only. `openapi`
// outlives the router.
void AddDocumentation(Router& router, std::string_view prefix, std::string_view openapi,
                      const SwaggerUi& swagger_ui);

}  // namespace aim::http
