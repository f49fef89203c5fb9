#include <algorithm>

#include "core/base/time_format.hpp"
#include "core/security/sha256.hpp"
#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

class DataApiKeysTest : public DataApiTest {
  protected:
    json::Document Create(const std::string& body) {
        const HttpAnswer answer = client().Post("/api/v1/keys", body);
        EXPECT_EQ(answer.status, 201) << answer.body;
        EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
        json::Document key = Json(answer);
        EXPECT_EQ(answer.Header("Location"),
                  "/api/v1/keys/" + std::string(key.root().Get("id").StringOr("")));
        return key;
    }
    static std::string Text(const json::Document& document, const char* field) {
        return std::string(document.root().Get(field).StringOr(""));
    }
    // The hashes that a gateway would accept.
    std::vector<std::string> Hashes() {
        const json::Document list = Json(client().Get("/api/v1/keys/hashes"));
        std::vector<std::string> hashes;
        for (const auto& [index, key] : list.root().Get("keys"))
            hashes.emplace_back(key.Get("hash").StringOr(""));
        return hashes;
    }
    static bool Has(const std::vector<std::string>& hashes, const std::string& secret) {
        const std::string hash = security::ToHex(security::Sha256(secret));
        return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
    }
};

TEST_F(DataApiKeysTest, ASecretIsMadeHereAndToldOnce) {
    Start();
    const json::Document key = Create(R"({"name":"web"})");
    const std::string secret = Text(key, "secret");
    EXPECT_TRUE(secret.starts_with("aim_")) << secret.size();
    EXPECT_GE(secret.size(), 40U);
    EXPECT_EQ(Text(key, "prefix"), secret.substr(0, 8));
    EXPECT_EQ(key.root().Get("scopes").ToJson(), R"(["prompts","history"])");
    for (const char* field :
         {"expires_at", "rate_limit_per_minute", "last_used_at", "revoked_at", "rotated_at"}) {
        EXPECT_TRUE(key.root().Get(field).exists() && key.root().Get(field).IsNull()) << field;
    }
    EXPECT_TRUE(Has(Hashes(), secret));

    const std::string id = Text(key, "id");
    const HttpAnswer list = client().Get("/api/v1/keys");
    const HttpAnswer one = client().Get("/api/v1/keys/" + id);
    EXPECT_EQ(Json(list).root().size(), 1U);
    EXPECT_EQ(Text(Json(one), "name"), "web");
    EXPECT_EQ(Sql("SELECT encode(hash, 'hex') FROM api_keys"),
              security::ToHex(security::Sha256(secret)));
    const std::string row = Sql("SELECT api_keys::text FROM api_keys");
    for (const std::string& text : {list.body, one.body, row, process_->output()})
        EXPECT_EQ(text.find(secret), std::string::npos) << text;
}

TEST_F(DataApiKeysTest, ASecretOfTheCallersIsNotSaidAgain) {
    Start();
    const std::string secret = "canary-secret-of-the-caller";
    const json::Document key = Create(
        R"({"name":"own","secret":")" + secret +
        R"(","scopes":["admin"],"rate_limit_per_minute":0,"expires_at":"2999-01-01T00:00:00Z"})");
    EXPECT_FALSE(key.root().Get("secret").exists());
    EXPECT_EQ(Text(key, "expires_at"), "2999-01-01T00:00:00.000Z");
    EXPECT_EQ(key.root().Get("rate_limit_per_minute").AsInt64(), 0);
    EXPECT_TRUE(Has(Hashes(), secret));
    const HttpAnswer again =
        client().Post("/api/v1/keys", R"({"name":"other","secret":")" + secret + "\"}");
    ExpectError(again, 409, "conflict", "secret");
    EXPECT_EQ(again.body.find(secret), std::string::npos);
    EXPECT_EQ(process_->output().find(secret), std::string::npos) << process_->output();
}

