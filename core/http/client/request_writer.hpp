#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/http/client/http_client.hpp"

namespace aim::http::client {

// How the request's target is written.
struct RequestForm {
    bool absolute = false;  // through a plain proxy
    std::string_view proxy_authorization;
    std::string_view user_agent;  // used when the request names none
};

// Writes the head of `request` into `head` (cleared before). Fails (kInvalidRequest) for what would
// not arrive as it was meant: a method, name or value with foreign characters, a header that frames
// the message (Host, Content-Length, Connection, …), which is the client's own. No message holds a
// header's value.
Result<void> WriteRequestHead(const UpstreamRequest& request, const RequestForm& form,
                              std::string& head);

// CONNECT host:port for a tunnel.
void WriteConnectHead(const Url& url, std::string_view proxy_authorization, std::string& head);

}  // namespace aim::http::client
