// Describes an HTTP request to the host. Wraps aim_http_builder; valid for one call of
// Session::Next.
#ifndef AIM_SDK_HTTP_REQUEST_HPP
#define AIM_SDK_HTTP_REQUEST_HPP

#include <cstdint>
#include <string_view>

#include "aim/sdk/views.hpp"

namespace aim::sdk {

enum class Framing : std::int32_t {
    kWhole = AIM_FRAMING_WHOLE,
    kRaw = AIM_FRAMING_RAW,
    kServerSentEvents = AIM_FRAMING_SSE,
    kJsonLines = AIM_FRAMING_JSON_LINES,
};

// Calls can be chained. A refused argument is remembered: Accepted() is false from then on, the
// host has logged why, and the session ends as an internal error.
class HttpRequest final {
  public:
    explicit HttpRequest(const aim_http_builder* raw) : raw_(raw) {}

    HttpRequest& Method(std::string_view method) {
        return Note(raw_->method(raw_->context, Str(method)));
    }
    HttpRequest& Url(std::string_view url) { return Note(raw_->url(raw_->context, Str(url))); }
    // `{NAME}` in the value stands for the setting NAME, which the host fills in when it sends.
    HttpRequest& Header(std::string_view name, std::string_view value_template) {
        return Note(raw_->header(raw_->context, Str(name), Str(value_template)));
    }
    // Appends; may be called several times.
    HttpRequest& Body(std::string_view piece) {
        return Note(raw_->body(raw_->context, Bytes(piece)));
    }
    HttpRequest& Frame(Framing framing) {
        return Note(raw_->framing(raw_->context, static_cast<std::int32_t>(framing)));
    }
    bool Accepted() const { return accepted_; }

  private:
    HttpRequest& Note(std::int32_t status) {
        accepted_ = accepted_ && status == AIM_OK;
        return *this;
    }

    const aim_http_builder* raw_;
    bool accepted_ = true;
};

}  // namespace aim::sdk

#endif  // AIM_SDK_HTTP_REQUEST_HPP
