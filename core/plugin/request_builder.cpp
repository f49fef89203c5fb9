#include "core/plugin/request_builder.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/http/field_syntax.hpp"
#include "core/plugin/abi_text.hpp"
#include "core/plugin/session_driver.hpp"

namespace aim::plugin {
namespace {

bool IsHostOwned(std::string_view name) {
    static constexpr std::array<std::string_view, 9> kOwned = {
        "host",       "content-length",    "connection", "accept-encoding",
        "user-agent", "transfer-encoding", "te",         "upgrade",
        "expect"};
    return std::any_of(kOwned.begin(), kOwned.end(), [&](std::string_view owned) {
        return owned.size() == name.size() && http::EqualsIgnoreCase(owned, name);
    });
}

}  // namespace

RequestBuilder::RequestBuilder() {
    table_.struct_size = sizeof table_;
    table_.context = this;
    table_.method = &OnMethod;
    table_.url = &OnUrl;
    table_.header = &OnHeader;
    table_.body = &OnBody;
    table_.framing = &OnFraming;
}

int32_t RequestBuilder::Refuse(std::string why) {
    if (refusal_.empty()) refusal_ = std::move(why);
    return AIM_FAILED;
}

int32_t RequestBuilder::OnMethod(void* context, aim_str method) {
    auto& self = *static_cast<RequestBuilder*>(context);
    if (!http::IsToken(View(method)) || method.size > 16)
        return self.Refuse("the method is not an HTTP method");
    self.request_.method = View(method);
    self.has_method_ = true;
    return AIM_OK;
}

int32_t RequestBuilder::OnUrl(void* context, aim_str url) {
    auto& self = *static_cast<RequestBuilder*>(context);
    auto parsed = url.size <= 8192 ? http::Url::Parse(View(url)) : std::nullopt;
    if (!parsed) return self.Refuse("the URL is not an absolute http or https URL");
    self.request_.url = std::move(*parsed);
    self.has_url_ = true;
    return AIM_OK;
}

int32_t RequestBuilder::OnHeader(void* context, aim_str name, aim_str value_template) {
    auto& self = *static_cast<RequestBuilder*>(context);
    const std::string_view header = View(name);
    if (!http::IsToken(header)) return self.Refuse("a header's name is not a token");
    if (!http::IsFieldValue(View(value_template)) || value_template.size > kMaxHeaderBytes) {
        return self.Refuse("the value of header " + std::string(header) +
                           " has forbidden characters or is too long");
    }
    if (IsHostOwned(header))
        return self.Refuse("the header " + std::string(header) + " is set by the host");
    if (self.templates_.size() >= kMaxHeaders) return self.Refuse("more than 64 headers");
    self.templates_.Add(header, View(value_template));
    return AIM_OK;
}

int32_t RequestBuilder::OnBody(void* context, aim_bytes piece) {
    auto& self = *static_cast<RequestBuilder*>(context);
    if (piece.size > kMaxBodyBytes - self.request_.body.size())
        return self.Refuse("the body is over 64 MiB");
    if (piece.data == nullptr && piece.size > 0)
        return self.Refuse("a piece of the body has a size and no bytes");
    if (piece.size > 0)
        self.request_.body.append(reinterpret_cast<const char*>(piece.data), piece.size);
    return AIM_OK;
}

int32_t RequestBuilder::OnFraming(void* context, int32_t framing) {
    auto& self = *static_cast<RequestBuilder*>(context);
    if (framing < AIM_FRAMING_WHOLE || framing > AIM_FRAMING_JSON_LINES)
        return self.Refuse("unknown framing");
    self.framing_ = framing;
    return AIM_OK;
}

Result<http::client::UpstreamRequest> RequestBuilder::Finish(const HeaderSlots& slots) {
    if (!refusal_.empty())
        return Fail(ErrorKind::kInternal,
                    "the plugin described a request that was refused: " + refusal_);
    if (!has_url_)
        return Fail(ErrorKind::kInternal, "the plugin described a request without a URL");
    if (!has_method_) request_.method = request_.body.empty() ? "GET" : "POST";
    for (std::size_t i = 0; i < templates_.size(); ++i) {
        const http::HeaderMap::Field header = templates_[i];
        // Most have no slot and are what they say.
        if (header.value.find_first_of("{}") == std::string_view::npos) {
            request_.headers.Add(header.name, header.value);
            continue;
        }
        auto value = slots.Fill(header.value, request_.url);
        if (!value) return Unexpected(std::move(value.error()));
        if (value->empty()) continue;
        if (!http::IsFieldValue(*value)) {
            // Of the template this was asked before: it is the operator's to mend.
            return Fail(ErrorKind::kUnauthenticated,
                        "a setting has characters that a header cannot carry (header " +
                            std::string(header.name) + ")");
        }
        request_.headers.Add(header.name, *value);
    }
    return std::move(request_);
}

}  // namespace aim::plugin
