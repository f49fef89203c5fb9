#pragma once

#include <string>
#include <string_view>

#include "aim/abi/http_builder.h"
#include "core/base/result.hpp"
#include "core/http/client/http_client.hpp"

namespace aim::plugin {

class HeaderSlots;

// The host's end of aim_http_builder: takes a plugin's description of a request, checks it, and
// makes the request that is sent. Secrets come in only at Finish().
class RequestBuilder {
  public:
    static constexpr std::size_t kMaxBodyBytes = 64u * 1024 * 1024;
    static constexpr std::size_t kMaxHeaders = 64;
    static constexpr std::size_t kMaxHeaderBytes = 16 * 1024;

    RequestBuilder();
    RequestBuilder(const RequestBuilder&) = delete;
    RequestBuilder& operator=(const RequestBuilder&) = delete;

    const aim_http_builder* get() const { return &table_; }
    int32_t framing() const { return framing_; }

    // The request with its slots filled in. kInternal when the description was refused (the
    // plugin's fault) or incomplete; kUnauthenticated when a setting's value cannot stand in a
    // header; the slots' own error when a secret may not go there.
    Result<http::client::UpstreamRequest> Finish(const HeaderSlots& slots);

  private:
    static int32_t OnMethod(void* context, aim_str method);
    static int32_t OnUrl(void* context, aim_str url);
    static int32_t OnHeader(void* context, aim_str name, aim_str value_template);
    static int32_t OnBody(void* context, aim_bytes piece);
    static int32_t OnFraming(void* context, int32_t framing);

    int32_t Refuse(std::string why);

    aim_http_builder table_{};
    http::client::UpstreamRequest request_;
    http::HeaderMap templates_;  // the headers before their slots are filled
    bool has_url_ = false;
    bool has_method_ = false;
    int32_t framing_ = AIM_FRAMING_WHOLE;
    std::string refusal_;
};

}  // namespace aim::plugin