TEST_F(DataApiKeysTest, WhatIsWrongIsNamed) {
    Start();
    Create(R"({"name":"taken"})");
    struct Case {
        std::string body;
        int status;
        std::string code;
        std::string field;
    };
    const std::vector<Case> cases = {
        {"{", 400, "invalid_json", ""},
        {"[]", 400, "invalid_request", ""},
        {"{}", 400, "invalid_request", "name"},
        {R"({"name":""})", 400, "invalid_request", "name"},
        {R"({"name":7})", 400, "invalid_request", "name"},
        {R"({"name":"a\nb"})", 400, "invalid_request", "name"},
        {R"({"name":")" + std::string(101, 'n') + "\"}", 400, "invalid_request", "name"},
        {R"({"name":"taken"})", 409, "duplicate_name", "name"},
        {R"({"name":"a","scopes":[]})", 400, "invalid_request", "scopes"},
        {R"({"name":"a","scopes":["root"]})", 400, "invalid_request", "scopes"},
        {R"({"name":"a","scopes":"prompts"})", 400, "invalid_request", "scopes"},
        {R"({"name":"a","rate_limit_per_minute":-1})", 400, "invalid_request",
         "rate_limit_per_minute"},
        {R"({"name":"a","rate_limit_per_minute":99999999999})", 400, "invalid_request",
         "rate_limit_per_minute"},
        {R"({"name":"a","expires_at":"soon"})", 400, "invalid_request", "expires_at"},
        {R"({"name":"a","expires_at":"2001-01-01T00:00:00Z"})", 400, "invalid_request",
         "expires_at"},
        {R"({"name":"a","secret":"too-short"})", 400, "invalid_request", "secret"},
        {R"({"name":"a","secret":"with spaces in it, which is wrong"})", 400, "invalid_request",
         "secret"},
        {R"({"name":"a","color":"red"})", 400, "invalid_request", "color"}};
    for (const Case& wrong : cases) {
        SCOPED_TRACE(wrong.body);
        ExpectError(client().Post("/keys", wrong.body), wrong.status, wrong.code, wrong.field);
    }
    ExpectError(client().Get("/keys?include=all"), 400, "invalid_request", "include");
    ExpectError(client().Get("/keys/7"), 400, "invalid_id", "id");
    const std::string unknown = "/keys/" + NewId().ToString();
    ExpectError(client().Get(unknown), 404, "not_found", "id");
    ExpectError(client().Request("DELETE", unknown), 404, "not_found", "id");
    ExpectError(client().Post(unknown + "/rotate", "{}"), 404, "not_found", "id");
    EXPECT_EQ(Json(client().Get("/keys")).root().size(), 1U);
}

TEST_F(DataApiKeysTest, ARevokedKeyIsGoneForGatewaysAndStaysInTheList) {
    Start();
    const json::Document key = Create(R"({"name":"leaver"})");
    const std::string path = "/api/v1/keys/" + Text(key, "id");
    EXPECT_EQ(client().Request("DELETE", path).status, 204);
    EXPECT_EQ(client().Request("DELETE", path).status, 204);
    EXPECT_TRUE(Hashes().empty());
    EXPECT_EQ(Json(client().Get("/keys")).root().size(), 0U);
    const json::Document all = Json(client().Get("/keys?include=revoked"));
    ASSERT_EQ(all.root().size(), 1U);
    EXPECT_FALSE(all.root().At(0).Get("revoked_at").IsNull());
    ExpectError(client().Post(path + "/rotate", "{}"), 409, "conflict", "id");
    Create(R"({"name":"leaver"})");  // the name is free again
}

TEST_F(DataApiKeysTest, ARotatedKeyKeepsItsOldSecretForTheGrace) {
    Start();
    const json::Document key = Create(R"({"name":"web"})");
    const std::string first = Text(key, "secret");
    const std::string path = "/api/v1/keys/" + Text(key, "id") + "/rotate";
    const HttpAnswer rotated = client().Post(path, R"({"grace_ms":3600000})");
    ASSERT_EQ(rotated.status, 200) << rotated.body;
    const std::string second = Text(Json(rotated), "secret");
    EXPECT_NE(first, second);
    EXPECT_EQ(Text(Json(rotated), "prefix"), second.substr(0, 8));
    EXPECT_FALSE(Json(rotated).root().Get("previous_valid_until").IsNull());
    EXPECT_TRUE(Has(Hashes(), first));
    EXPECT_TRUE(Has(Hashes(), second));
    // Without a grace the old one ends at once; one before it, too.
    const std::string third = Text(Json(client().Post(path, R"({"grace_ms":0})")), "secret");
    EXPECT_FALSE(Has(Hashes(), first));
    EXPECT_FALSE(Has(Hashes(), second));
    EXPECT_TRUE(Has(Hashes(), third));
    ExpectError(client().Post(path, R"({"secret":")" + third + "\"}"), 409, "conflict", "secret");
    ExpectError(client().Post(path, R"({"grace_ms":-1})"), 400, "invalid_request", "grace_ms");
    ExpectError(client().Post(path, R"({"grace_ms":99999999999})"), 400, "invalid_request",
                "grace_ms");
    EXPECT_EQ(client().Post(path, "").status, 200);  // an hour, a secret of ours
    EXPECT_TRUE(Has(Hashes(), third));
    Sql("UPDATE api_keys SET previous_valid_until = now() - interval '1 second'");
    EXPECT_FALSE(Has(Hashes(), third));
}

