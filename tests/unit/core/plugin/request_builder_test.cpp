// What a plugin may describe (aim/abi/http_builder.h), through the table that it is given.
#include "core/plugin/request_builder.hpp"

#include <map>
#include <optional>

#include <gtest/gtest.h>

#include "core/plugin/session_driver.hpp"
#include "tests/support/scripted_plugin.hpp"

namespace aim::plugin {
namespace {

using aim::testing::AbiText;

// The values of slots, by whole template; what is not named stays as it is.
class FakeSlots final : public HeaderSlots {
  public:
    Result<std::string> Fill(std::string_view value_template, const http::Url& url) const override {
        asked.emplace_back(std::string(value_template), url.host);
        if (error) return Unexpected(*error);
        const auto value = values.find(value_template);
        return value == values.end() ? std::string(value_template) : value->second;
    }

    std::map<std::string, std::string, std::less<>> values;
    std::optional<Error> error;
    mutable std::vector<std::pair<std::string, std::string>> asked;  // template and host
};

class RequestBuilderTest : public ::testing::Test {
  protected:
    int32_t Method(std::string_view method) { return table_->method(context(), AbiText(method)); }
    int32_t Url(std::string_view url) { return table_->url(context(), AbiText(url)); }
    int32_t Header(std::string_view name, std::string_view value) {
        return table_->header(context(), AbiText(name), AbiText(value));
    }
    int32_t Body(std::string_view piece) {
        return table_->body(context(),
                            {reinterpret_cast<const uint8_t*>(piece.data()), piece.size()});
    }
    int32_t Framing(int32_t framing) { return table_->framing(context(), framing); }

    http::client::UpstreamRequest Finish() {
        auto request = builder_.Finish(slots_);
        EXPECT_TRUE(request) << request.error().message;
        return request ? std::move(*request) : http::client::UpstreamRequest();
    }
    // That the description was refused, and why.
    void ExpectRefused(std::string_view why) {
        const auto request = builder_.Finish(slots_);
        ASSERT_FALSE(request);
        EXPECT_EQ(request.error().kind, ErrorKind::kInternal);
        EXPECT_NE(request.error().message.find(why), std::string::npos) << request.error().message;
        EXPECT_TRUE(slots_.asked.empty());  // no secret was touched
    }

    void* context() const { return table_->context; }

    RequestBuilder builder_;
    const aim_http_builder* const table_ = builder_.get();
    FakeSlots slots_;
};

TEST_F(RequestBuilderTest, TheTableIsWhole) {
    EXPECT_EQ(table_->struct_size, sizeof(aim_http_builder));
    EXPECT_EQ(table_->reserved, 0U);
    EXPECT_NE(table_->method, nullptr);
    EXPECT_NE(table_->url, nullptr);
    EXPECT_NE(table_->header, nullptr);
    EXPECT_NE(table_->body, nullptr);
    EXPECT_NE(table_->framing, nullptr);
}

TEST_F(RequestBuilderTest, EverythingIsTakenInItsOrder) {
    EXPECT_EQ(Method("PATCH"), AIM_OK);
    EXPECT_EQ(Url("https://API.Provider.test:8443/v1/chat?a=b"), AIM_OK);
    EXPECT_EQ(Header("X-One", "1"), AIM_OK);
    EXPECT_EQ(Header("x-one", "2"), AIM_OK);
    EXPECT_EQ(Header("Empty", ""), AIM_OK);
    EXPECT_EQ(Body("{\"a\":"), AIM_OK);
    EXPECT_EQ(Body(""), AIM_OK);
    EXPECT_EQ(Body(std::string_view("\0\xff}", 3)), AIM_OK);
    EXPECT_EQ(Framing(AIM_FRAMING_SSE), AIM_OK);
    const http::client::UpstreamRequest request = Finish();
    EXPECT_EQ(request.method, "PATCH");
    EXPECT_TRUE(request.url.tls);
    EXPECT_EQ(request.url.host, "api.provider.test");
    EXPECT_EQ(request.url.port, 8443);
    EXPECT_EQ(request.url.target, "/v1/chat?a=b");
    ASSERT_EQ(request.headers.size(), 3U);
    EXPECT_EQ(request.headers[0].name, "X-One");
    EXPECT_EQ(request.headers[0].value, "1");
    EXPECT_EQ(request.headers[1].value, "2");
    EXPECT_EQ(request.headers[2].name, "Empty");
    EXPECT_EQ(request.headers[2].value, "");
    EXPECT_EQ(request.body, std::string_view("{\"a\":\0\xff}", 8));
    EXPECT_EQ(builder_.framing(), AIM_FRAMING_SSE);
}

TEST_F(RequestBuilderTest, TheLastMethodUrlAndFramingCount) {
    for (const char* method : {"GET", "DELETE"}) EXPECT_EQ(Method(method), AIM_OK);
    for (const char* url : {"http://one.test/", "http://two.test/"}) EXPECT_EQ(Url(url), AIM_OK);
    for (const int32_t framing : {AIM_FRAMING_RAW, AIM_FRAMING_JSON_LINES})
        EXPECT_EQ(Framing(framing), AIM_OK);
    const http::client::UpstreamRequest request = Finish();
    EXPECT_EQ(request.method, "DELETE");
    EXPECT_EQ(request.url.host, "two.test");
    EXPECT_EQ(builder_.framing(), AIM_FRAMING_JSON_LINES);
}

TEST_F(RequestBuilderTest, WithoutABodyItIsAGetAndFramedWhole) {
    EXPECT_EQ(Url("http://provider.test"), AIM_OK);
    EXPECT_EQ(Body(""), AIM_OK);
    const http::client::UpstreamRequest request = Finish();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.url.target, "/");
    EXPECT_EQ(builder_.framing(), AIM_FRAMING_WHOLE);
}

TEST_F(RequestBuilderTest, WithABodyItIsAPost) {
    EXPECT_EQ(Url("http://provider.test/"), AIM_OK);
    EXPECT_EQ(Body("x"), AIM_OK);
    EXPECT_EQ(Finish().method, "POST");
}

TEST_F(RequestBuilderTest, NothingOfThePluginsIsKeptByReference) {
    {
        std::string method = "PUT";
        std::string url = "http://provider.test/first";
        std::string name = "X-Name";
        std::string value = "value that is too long for any small string";
        std::string body(1000, 'b');
        EXPECT_EQ(Method(method), AIM_OK);
        EXPECT_EQ(Url(url), AIM_OK);
        EXPECT_EQ(Header(name, value), AIM_OK);
        EXPECT_EQ(Body(body), AIM_OK);
        for (std::string* text : {&method, &url, &name, &value, &body}) text->assign(2000, '#');
    }
    const http::client::UpstreamRequest request = Finish();
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.url.target, "/first");
    EXPECT_EQ(request.headers.Find("X-Name"), "value that is too long for any small string");
    EXPECT_EQ(request.body, std::string(1000, 'b'));
}

