// Where a model is run. An endpoint may end at the API's version, at an account, at /ai, /ai/run,
// /ai/v1, at an AI Gateway's /workers-ai, or be a full path to an operation.
#pragma once

#include <string>
#include <string_view>

#include "plugins/cloudflare/settings.hpp"

namespace aim::cloudflare {

struct Address {
    std::string url;  // empty: the endpoint needs an account and there is none
    Api api = Api::kNative;
};

Address ChatAddress(std::string_view endpoint, std::string_view model, const Settings& settings);

// The same for embeddings: a native path is the model's own, on the other one it is /embeddings.
Address EmbeddingsAddress(std::string_view endpoint, std::string_view model,
                          const Settings& settings);

// …/ai/models/search; empty as above.
std::string ModelsUrl(std::string_view endpoint, std::string_view account);

}  // namespace aim::cloudflare