TEST_F(DataApiKeysTest, AnExpiredKeyHasNoHash) {
    Start();
    Create(R"({"name":"old","expires_at":"2999-01-01T00:00:00Z"})");
    ASSERT_EQ(Hashes().size(), 1U);
    EXPECT_EQ(
        Json(client().Get("/keys/hashes")).root().Get("keys").At(0).Get("valid_until").StringOr(""),
        "2999-01-01T00:00:00.000Z");
    Sql("UPDATE api_keys SET expires_at = now() - interval '1 second'");
    EXPECT_TRUE(Hashes().empty());
}

TEST_F(DataApiKeysTest, TheTagOfTheHashesChangesWithEveryChangeButUse) {
    Start();
    const auto tag = [this] { return client().Get("/api/v1/keys/hashes").Header("ETag"); };
    std::string known = tag();
    const auto changed = [&] {
        const HttpAnswer again = client().Get("/api/v1/keys/hashes", {{"If-None-Match", known}});
        known = tag();
        return again.status == 200;
    };
    EXPECT_FALSE(changed());
    const json::Document key = Create(R"({"name":"web"})");
    const std::string id = Text(key, "id");
    EXPECT_TRUE(changed());
    EXPECT_FALSE(changed());
    const HttpAnswer used = client().Post(
        "/api/v1/keys/last-used",
        R"({"keys":[{"id":")" + id + R"(","last_used_at":"2026-11-21T10:30:45.123Z"}]})");
    EXPECT_EQ(used.status, 200) << used.body;
    EXPECT_EQ(Json(used).root().Get("updated").AsInt64(), 1);
    EXPECT_FALSE(changed());
    EXPECT_EQ(client().Post("/api/v1/keys/" + id + "/rotate", "{}").status, 200);
    EXPECT_TRUE(changed());
    EXPECT_EQ(client().Request("DELETE", "/api/v1/keys/" + id).status, 204);
    EXPECT_TRUE(changed());
}

TEST_F(DataApiKeysTest, UsesNeverGoBackInTime) {
    Start();
    const std::string id = Text(Create(R"({"name":"web"})"), "id");
    const auto note = [&](const std::string& key, const std::string& time) {
        return client().Post("/keys/last-used", R"({"keys":[{"id":")" + key +
                                                    R"(","last_used_at":")" + time + "\"}]}");
    };
    const auto last = [&] { return Text(Json(client().Get("/keys/" + id)), "last_used_at"); };
    EXPECT_EQ(note(id, "2026-11-21T10:00:00Z").status, 200);
    EXPECT_EQ(note(id, "2026-11-21T09:00:00Z").status, 200);
    EXPECT_EQ(last(), "2026-11-21T10:00:00.000Z");
    EXPECT_EQ(note(id, "2026-11-21T11:00:00Z").status, 200);
    EXPECT_EQ(last(), "2026-11-21T11:00:00.000Z");
    EXPECT_EQ(
        Json(note(NewId().ToString(), "2026-11-21T11:00:00Z")).root().Get("updated").AsInt64(), 0);
    ExpectError(note("x", "2026-11-21T11:00:00Z"), 400, "invalid_id", "id");
    ExpectError(note(id, "now"), 400, "invalid_request", "last_used_at");
    ExpectError(client().Post("/keys/last-used", R"({"keys":{}})"), 400, "invalid_request", "keys");
}

TEST_F(DataApiKeysTest, EverythingIsBehindTheToken) {
    Start({{"DATA_API_TOKEN", "service-token-1"}});
    for (const char* path : {"/keys", "/api/v1/keys", "/keys/hashes"})
        ExpectError(client().Get(path), 401, "missing_api_key");
    ExpectError(client().Post("/keys", R"({"name":"a"})"), 401, "missing_api_key");
    ExpectError(client().Post("/keys/last-used", "{}"), 401, "missing_api_key");
    EXPECT_EQ(client().Get("/keys", {{"X-API-Key", "service-token-1"}}).status, 200);
}

TEST_F(DataApiKeysTest, AnswersCarrySecurityHeaders) {
    Start();
    for (const char* path : {"/health", "/models", "/nowhere", "/openapi.json"}) {
        const HttpAnswer answer = client().Get(path);
        EXPECT_EQ(answer.Header("X-Content-Type-Options"), "nosniff") << path;
        EXPECT_EQ(answer.Header("X-Frame-Options"), "DENY") << path;
        EXPECT_EQ(answer.Header("Referrer-Policy"), "no-referrer") << path;
    }
}

}  // namespace
}  // namespace aim::data_api
