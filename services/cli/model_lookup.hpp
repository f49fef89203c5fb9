#pragma once

#include <string>
#include <string_view>

#include "core/json/json.hpp"
#include "services/cli/remote/remote.hpp"

namespace aim::cli {

// The rows of the data API, as it gives them: best first.
Result<json::Document> ListModels(Remote& remote, const Endpoint& data, bool active_only = false);

// The row with this name, else the one with this id; absent when there is none. Valid as long as
// `models`.
json::Value FindModel(const json::Document& models, std::string_view name_or_id);

// The same over the network; kModelNotFound with a sentence when there is none. The document's root
// is the row.
Result<json::Document> FetchModel(Remote& remote, const Endpoint& data,
                                  std::string_view name_or_id);

}  // namespace aim::cli
