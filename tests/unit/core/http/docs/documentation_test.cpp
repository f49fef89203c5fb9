#include "core/http/docs/documentation.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace aim::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DocumentationTest : public ::testing::Test {
  protected:
    DocumentationTest()
        : folder_(std::filesystem::temp_directory_path() /
                  ("aim-docs-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(folder_);
    }
    ~DocumentationTest() override { std::filesystem::remove_all(folder_); }

    void Put(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    SwaggerUi Installed() {
        Put("swagger-ui-bundle.js", "the script");
        Put("swagger-ui.css", "the style");
        auto read = SwaggerUi::Read(folder_);
        EXPECT_TRUE(read.has_value());
        return read ? *read : SwaggerUi();
    }
    static Response Get(const Router& router, const std::string& path) {
        Request request;
        request.method = Method::kGet;
        request.target = path;
        PathParameters parameters;
        const Router::Match match = router.Find(request.method, path, parameters);
        if (match.route == nullptr) {
            Response none;
            none.status = 0;
            return none;
        }
        EXPECT_TRUE(match.route->policy.open) << path;
        return std::get<PlainHandler>(match.route->handler)(request, parameters);
    }

    const std::filesystem::path folder_;
};

TEST_F(DocumentationTest, ServesSwaggerUiFromItsFiles) {
    Router router;
    AddDocumentation(router, "/api", "{}", Installed());
    EXPECT_EQ(Get(router, "/api/openapi.json").body, "{}");
    const Response page = Get(router, "/api/docs");
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("docs/swagger-ui-bundle.js"));
    EXPECT_EQ(Get(router, "/api/docs/swagger-ui-bundle.js").body, "the script");
    EXPECT_EQ(Get(router, "/api/docs/swagger-ui.css").body, "the style");
    EXPECT_THAT(Get(router, "/api/docs/start.js").body, HasSubstr("SwaggerUIBundle"));
    EXPECT_EQ(Get(router, "/api/docs/swagger-ui.css").headers.Find("Content-Type"),
              "text/css; charset=utf-8");
    EXPECT_EQ(Get(router, "/docs").status, 0);
}

TEST_F(DocumentationTest, SaysHowToGetSwaggerUiWithoutItsFiles) {
    Router router;
    AddDocumentation(router, "", "{\"openapi\":\"3.1.0\"}", SwaggerUi());
    EXPECT_THAT(Get(router, "/docs").body, HasSubstr("tools/swagger-ui.sh"));
    EXPECT_EQ(Get(router, "/docs/plain.js").status, 200);
    EXPECT_EQ(Get(router, "/docs/swagger-ui-bundle.js").status, 404);
    EXPECT_EQ(Get(router, "/openapi.json").body, "{\"openapi\":\"3.1.0\"}");
}

TEST_F(DocumentationTest, AllowsItsOwnOriginOnlyAndNoInlineScript) {
    for (const SwaggerUi& swagger_ui : {SwaggerUi(), Installed()}) {
        Router router;
        AddDocumentation(router, "", "{}", swagger_ui);
        const Response page = Get(router, "/docs");
        const std::string policy(page.headers.Find("Content-Security-Policy"));
        EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
        EXPECT_THAT(policy, HasSubstr("script-src 'self';"));
        EXPECT_THAT(policy, HasSubstr("connect-src 'self'"));
        EXPECT_THAT(page.body, Not(HasSubstr("<script>")));
        EXPECT_THAT(page.body, Not(HasSubstr("http://")));
        EXPECT_THAT(page.body, Not(HasSubstr("https://")));
    }
}

TEST_F(DocumentationTest, ServesNothingElseFromTheFolder) {
    Put("secret.txt", "no");
    Router router;
    AddDocumentation(router, "", "{}", Installed());
    for (const char* path :
         {"/docs/secret.txt", "/docs/..%2Fsecret.txt", "/docs/plain.js", "/docs/.."})
        EXPECT_EQ(Get(router, path).status, 404) << path;
}

TEST_F(DocumentationTest, ReadsBothFilesOrNone) {
    EXPECT_FALSE(SwaggerUi::Read(folder_).has_value());
    Put("swagger-ui-bundle.js", "the script");
    const auto half = SwaggerUi::Read(folder_);
    ASSERT_FALSE(half.has_value());
    EXPECT_THAT(half.error().message, HasSubstr("swagger-ui.css"));
    Put("swagger-ui.css", "");
    EXPECT_FALSE(SwaggerUi::Read(folder_).has_value());
}

}  // namespace
}  // namespace aim::http
