#include "core/http/client/request_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/http/field_syntax.hpp"

namespace aim::http::client {
namespace {

constexpr std::size_t kUsualHead = 640;

// Headers by which the message is framed or the connection is steered.
bool IsClientsOwn(std::string_view name) {
    constexpr std::array<std::string_view, 11> kNames = {"te",
                                                         "host",
                                                         "expect",
                                                         "trailer",
                                                         "upgrade",
                                                         "connection",
                                                         "keep-alive",
                                                         "content-length",
                                                         "http2-settings",
                                                         "proxy-connection",
                                                         "transfer-encoding"};
    return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view own) {
        return own.size() == name.size() && EqualsIgnoreCase(own, name);
    });
}

void AppendNumber(std::string& text, std::size_t number) {
    std::array<char, 24> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    text.append(digits.data(), end);
}

void AppendHost(std::string& text, const Url& url, bool always_port) {
    const bool address6 = url.host.find(':') != std::string::npos;
    if (address6) text += '[';
    text += url.host;
    if (address6) text += ']';
    if (always_port || url.port != (url.tls ? 443 : 80)) {
        text += ':';
        AppendNumber(text, url.port);
    }
}

}  // namespace

Result<void> WriteRequestHead(const UpstreamRequest& request, const RequestForm& form,
                              std::string& head) {
    head.clear();
    // Room for an ordinary head at once: it may hold a key, and what is outgrown is not wiped.
    head.reserve(kUsualHead);
    if (!IsToken(request.method) || request.method == "CONNECT")
        return Fail(ErrorKind::kInvalidRequest, "bad HTTP method");
    head += request.method;
    head += ' ';
    if (form.absolute) {
        head += "http://";
        AppendHost(head, request.url, false);
    }
    // The URL's parser has refused control characters and spaces; a target made in another way is
    // checked here.
    const bool plain = !AnyByte(request.url.target, [](std::uint64_t bytes) {
        return word::Below(bytes, ' ' + 1) | word::Equal(bytes, 0x7f);
    });
    if (!plain || request.url.target.empty() || request.url.target.front() != '/')
        return Fail(ErrorKind::kInvalidRequest, "bad target of a URL");
    head += request.url.target;
    head += " HTTP/1.1\r\nHost: ";
    AppendHost(head, request.url, false);
    head += "\r\n";
    bool agent_named = false;
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
        const HeaderMap::Field field = request.headers[i];
        if (!IsToken(field.name))
            return Fail(ErrorKind::kInvalidRequest, "a header's name is no token");
        if (!IsFieldValue(field.value))
            return Fail(ErrorKind::kInvalidRequest,
                        "the value of " + std::string(field.name) + " holds a control character");
        if (IsClientsOwn(field.name))
            return Fail(ErrorKind::kInvalidRequest,
                        "the header " + std::string(field.name) + " is the HTTP client's own");
        if (EqualsIgnoreCase(field.name, "accept-encoding")) continue;
        agent_named = agent_named || EqualsIgnoreCase(field.name, "user-agent");
        head += field.name;
        head += ": ";
        head += field.value;
        head += "\r\n";
    }
    if (!agent_named && !form.user_agent.empty()) {
        head += "User-Agent: ";
        head += form.user_agent;
        head += "\r\n";
    }
    if (!form.proxy_authorization.empty()) {
        head += "Proxy-Authorization: ";
        head += form.proxy_authorization;
        head += "\r\n";
    }
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
        request.method == "PATCH") {
        head += "Content-Length: ";
        AppendNumber(head, request.body.size());
        head += "\r\n";
    }
    head += "Accept-Encoding: identity\r\n\r\n";
    return {};
}

void WriteConnectHead(const Url& url, std::string_view proxy_authorization, std::string& head) {
    head = "CONNECT ";
    AppendHost(head, url, true);
    head += " HTTP/1.1\r\nHost: ";
    AppendHost(head, url, true);
    head += "\r\n";
    if (!proxy_authorization.empty()) {
        head += "Proxy-Authorization: ";
        head += proxy_authorization;
        head += "\r\n";
    }
    head += "\r\n";
}

}  // namespace aim::http::client
