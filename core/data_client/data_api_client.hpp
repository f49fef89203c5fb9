#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancellation.hpp"
#include "core/base/result.hpp"
#include "core/base/secret_string.hpp"
#include "core/base/task.hpp"
#include "core/base/timer_queue.hpp"
#include "core/completion/model_record.hpp"
#include "core/http/client/http_client.hpp"

namespace aim::data_client {

// GET /models, as it came (for the copy on disk) and as it was understood.
struct CatalogueAnswer {
    bool not_modified = false;
    std::string etag;
    std::string body;
    std::vector<completion::ModelRecord> models;
    std::size_t skipped = 0;
};

// Any document with a tag.
struct TaggedAnswer {
    bool not_modified = false;
    std::string etag;
    std::string body;
};

struct LedgerAnswer {
    struct Rejected {
        std::string id;
        std::string reason;
    };
    std::vector<completion::ModelRecord> models;  // touched by the batch
    std::int64_t applied = 0;
    std::int64_t duplicates = 0;
    std::vector<Rejected> rejected;
};

// The gateway's side of the data API (contract.md), over the engine's own HTTP client. One loop's
// thread. Never on the way of a prompt. Errors: those of HttpClient; kOverloaded for a 503 of the
// data API; kInvalidRequest when it refuses what we sent (4xx); kProtocolError for an answer that
// cannot be read.
class DataApiClient {
  public:
    DataApiClient(http::client::HttpClient& client, TimerQueue& timers, http::Url base,
                  SecretString token)
        : client_(client), timers_(timers), base_(std::move(base)), token_(std::move(token)) {}

    // `known_etag` empty = send whatever there is. `with_ciphertext` asks for the rows' own keys as
    // well, encrypted: kInvalidRequest with the code forbidden from a data API without a token.
    Task<Result<CatalogueAnswer>> Models(std::string known_etag, std::chrono::milliseconds timeout,
                                         bool with_ciphertext = false);

    // `query` begins with '?' or is empty.
    Task<Result<std::string>> Get(std::string path_and_query, std::chrono::milliseconds timeout);

    Task<Result<TaggedAnswer>> GetIfChanged(std::string path_and_query, std::string known_etag,
                                            std::chrono::milliseconds timeout);

    // Any 2xx is good; returns the body.
    Task<Result<std::string>> Post(std::string path, std::string body,
                                   std::chrono::milliseconds timeout);

    // `body` is the whole object of POST /ledger.
    Task<Result<LedgerAnswer>> PostLedger(std::string body, std::chrono::milliseconds timeout);

  private:
    struct Answer {
        int status = 0;
        std::string etag;
        std::string body;
    };
    Task<Result<Answer>> Call(std::string method, std::string path, std::string etag,
                              std::string body, std::chrono::milliseconds timeout);

    http::client::HttpClient& client_;
    TimerQueue& timers_;
    http::Url base_;
    SecretString token_;
};

}  // namespace aim::data_client