TEST_F(RequestBuilderTest, AMissingUrlIsNamed) {
    EXPECT_EQ(Method("POST"), AIM_OK);
    ExpectRefused("without a URL");
}

TEST_F(RequestBuilderTest, TheFirstRefusalIsToldAndNothingHealsIt) {
    EXPECT_EQ(Url("not a url"), AIM_FAILED);
    EXPECT_EQ(Method("BAD METHOD"), AIM_FAILED);
    EXPECT_EQ(Url("http://provider.test/"), AIM_OK);
    EXPECT_EQ(Method("GET"), AIM_OK);
    ExpectRefused("the URL is not an absolute http or https URL");
}

TEST(RequestBuilderRefusalTest, Urls) {
    const std::string long_one = "http://provider.test/" + std::string(8192 - 21, 'a');
    struct Case {
        const char* name;
        std::string url;
        int32_t result;
    };
    const Case cases[] = {
        {"empty", "", AIM_FAILED},
        {"relative", "/v1/chat", AIM_FAILED},
        {"no scheme", "provider.test/v1", AIM_FAILED},
        {"other scheme", "ftp://provider.test/", AIM_FAILED},
        {"file", "file:///etc/passwd", AIM_FAILED},
        {"mock", "mock://x", AIM_FAILED},
        {"no host", "https:///v1", AIM_FAILED},
        {"user info", "https://key@provider.test/", AIM_FAILED},
        {"line end", "http://provider.test/a\r\nX: y", AIM_FAILED},
        {"space", "http://provider.test/a b", AIM_FAILED},
        {"NUL", std::string("http://provider.test/\0", 22), AIM_FAILED},
        {"port", "http://provider.test:99999/", AIM_FAILED},
        {"fragment", "http://provider.test/#x", AIM_FAILED},
        {"over 8192 bytes", long_one + "a", AIM_FAILED},
        {"8192 bytes", long_one, AIM_OK},
        {"slot stays text", "http://provider.test/%7BKEY%7D", AIM_OK},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        RequestBuilder builder;
        EXPECT_EQ(builder.get()->url(builder.get()->context, AbiText(c.url)), c.result);
        FakeSlots slots;
        const auto request = builder.Finish(slots);
        EXPECT_EQ(request.has_value(), c.result == AIM_OK);
        if (!request) {
            EXPECT_EQ(request.error().kind, ErrorKind::kInternal);
        }
    }
}

