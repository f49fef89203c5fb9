#include "services/health_worker/options.hpp"

namespace aim::health_worker {

Options Options::Read(config::Reader& reader) {
    Options options;
    // A folder of its own: the business API beside it has its journal in AIM_STATE_DIR. No copy of
    // the catalogue: who only probes has nothing to serve while the data API is away, and must not
    // ask models that have been switched off meanwhile.
    static_cast<runtime::Options&>(options) = runtime::Options::Read(reader, "health_worker");
    options.host = reader.Text("HEALTH_WORKER_HOST", "127.0.0.1");
    options.port = reader.Port("HEALTH_WORKER_PORT", 8002);
    options.interval =
        reader.Seconds("HEALTH_CHECK_INTERVAL", options.interval, std::chrono::seconds(1));
    return options;
}

}  // namespace aim::health_worker
