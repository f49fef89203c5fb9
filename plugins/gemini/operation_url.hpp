// Addresses of Gemini's operations.
#pragma once

#include <string>
#include <string_view>

namespace aim::gemini {

// {endpoint}/models/{model}:{operation}; a model may be written with its folder (models/…,
// tunedModels/…). An endpoint that ends in an operation of a model keeps the model and gets the
// operation that is needed. A query stays, with `parameter` behind it when that is not empty.
std::string OperationUrl(std::string_view endpoint, std::string_view model,
                         std::string_view operation, std::string_view parameter);

// {endpoint}/models, with the same rules.
std::string ModelsUrl(std::string_view endpoint, std::string_view parameters);

}  // namespace aim::gemini
