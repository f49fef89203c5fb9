#include "core/http/client/host_policy.hpp"

#include <gtest/gtest.h>

namespace aim::http::client {
namespace {

using Owner = HostPolicy::SecretOwner;

TEST(HostPolicyTest, ASecretOfTheEnvironmentGoesToItsHostsOnly) {
    const HostPolicy policy({"api.groq.com", ".Cloud.test"}, {"proxy.internal", "10.0.0.5"});
    for (const char* host : {"api.groq.com", "API.GROQ.COM", "api.groq.com.", "eu.cloud.test",
                             "a.b.cloud.test", "EU.CLOUD.TEST.", "proxy.internal", "10.0.0.5",
                             "localhost", "LocalHost", "127.0.0.1", "127.255.0.9", "::1"}) {
        EXPECT_TRUE(policy.MayReceive(Owner::kEnvironment, host)) << host;
    }
    for (const char* host : {"",
                             ".",
                             "groq.com",
                             "api.groq.com.evil.example",
                             "evil-api.groq.com",
                             "xapi.groq.com",
                             "api.groq.com..",
                             "user@api.groq.com",
                             "api.groq.com@evil.example",
                             "api.groq.com:443",
                             "api.groq.com/",
                             "cloud.test",
                             ".cloud.test",
                             "evilcloud.test",
                             "x..cloud.test",
                             "evil.example/.cloud.test",
                             "evil@x.cloud.test",
                             "api\xE3\x80\x82groq.com",
                             "10.0.0.50",
                             "10.0.0.05",
                             "167772165"}) {
        EXPECT_FALSE(policy.MayReceive(Owner::kEnvironment, host)) << host;
    }
}

TEST(HostPolicyTest, OnlyPlainSpellingsAreLoopback) {
    for (const char* host :
         {"2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.1", "127.0.0.01",
          "127.0.0.256", "127.0.0.1.evil.example", "127.0.0", "127.0.0.1.2", "::ffff:127.0.0.1",
          "0.0.0.0", "::", "localhost.evil.example", "x.localhost", "128.0.0.1", "127.0.0.1 ",
          "[::1]"}) {
        EXPECT_FALSE(IsLoopbackHost(host)) << host;
    }
    EXPECT_TRUE(IsLoopbackHost("127.0.0.1."));
    EXPECT_TRUE(IsLoopbackHost("localhost."));
}

TEST(HostPolicyTest, ARowsOwnKeyGoesWhereTheRowSays) {
    const HostPolicy policy({"api.groq.com"}, {});
    EXPECT_TRUE(policy.MayReceive(Owner::kRow, "anything.example"));
    EXPECT_FALSE(policy.MayReceive(Owner::kRow, ""));
}

TEST(HostPolicyTest, EmptyEntriesAllowNothing) {
    const HostPolicy policy({"", ".", ".."}, {""});
    for (const char* host : {"a.b", "a", ".", ""})
        EXPECT_FALSE(policy.MayReceive(Owner::kEnvironment, host)) << host;
}

}  // namespace
}  // namespace aim::http::client
