#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/completion/model_record.hpp"
#include "core/json/value.hpp"
#include "core/rating/live_rating.hpp"

namespace aim::data_client {

// One model of the data API. Missing or wrong fields other than id, name and provider take their
// defaults: a newer data API must not stop an older gateway. kProtocolError when those three are
// not there.
Result<completion::ModelRecord> ReadModel(json::Value value);

// The array of GET /models. Rows that cannot be read are left out and counted in `skipped`.
Result<std::vector<completion::ModelRecord>> ReadModels(std::string_view body,
                                                        std::size_t& skipped);

rating::StoredRow StoredRowOf(const completion::ModelRecord& model);

}  // namespace aim::data_client