TEST(RequestBuilderRefusalTest, Methods) {
    struct Case {
        std::string method;
        int32_t result;
    };
    const Case cases[] = {
        {"", AIM_FAILED},
        {"GET ", AIM_FAILED},
        {"GE\tT", AIM_FAILED},
        {"GET\r\nX:", AIM_FAILED},
        {"G(T", AIM_FAILED},
        {"M\xC3\xB6", AIM_FAILED},
        {std::string(17, 'A'), AIM_FAILED},
        {std::string(16, 'A'), AIM_OK},
        {"M-SEARCH", AIM_OK},
    };
    for (const Case& c : cases) {
        RequestBuilder builder;
        EXPECT_EQ(builder.get()->method(builder.get()->context, AbiText(c.method)), c.result)
            << c.method;
    }
}

TEST(RequestBuilderRefusalTest, Framings) {
    struct Case {
        int32_t framing;
        int32_t result;
    };
    const Case cases[] = {{-1, AIM_FAILED},
                          {AIM_FRAMING_WHOLE, AIM_OK},
                          {AIM_FRAMING_RAW, AIM_OK},
                          {AIM_FRAMING_SSE, AIM_OK},
                          {AIM_FRAMING_JSON_LINES, AIM_OK},
                          {AIM_FRAMING_JSON_LINES + 1, AIM_FAILED},
                          {INT32_MIN, AIM_FAILED},
                          {INT32_MAX, AIM_FAILED}};
    for (const Case& c : cases) {
        RequestBuilder builder;
        EXPECT_EQ(builder.get()->framing(builder.get()->context, c.framing), c.result) << c.framing;
        EXPECT_EQ(builder.framing(), c.result == AIM_OK ? c.framing : AIM_FRAMING_WHOLE);
    }
}

TEST_F(RequestBuilderTest, HeadersThatTheHostSetsAreRefusedInAnyCase) {
    for (const char* name : {"Host", "host", "CONTENT-LENGTH", "Connection", "Accept-Encoding",
                             "User-Agent", "Transfer-Encoding", "TE", "Upgrade", "Expect"}) {
        RequestBuilder builder;
        const aim_http_builder* const table = builder.get();
        EXPECT_EQ(table->header(table->context, AbiText(name), AbiText("x")), AIM_FAILED) << name;
        EXPECT_EQ(table->url(table->context, AbiText("http://provider.test/")), AIM_OK);
        const auto request = builder.Finish(slots_);
        ASSERT_FALSE(request) << name;
        EXPECT_NE(request.error().message.find(std::string(name) + " is set by the host"),
                  std::string::npos)
            << request.error().message;
    }
    for (const char* name : {"Accept", "Content-Type", "Authorization", "Hosted", "X-Host"})
        EXPECT_EQ(Header(name, "x"), AIM_OK) << name;
}

TEST_F(RequestBuilderTest, HeaderNamesAreTokensAndValuesHoldNoControlCharacters) {
    struct Case {
        const char* name;
        std::string header;
        std::string value;
        int32_t result;
    };
    const Case cases[] = {
        {"empty name", "", "v", AIM_FAILED},
        {"space in the name", "X Y", "v", AIM_FAILED},
        {"colon in the name", "X:", "v", AIM_FAILED},
        {"line end in the name", "X\r\nY", "v", AIM_FAILED},
        {"slot in the name", "{KEY}", "v", AIM_FAILED},
        {"bytes over 127 in the name", "\xC3\xB6", "v", AIM_FAILED},
        {"NUL in the name", std::string("X\0", 2), "v", AIM_FAILED},
        {"every other token character", "!#$%&'*+-.^_`|~09azAZ", "v", AIM_OK},
        {"line end", "X", "a\r\nY: b", AIM_FAILED},
        {"line feed", "X", "a\nb", AIM_FAILED},
        {"carriage return", "X", "a\rb", AIM_FAILED},
        {"NUL", "X", std::string("a\0b", 3), AIM_FAILED},
        {"delete", "X", "a\x7f", AIM_FAILED},
        {"tab and bytes over 127", "X", "a\tb \xC3\xB6 \xff", AIM_OK},
        {"16 KiB", "X", std::string(RequestBuilder::kMaxHeaderBytes, 'v'), AIM_OK},
        {"over 16 KiB", "X", std::string(RequestBuilder::kMaxHeaderBytes + 1, 'v'), AIM_FAILED},
    };
    for (const Case& c : cases) {
        RequestBuilder builder;
        EXPECT_EQ(
            builder.get()->header(builder.get()->context, AbiText(c.header), AbiText(c.value)),
            c.result)
            << c.name;
    }
}

TEST_F(RequestBuilderTest, SixtyFourHeadersAndNoMore) {
    EXPECT_EQ(Url("http://provider.test/"), AIM_OK);
    for (std::size_t i = 0; i < RequestBuilder::kMaxHeaders; ++i)
        ASSERT_EQ(Header("X-" + std::to_string(i), "v"), AIM_OK);
    EXPECT_EQ(Header("X-65", "v"), AIM_FAILED);
    ExpectRefused("more than 64 headers");
}

