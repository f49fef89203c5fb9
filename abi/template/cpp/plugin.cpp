// A complete provider plugin in C++ on the SDK: streams, and reads JSON. Build it with aim_plugin()
// of abi/cmake/AimPlugin.cmake, or by hand:
//
//     c++ -std=c++20 -shared -fPIC -fvisibility=hidden -Wl,--version-script=abi/cmake/plugin.map
//         -I abi/include -o template_cpp.so plugin.cpp
//
// Copy it, rename `template_cpp` and fill in your provider; abi/docs/plugin_guide.md walks through
// it.
#include "aim/sdk/plugin.hpp"

#include <charconv>
#include <memory>
#include <string>
#include <string_view>

#include "aim/sdk/json.hpp"

namespace {

using aim::sdk::Call;
using aim::sdk::ErrorKind;
using aim::sdk::FinishReason;
using aim::sdk::JsonValue;
using aim::sdk::Step;

ErrorKind KindOf(int status) {
    switch (status) {
        case 401:
            return ErrorKind::kUnauthenticated;
        case 402:
            return ErrorKind::kQuotaExhausted;
        case 403:
            return ErrorKind::kForbidden;
        case 404:
            return ErrorKind::kModelNotFound;
        case 408:
        case 504:
            return ErrorKind::kUpstreamTimeout;
        case 429:
            return ErrorKind::kRateLimited;
        case 503:
            return ErrorKind::kOverloaded;
        default:
            return status >= 500 ? ErrorKind::kUpstreamFailure : ErrorKind::kInvalidRequest;
    }
}

// Whole seconds as milliseconds; -1 for anything else (a date, for one).
std::int64_t Milliseconds(std::string_view seconds) {
    std::uint32_t value = 0;
    const char* const end = seconds.data() + seconds.size();
    const auto parsed = std::from_chars(seconds.data(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::int64_t{value} * 1000 : -1;
}

// One session: one request, one answer. Members are the state; nothing else is.
class TemplateSession final : public aim::sdk::Session {
  public:
    explicit TemplateSession(const aim::sdk::ChatRequest& request)
        : url_(std::string(request.Endpoint()) + "/chat/completions"),
          body_(request.Json()),
          stream_(request.Stream()) {}

    bool Next(const Call&, aim::sdk::HttpRequest& request) override {
        request.Url(url_)
            .Header("content-type", "application/json")
            .Header("authorization", "Bearer {TEMPLATE_CPP_API_KEY}")
            .Body(body_)
            .Frame(stream_ ? aim::sdk::Framing::kServerSentEvents : aim::sdk::Framing::kWhole);
        return true;
    }

    Step Head(const Call&, const aim::sdk::HttpHead& head) override {
        status_ = head.Status();
        retry_after_ms_ = Milliseconds(head.Find("retry-after").value_or(""));
        return Step::kContinue;
    }

    Step Data(const Call& call, const aim::sdk::HttpData& data) override {
        if (status_ < 200 || status_ > 299) {
            return Step::kContinue;  // End tells the kind
        }
        if (data.Bytes() == "[DONE]") {
            return Conclude(call);
        }
        if (!document_.Parse(data.Bytes())) {
            return call.Fail({ErrorKind::kProtocolError, "the answer is no readable JSON", {}, {}});
        }
        for (const JsonValue choice : document_.Root()["choices"]) {
            const JsonValue message = stream_ ? choice["delta"] : choice["message"];
            call.out.Text(0, message["content"].Text());
            const std::string_view reason = choice["finish_reason"].Text();
            if (!reason.empty() && !finished_) {
                finished_ = true;
                call.out.Finish(0,
                                reason == "length" ? FinishReason::kLength : FinishReason::kStop);
            }
        }
        return Step::kContinue;
    }

    Step End(const Call& call, aim::sdk::Ending ending) override {
        if (status_ < 200 || status_ > 299) {
            return call.Fail({KindOf(status_),
                              "the provider refused the request",
                              {},
                              {},
                              status_,
                              retry_after_ms_});
        }
        if (ending != aim::sdk::Ending::kComplete) {
            return call.Fail({ErrorKind::kUpstreamFailure, "the answer was cut short", {}, {}});
        }
        return Conclude(call);
    }

  private:
    Step Conclude(const Call& call) {
        if (!finished_) {  // without a reason the answer is not known to be whole
            return call.Fail(
                {ErrorKind::kUpstreamFailure, "the answer has no finish reason", {}, {}});
        }
        return Step::kDone;
    }

    std::string url_;
    std::string body_;
    bool stream_;
    bool finished_ = false;
    int status_ = 0;
    std::int64_t retry_after_ms_ = -1;
    aim::sdk::JsonDocument document_;
};

class TemplateProvider final : public aim::sdk::ChatProvider {
  public:
    // Check the row's settings here; call.Fail({kInvalidRequest, …, field}) and null for a bad one.
    static std::unique_ptr<TemplateProvider> Create(const Call&, const aim::sdk::Config&) {
        return std::make_unique<TemplateProvider>();
    }
    std::unique_ptr<aim::sdk::Session> Start(const Call&, const aim::sdk::ChatRequest& request,
                                             std::uint64_t) const override {
        return std::make_unique<TemplateSession>(request);
    }
};

constexpr aim::sdk::Descriptor kDescriptor = {
    .display_name = "Template in C++",
    .vendor = "You",
    .default_endpoint = "https://api.example.com/v1",
    .settings = {aim::sdk::Setting("TEMPLATE_CPP_API_KEY", "Key of the example provider.",
                                   AIM_SETTING_SECRET | AIM_SETTING_REQUIRED)},
    .hosts = {"api.example.com"},
    .capabilities = {"stream"},
};

}  // namespace

AIM_PLUGIN("template_cpp", "1.0.0", kDescriptor, aim::sdk::Chat<TemplateProvider>);
