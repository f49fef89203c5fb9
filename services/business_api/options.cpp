#include "services/business_api/options.hpp"

#include <algorithm>
#include <utility>

namespace aim::business_api {
namespace {

using std::chrono::milliseconds;

void ReadPipeline(config::Reader& reader, pipeline::Settings& settings) {
    const milliseconds least(1);
    settings.request_timeout =
        reader.Milliseconds("REQUEST_TIMEOUT_MS", settings.request_timeout, least);
    settings.max_attempts =
        static_cast<int>(reader.Integer("MAX_ATTEMPTS", settings.max_attempts, 1, 100));
    settings.stream_max = reader.Milliseconds("STREAM_MAX_MS", settings.stream_max, least);
    settings.early_stream_head =
        reader.Milliseconds("EARLY_STREAM_HEAD_MS", settings.early_stream_head);
    settings.stream_comment =
        reader.Milliseconds("STREAM_COMMENT_MS", settings.stream_comment, least);
    settings.on_disconnect =
        reader.Choice("ON_DISCONNECT", "cancel", {"cancel", "drain"}) == "drain"
            ? pipeline::OnDisconnect::kDrain
            : pipeline::OnDisconnect::kCancel;
    settings.max_in_flight =
        static_cast<std::size_t>(reader.Integer("MAX_IN_FLIGHT", 10000, 1, 10'000'000));
    const std::string mock =
        reader.Choice("AUTO_INCLUDES_MOCK", "auto", {"auto", "always", "never"});
    settings.mock_in_auto = mock == "always"  ? pipeline::MockInAuto::kAlways
                            : mock == "never" ? pipeline::MockInAuto::kNever
                                              : pipeline::MockInAuto::kAuto;
    settings.history_text_max = reader.Bytes("HISTORY_TEXT_MAX", 256 * 1024, 1024, 1024 * 1024);
}

}  // namespace

Options Options::Read(config::Reader& reader) {
    Options options;
    static_cast<runtime::Options&>(options) = runtime::Options::Read(reader);
    options.catalogue_copy = options.state_dir / "catalogue.json";
    options.host = reader.Text("BUSINESS_API_HOST", "127.0.0.1");
    options.port = reader.Port("BUSINESS_API_PORT", 8000);
    options.api_key = reader.RequiredSecret("API_KEY");
    options.bot_api_key = reader.Secret("BOT_API_KEY");
    ReadPipeline(reader, options.pipeline);
    options.rate_limit_per_minute =
        static_cast<std::uint32_t>(reader.Integer("RATE_LIMIT_PER_MINUTE", 10, 0, 1'000'000'000));
    if (auto proxies = http::TrustedProxies::Parse(reader.Text("TRUSTED_PROXIES"))) {
        options.trusted_proxies = std::move(*proxies);
    } else {
        reader.AddError("TRUSTED_PROXIES", proxies.error().message);
    }
    options.cors_allowed_origins = reader.Text("CORS_ALLOWED_ORIGINS", "*");
    options.engine_threads = static_cast<std::size_t>(reader.Integer("ENGINE_THREADS", 0, 0, 256));
    options.max_body_bytes =
        reader.Bytes("MAX_BODY_BYTES", 32u * 1024 * 1024, 1024, std::uint64_t{1} << 30);
    // A body of the greatest size has to find room.
    options.max_bodies_bytes = std::max(
        options.max_body_bytes,
        reader.Bytes("MAX_BODIES_BYTES", 512u * 1024 * 1024, 1024, std::uint64_t{1} << 40));
    return options;
}

}  // namespace aim::business_api
