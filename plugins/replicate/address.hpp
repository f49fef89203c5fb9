// Where a prediction is created and fetched.
#pragma once

#include <string>
#include <string_view>

namespace aim::replicate {

struct Creation {
    std::string url;
    std::string version;  // of a model that is named by it
};

// "owner/name" (an official model), "deployments/owner/name", "owner/name:version" or a version's
// id. An endpoint that ends in /predictions is taken as it is.
Creation CreationOf(std::string_view endpoint, std::string_view model);

// The endpoint without an operation, a query or a '/' at its end.
std::string BaseUrl(std::string_view endpoint);

// {endpoint}/predictions/{id}.
std::string PredictionUrl(std::string_view endpoint, std::string_view id);

// Whether a URL out of an answer may be asked: one of the provider's own hosts, or the endpoint's.
bool IsOurs(std::string_view url, std::string_view endpoint);

}  // namespace aim::replicate
