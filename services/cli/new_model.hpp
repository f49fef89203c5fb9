#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace aim::cli {

// What `models add` was told of a model. Empty texts were not given.
struct NewModel {
    std::string name;
    std::string provider;
    std::string endpoint;
    std::string upstream_model;
    std::vector<std::string> settings;
    std::vector<std::string> capabilities;
    std::optional<std::int64_t> context_window;
    std::string input_price;
    std::string output_price;
    std::string api_key_env;
    bool api_key_stdin = false;
    bool inactive = false;
};

// The body of POST /models. Holds the provider's key when there is one: never to be printed. Fails
// (kInvalidRequest) for a setting that is no NAME=VALUE and for a key that is not where it should
// be.
Result<std::string> RowOf(const NewModel& model);

}  // namespace aim::cli