// The refusal leaves the size as it was, so that a lie about it cannot wrap a sum.
TEST_F(RequestBuilderTest, ABodyOver64MiBIsRefusedWhateverSizesAreTold) {
    const std::string piece(RequestBuilder::kMaxBodyBytes / 4, 'x');
    EXPECT_EQ(Url("http://provider.test/"), AIM_OK);
    for (int i = 0; i < 4; ++i) ASSERT_EQ(Body(piece), AIM_OK);
    EXPECT_EQ(Body(""), AIM_OK);
    EXPECT_EQ(Body("x"), AIM_FAILED);
    const uint8_t byte = 'x';
    EXPECT_EQ(table_->body(context(), {&byte, UINT64_MAX}), AIM_FAILED);
    ExpectRefused("the body is over 64 MiB");
}

// A null pointer is nothing; one that claims to have bytes is refused before it is read.
TEST_F(RequestBuilderTest, NullTextsAreEmptyOnesAndNullBytesHaveNone) {
    const aim_str none{nullptr, 5};
    EXPECT_EQ(table_->body(context(), {nullptr, 0}), AIM_OK);
    EXPECT_EQ(table_->header(context(), AbiText("X-Null"), {nullptr, 0}), AIM_OK);
    EXPECT_EQ(Url("http://provider.test/"), AIM_OK);
    EXPECT_EQ(table_->body(context(), {nullptr, 5}), AIM_FAILED);
    EXPECT_EQ(table_->method(context(), none), AIM_FAILED);
    EXPECT_EQ(table_->url(context(), none), AIM_FAILED);
    EXPECT_EQ(table_->header(context(), none, AbiText("x")), AIM_FAILED);
    ExpectRefused("a size and no bytes");
}

TEST_F(RequestBuilderTest, SlotsAreFilledForTheRequestsOwnHostAndOnlyAtTheEnd) {
    slots_.values["Bearer {KEY}"] = "Bearer secret";
    EXPECT_EQ(Header("Authorization", "Bearer {KEY}"), AIM_OK);
    EXPECT_EQ(Url("https://provider.test/{KEY}"), AIM_OK);
    EXPECT_EQ(Body("{KEY}"), AIM_OK);
    EXPECT_TRUE(slots_.asked.empty());
    const http::client::UpstreamRequest request = Finish();
    EXPECT_EQ(request.headers.Find("Authorization"), "Bearer secret");
    // Nowhere else.
    EXPECT_EQ(request.url.target, "/{KEY}");
    EXPECT_EQ(request.body, "{KEY}");
    EXPECT_EQ(
        slots_.asked,
        (std::vector<std::pair<std::string, std::string>>{{"Bearer {KEY}", "provider.test"}}));
}

TEST_F(RequestBuilderTest, AHeaderWhoseOptionalSettingHasNoValueIsLeftOut) {
    slots_.values["{OPTIONAL}"] = "";
    EXPECT_EQ(Url("https://provider.test/"), AIM_OK);
    EXPECT_EQ(Header("X-Optional", "{OPTIONAL}"), AIM_OK);
    EXPECT_EQ(Header("X-Other", "here"), AIM_OK);
    const http::client::UpstreamRequest request = Finish();
    ASSERT_EQ(request.headers.size(), 1U);
    EXPECT_EQ(request.headers[0].name, "X-Other");
}

TEST_F(RequestBuilderTest, TheRefusalOfASlotIsHandedOnAsItIs) {
    slots_.error.emplace();
    slots_.error->kind = ErrorKind::kForbidden;
    slots_.error->code = "secret_host";
    EXPECT_EQ(Url("https://thief.test/"), AIM_OK);
    EXPECT_EQ(Header("Authorization", "Bearer {KEY}"), AIM_OK);
    const auto request = builder_.Finish(slots_);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(request.error().code, "secret_host");
}

// A key with a line end is the operator's to mend: it is no fault of the plugin, ends no header
// line, and does not stand in the message.
TEST_F(RequestBuilderTest, AValueThatWouldEndTheLineIsNoFaultOfThePlugin) {
    slots_.values["Bearer {KEY}"] = "Bearer canary\r\nX-Injected: 1";
    EXPECT_EQ(Url("https://provider.test/"), AIM_OK);
    EXPECT_EQ(Header("Authorization", "Bearer {KEY}"), AIM_OK);
    const auto request = builder_.Finish(slots_);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().kind, ErrorKind::kUnauthenticated);
    EXPECT_NE(request.error().message.find("Authorization"), std::string::npos);
    EXPECT_EQ(request.error().message.find("canary"), std::string::npos);
}

}  // namespace
}  // namespace aim::plugin
