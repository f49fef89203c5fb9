#include "core/http/middleware/auth.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aim::http {
namespace {

std::shared_ptr<const KeyVerifier> Keys() {
    auto keys = std::make_shared<ConfiguredKeys>();
    keys->Add("bootstrap", SecretString("sk-right"));
    keys->Add("bot", SecretString("sk-bot"));
    keys->Add("nobody", SecretString(""));
    return keys;
}

Route RouteWith(RoutePolicy policy) { return {Method::kPost, "/x", policy, PlainHandler()}; }

Request RequestWith(std::string_view name, std::string_view value) {
    Request request;
    request.target = "/x";
    if (!name.empty()) request.headers.Add(name, value);
    return request;
}

TEST(Auth, TakesTheKeyFromEitherHeader) {
    AuthMiddleware auth(Keys());
    const Route route = RouteWith({});
    for (const auto& [name, value, id] :
         std::vector<std::array<std::string, 3>>{{"X-API-Key", "sk-right", "bootstrap"},
                                                 {"x-api-key", "sk-bot", "bot"},
                                                 {"Authorization", "Bearer sk-right", "bootstrap"},
                                                 {"authorization", "bearer  sk-bot", "bot"}}) {
        Request request = RequestWith(name, value);
        EXPECT_FALSE(auth.Before(request, &route)) << name;
        EXPECT_EQ(request.key_id, id);
    }
}

struct Refused {
    std::string header;
    std::string value;
    std::string code;
};

TEST(Auth, RefusesMissingAndWrongKeys) {
    AuthMiddleware auth(Keys());
    const Route route = RouteWith({});
    const std::vector<Refused> cases = {{"", "", "missing_api_key"},
                                        {"X-API-Key", "", "missing_api_key"},
                                        {"Authorization", "Bearer ", "missing_api_key"},
                                        {"Authorization", "Basic c2stcmlnaHQ=", "missing_api_key"},
                                        {"X-API-Key", "sk-wrong", "invalid_api_key"},
                                        {"X-API-Key", "sk-righ", "invalid_api_key"},
                                        {"X-API-Key", "sk-rightt", "invalid_api_key"},
                                        {"Authorization", "Bearer SK-RIGHT", "invalid_api_key"}};
    for (const Refused& refused : cases) {
        Request request = RequestWith(refused.header, refused.value);
        const auto response = auth.Before(request, &route);
        ASSERT_TRUE(response) << refused.value;
        EXPECT_EQ(response->status, 401);
        EXPECT_THAT(response->body, ::testing::HasSubstr(refused.code));
        EXPECT_THAT(response->body, ::testing::Not(::testing::HasSubstr("sk-")));
        EXPECT_EQ(request.key_id, "");
    }
}

TEST(Auth, LeavesOpenRoutesAndUnknownPathsAlone) {
    AuthMiddleware auth(Keys());
    RoutePolicy open;
    open.open = true;
    const Route route = RouteWith(open);
    Request request = RequestWith("X-API-Key", "sk-wrong");
    EXPECT_FALSE(auth.Before(request, &route));
    EXPECT_FALSE(auth.Before(request, nullptr));
}

TEST(Auth, SpeaksTheRoutesProtocol) {
    AuthMiddleware auth(Keys());
    RoutePolicy policy;
    policy.protocol = Protocol::kOpenAi;
    const Route route = RouteWith(policy);
    Request request = RequestWith("", "");
    EXPECT_THAT(auth.Before(request, &route)->body,
                ::testing::HasSubstr(R"("code":"missing_api_key")"));
}

class AwayVerifier final : public KeyVerifier {
  public:
    Answer Verify(std::string_view) const override { return {Verdict::kCannotVerify, ""}; }
};

TEST(Auth, AKeyThatCannotBeVerifiedIsNoWrongKey) {
    AuthMiddleware auth(std::make_shared<AwayVerifier>());
    const Route route = RouteWith({});
    Request request = RequestWith("X-API-Key", "sk");
    const auto response = auth.Before(request, &route);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 503);
    EXPECT_THAT(response->body, ::testing::HasSubstr("cannot_verify_key"));
    EXPECT_EQ(response->headers.Find("Retry-After"), "1");
}

}  // namespace
}  // namespace aim::http
