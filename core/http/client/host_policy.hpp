#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aim::http::client {

// True for localhost, 127.0.0.0/8 in its plain four-part form, and ::1. Other spellings of these
// addresses ("127.1", "0177.0.0.1", "::ffff:127.0.0.1") are not: what must be trusted is written
// plainly.
bool IsLoopbackHost(std::string_view host);

// Decides to which hosts a provider's secret may be sent, so that a model row with a foreign
// endpoint cannot carry a key of the environment away. Immutable; thread-safe.
//
// An entry is a host ("api.groq.com", exactly) or, with a leading dot, every host below one
// (".groq.com", not groq.com itself). Names compare without case; one trailing dot is ignored;
// ports do not matter. International names are compared as they are written (IDNA is not handled).
class HostPolicy {
  public:
    enum class SecretOwner {
        kEnvironment,  // configured for the provider: only to its hosts, loopback, and SECRET_HOSTS
        kRow           // the row's own api_key: wherever the row says
    };

    // `provider_hosts`: what the plugin's descriptor lists. `further_hosts`: SECRET_HOSTS.
    HostPolicy(const std::vector<std::string>& provider_hosts,
               const std::vector<std::string>& further_hosts);

    // `host` as in Url::host: without user info, port and brackets.
    bool MayReceive(SecretOwner owner, std::string_view host) const;

  private:
    std::vector<std::string> entries_;  // lower case, without trailing dots
};

}  // namespace aim::http::client
