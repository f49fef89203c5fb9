#include "core/http/client/proxy.hpp"

#include <map>

#include <gtest/gtest.h>

namespace aim::http::client {
namespace {

Result<ProxyOptions> From(std::map<std::string, std::string> variables) {
    return ProxyOptions::FromEnvironment([&](const char* name) { return variables[name]; });
}

TEST(ProxyTest, ReadsTheUsualVariables) {
    const auto options = From({{"HTTPS_PROXY", "http://me:s%40crit@proxy.test:3128/"},
                               {"http_proxy", "other.test:8080"},
                               {"HTTP_PROXY", "http://unused.test"}});
    ASSERT_TRUE(options.has_value());
    ASSERT_TRUE(options->for_https);
    EXPECT_EQ(options->for_https->host, "proxy.test");
    EXPECT_EQ(options->for_https->port, 3128);
    EXPECT_EQ(options->for_https->authorization.Reveal(), "Basic bWU6c0Bjcml0");
    ASSERT_TRUE(options->for_http);
    EXPECT_EQ(options->for_http->host, "other.test");
    EXPECT_EQ(options->for_http->port, 8080);
}

TEST(ProxyTest, RefusesOtherProxiesWithoutSayingThePassword) {
    for (const char* url :
         {"https://canary@proxy.test", "socks5://canary@proxy.test", "http://canary@",
          "http://canary@proxy.test/path", "http://%zz@proxy.test"}) {
        const auto options = From({{"HTTPS_PROXY", url}});
        ASSERT_FALSE(options.has_value()) << url;
        EXPECT_EQ(options.error().message.find("canary"), std::string::npos);
    }
}

TEST(ProxyTest, KnowsWhatIsReachedDirectly) {
    const auto options =
        From({{"https_proxy", "http://proxy.test"},
              {"no_proxy", "one.test, .two.test,10.0.0.0/8 192.168.1.1,three.test:8443,fd00::/8"}});
    ASSERT_TRUE(options.has_value());
    const std::pair<const char*, bool> kCases[] = {
        {"https://api.test/", true},     {"https://one.test/", false},
        {"https://a.one.test/", false},  {"https://xone.test/", true},
        {"https://two.test/", false},    {"https://a.two.test/", false},
        {"https://10.1.2.3/", false},    {"https://11.1.2.3/", true},
        {"https://192.168.1.1/", false}, {"https://192.168.1.2/", true},
        {"https://three.test/", true},   {"https://three.test:8443/", false},
        {"https://[fd00::1]/", false},   {"https://[fe00::1]/", true},
        {"https://127.0.0.1/", false},   {"https://localhost/", false},
        {"http://api.test/", false},
    };
    for (const auto& [url, through] : kCases)
        EXPECT_EQ(options->For(*Url::Parse(url)) != nullptr, through) << url;
    const auto all = From({{"https_proxy", "http://proxy.test"}, {"NO_PROXY", "*"}});
    EXPECT_EQ(all->For(*Url::Parse("https://api.test/")), nullptr);
}

}  // namespace
}  // namespace aim::http::client
