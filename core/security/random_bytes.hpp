#pragma once

#include <cstddef>
#include <string>

namespace aim::security {

// Unpredictable bytes for keys, from OpenSSL's generator. Throws std::runtime_error when the
// generator has failed: a process that cannot make keys must not go on. For start-up and rare
// calls; core/base's Random is for everything else.
std::string RandomBytes(std::size_t count);

// A new API key for a client: "aim_" and 32 random bytes in Base64url.
std::string MakeApiKey();

}  // namespace aim::security
