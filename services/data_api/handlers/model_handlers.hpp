#pragma once

#include "core/http/handler.hpp"
#include "services/data_api/handlers/api_context.hpp"
#include "services/data_api/records/model_record.hpp"

namespace aim::data_api {

// The calls under /models. Thread-safe.
class ModelHandlers {
  public:
    explicit ModelHandlers(const ApiContext& context) : context_(context) {}

    http::Response List(const http::Request& request) const;
    http::Response Best(const http::Request& request) const;
    http::Response AllStats(const http::Request& request) const;
    http::Response Get(const http::Request& request, const http::PathParameters& parameters) const;
    http::Response Stats(const http::Request& request,
                         const http::PathParameters& parameters) const;
    http::Response Create(const http::Request& request) const;
    http::Response Change(const http::Request& request,
                          const http::PathParameters& parameters) const;
    http::Response Delete(const http::Request& request,
                          const http::PathParameters& parameters) const;
    // The same key under another master key: {"api_key_ciphertext","api_key_key_id",
    // "known_ciphertext"}. 409 when the row's key is another one by now.
    http::Response ReplaceKey(const http::Request& request,
                              const http::PathParameters& parameters) const;
    // {"response_time_ms","success"}, both required.
    http::Response AddStats(const http::Request& request,
                            const http::PathParameters& parameters) const;
    // {"response_time_ms"} or nothing.
    http::Response Increment(const http::Request& request, const http::PathParameters& parameters,
                             bool success) const;

  private:
    // Fills in what is stored for `change.api_key`.
    Result<void> Seal(const Uuid& id, ModelChange& change) const;
    http::Response Count(const http::Request& request, const Uuid& id, bool success,
                         std::optional<std::int64_t> response_time_us) const;
    http::Response NoCiphertexts(const http::Request& request) const;
    http::Response NoSuchModel(const http::Request& request) const;
    http::Response NotStored(const http::Request& request, const database::SqlError& error) const;

    const ApiContext& context_;
};

}  // namespace aim::data_api
