#include "core/security/encoding.hpp"
#include "core/security/master_key.hpp"
#include "tests/integration/data_api/data_api_test_base.hpp"

namespace aim::data_api {
namespace {

constexpr const char* kCanary = "canary-row-key-77d1e0";
constexpr const char* kToken = "service-token-1";

std::string Master(char fill) { return security::Base64Encode(std::string(32, fill)); }

class DataApiModelKeysTest : public DataApiTest {
  protected:
    void StartSealed() { Start({{"DATA_API_TOKEN", kToken}, {"MASTER_KEY", Master('m')}}); }
    static test::HttpHeaders Token() { return {{"X-API-Key", kToken}}; }
    std::string Create(const std::string& name, const std::string& more) {
        const HttpAnswer answer = client().Post(
            "/models", R"({"name":")" + name + R"(","provider":"groq")" + more + "}", Token());
        EXPECT_EQ(answer.status, 201) << answer.body;
        EXPECT_EQ(answer.body.find(kCanary), std::string::npos);
        return std::string(Json(answer).root().Get("id").StringOr(""));
    }
    json::Document Sealed() { return Json(client().Get("/models?include=ciphertext", Token())); }
};

TEST_F(DataApiModelKeysTest, AKeyIsStoredEncryptedForItsRowAndNeverReturned) {
    StartSealed();
    const std::string id = Create("own", R"(,"api_key":")" + std::string(kCanary) + "\"");
    const json::Document list = Sealed();
    const json::Value row = list.root().At(0);
    EXPECT_EQ(row.Get("has_api_key").AsBool(), true);
    const auto sealed = security::Base64Decode(row.Get("api_key_ciphertext").StringOr(""));
    ASSERT_TRUE(sealed);
    const auto master = security::MasterKey::Parse(Master('m'));
    EXPECT_EQ(row.Get("api_key_key_id").StringOr(""), master->id());
    const auto plain = master->Decrypt(*sealed, id);
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(plain->Reveal(), kCanary);

    const std::string stored = Sql("SELECT ai_models::text FROM ai_models");
    const std::string one = client().Get("/models/" + id, Token()).body;
    for (const std::string& text :
         {stored, one, list.root().ToJson(), process_->output(), client().Get("/metrics").body}) {
        EXPECT_EQ(text.find(kCanary), std::string::npos) << text;
    }
    EXPECT_EQ(one.find("ciphertext"), std::string::npos);
    EXPECT_EQ(client().Get("/models", Token()).body.find("ciphertext"), std::string::npos);
}

TEST_F(DataApiModelKeysTest, AKeyIsChangedAndRemoved) {
    StartSealed();
    const std::string id = Create("plain", "");
    EXPECT_EQ(Sealed().root().At(0).Get("has_api_key").AsBool(), false);
    const auto patch = [&](const std::string& body) {
        const HttpAnswer answer = client().Request("PATCH", "/models/" + id, body, Token());
        EXPECT_EQ(answer.status, 200) << answer.body;
        return Json(answer);
    };
    const auto version = [](const json::Document& row) {
        return row.root().Get("version").Int64Or(0);
    };
    const json::Document with = patch(R"({"api_key":"first-key-of-the-row"})");
    EXPECT_EQ(with.root().Get("has_api_key").AsBool(), true);
    const std::string first(Sealed().root().At(0).Get("api_key_ciphertext").StringOr(""));
    const json::Document other = patch(R"({"api_key":"second-key-of-the-row"})");
    EXPECT_GT(version(other), version(with));
    EXPECT_NE(Sealed().root().At(0).Get("api_key_ciphertext").StringOr(""), first);
    // Another change leaves the key alone.
    EXPECT_EQ(patch(R"({"is_active":false})").root().Get("has_api_key").AsBool(), true);
    EXPECT_EQ(patch(R"({"api_key":null})").root().Get("has_api_key").AsBool(), false);
    EXPECT_TRUE(Sealed().root().At(0).Get("api_key_ciphertext").IsNull());
}

TEST_F(DataApiModelKeysTest, ABadKeyIsRefusedWithoutBeingRepeated) {
    StartSealed();
    for (const std::string& value :
         {std::string("7"), std::string("\"\""), std::string(R"("canary\nline")"),
          std::string(R"(" canary")"), "\"" + std::string(8193, 'k') + "\""}) {
        const HttpAnswer answer = client().Post(
            "/models", R"({"name":"a","provider":"groq","api_key":)" + value + "}", Token());
        ExpectError(answer, 400, "invalid_request", "api_key");
        EXPECT_EQ(answer.body.find("canary"), std::string::npos);
    }
}

TEST_F(DataApiModelKeysTest, WithoutATokenNoCiphertextIsGivenOutOrTaken) {
    Start({{"MASTER_KEY", Master('m')}});
    EXPECT_TRUE(process_->WaitForOutput("keys_not_readable", std::chrono::seconds(20)));
    EXPECT_EQ(process_->output().find("open_to_the_network"), std::string::npos);
    const std::string id = AddModel("own", R"(,"api_key":"a-key-of-the-row")");
    ExpectError(client().Get("/models?include=ciphertext"), 403, "forbidden");
    ExpectError(client().Post("/models/" + id + "/reencrypted-key", "{}"), 403, "forbidden");
}

TEST_F(DataApiModelKeysTest, ABadMasterKeyStopsTheStart) {
    Environment environment = BaseEnvironment();
    environment["MASTER_KEY"] = "canary-not-base64";
    ProcessFixture process({Program(), {}, environment});
    EXPECT_EQ(process.WaitForExit(), 2);
    EXPECT_NE(process.output().find("MASTER_KEY"), std::string::npos) << process.output();
    EXPECT_EQ(process.output().find("canary"), std::string::npos) << process.output();
}

TEST_F(DataApiModelKeysTest, ACiphertextIsReplacedOnlyWhileItIsTheKnownOne) {
    StartSealed();
    const std::string id = Create("own", R"(,"api_key":"a-key-of-the-row")");
    const std::string known(Sealed().root().At(0).Get("api_key_ciphertext").StringOr(""));
    const auto next = security::MasterKey::Parse(Master('n'));
    const std::string replacement = security::Base64Encode(next->Encrypt("a-key-of-the-row", id));
    const auto replace = [&](const std::string& ciphertext, const std::string& key_id,
                             const std::string& before) {
        return client().Post("/models/" + id + "/reencrypted-key",
                             R"({"api_key_ciphertext":")" + ciphertext + R"(","api_key_key_id":")" +
                                 key_id + R"(","known_ciphertext":")" + before + "\"}",
                             Token());
    };
    ExpectError(replace("x", next->id(), known), 400, "invalid_request", "api_key_ciphertext");
    ExpectError(replace(replacement, "x", known), 400, "invalid_request", "api_key_key_id");
    ExpectError(replace(replacement, next->id(), replacement), 409, "conflict", "known_ciphertext");
    EXPECT_EQ(replace(replacement, next->id(), known).status, 200);
    EXPECT_EQ(Sealed().root().At(0).Get("api_key_key_id").StringOr(""), next->id());
    ExpectError(replace(replacement, next->id(), known), 409, "conflict", "known_ciphertext");
}

}  // namespace
}  // namespace aim::data_api
