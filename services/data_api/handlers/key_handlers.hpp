#pragma once

#include "core/http/handler.hpp"
#include "services/data_api/handlers/api_context.hpp"
#include "services/data_api/records/key_record.hpp"

namespace aim::data_api {

// The calls under /keys: the callers' keys of the business API. Thread-safe. A secret that is made
// here is in the answer that makes it, and nowhere else.
class KeyHandlers {
  public:
    explicit KeyHandlers(const ApiContext& context) : context_(context) {}

    http::Response List(const http::Request& request) const;
    http::Response Get(const http::Request& request, const http::PathParameters& parameters) const;
    http::Response Create(const http::Request& request) const;
    // DELETE: revokes; the row stays.
    http::Response Revoke(const http::Request& request,
                          const http::PathParameters& parameters) const;
    http::Response Rotate(const http::Request& request,
                          const http::PathParameters& parameters) const;
    // For those who check keys; with an ETag.
    http::Response Hashes(const http::Request& request) const;
    // POST /keys/last-used: {"keys":[{"id","last_used_at"}]}.
    http::Response NoteUses(const http::Request& request) const;

  private:
    http::Response NoSuchKey(const http::Request& request) const;
    http::Response NotStored(const http::Request& request, const database::SqlError& error) const;

    const ApiContext& context_;
};

}  // namespace aim::data_api
