#include "core/http/middleware/trusted_proxies.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/http/middleware/client_address.hpp"

namespace aim::http {
namespace {

std::string Client(std::string_view trusted, std::string_view peer,
                   std::vector<std::string> forwarded) {
    const auto proxies = TrustedProxies::Parse(trusted);
    if (!proxies) return "error: " + proxies.error().message;
    HeaderMap headers;
    for (const std::string& value : forwarded) headers.Add("X-Forwarded-For", value);
    return proxies->ClientOf(peer, headers);
}

TEST(TrustedProxies, OnlyATrustedPeerIsBelieved) {
    EXPECT_EQ(Client("", "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
    EXPECT_EQ(Client("192.168.0.0/16", "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"1.2.3.4"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.1", "10.0.0.1", {"1.2.3.4"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.2", "10.0.0.1", {"1.2.3.4"}), "10.0.0.1");
}

TEST(TrustedProxies, TakesTheLastOneWhoIsNotTrusted) {
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"6.6.6.6, 1.2.3.4, 10.9.9.9"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"6.6.6.6, 1.2.3.4", "10.9.9.9"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"10.2.2.2"}), "10.2.2.2");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {}), "10.0.0.1");
}

TEST(TrustedProxies, GarbageEndsTheWalk) {
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"garbage"}), "10.0.0.1");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {"1.2.3.4, <script>, 10.0.0.2"}), "10.0.0.2");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {""}), "10.0.0.1");
    EXPECT_EQ(Client("10.0.0.0/8", "10.0.0.1", {","}), "10.0.0.1");
}

TEST(TrustedProxies, KnowsPortsAndIpV6) {
    EXPECT_EQ(Client("::1", "::1", {"[2001:db8::1]:443"}), "2001:db8::1");
    EXPECT_EQ(Client("fd00::/8", "fd00::5", {"1.2.3.4:5678"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.0/8", "::ffff:10.0.0.1", {"1.2.3.4"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.0/12", "10.15.0.1", {"1.2.3.4"}), "1.2.3.4");
    EXPECT_EQ(Client("10.0.0.0/12", "10.16.0.1", {"1.2.3.4"}), "10.16.0.1");
    EXPECT_EQ(Client("0.0.0.0/0", "10.16.0.1", {"1.2.3.4"}), "1.2.3.4");
    EXPECT_EQ(Client("0.0.0.0/0", "2001::1", {"1.2.3.4"}), "2001::1");
}

TEST(TrustedProxies, NamesTheBadEntry) {
    for (const auto* bad : {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "host", "::1/129",
                            "10.0.0.0/8x", "10.0.0.0/"}) {
        EXPECT_THAT(Client(std::string("127.0.0.1, ") + bad, "x", {}), ::testing::HasSubstr(bad));
    }
}

TEST(ClientAddress, PutsTheClientInPlace) {
    ClientAddressMiddleware middleware(*TrustedProxies::Parse("127.0.0.1"));
    Request request;
    request.client_address = "127.0.0.1";
    request.headers.Add("X-Forwarded-For", "9.9.9.9");
    middleware.Before(request, nullptr);
    EXPECT_EQ(request.client_address, "9.9.9.9");
}

}  // namespace
}  // namespace aim::http
