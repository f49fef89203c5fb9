// The list of models of an OpenAI-compatible provider: GET {endpoint}/models.
#pragma once

#include <memory>
#include <string_view>

#include "aim/sdk/session.hpp"
#include "plugins/common/openai_chat.hpp"

namespace aim::openai {

std::unique_ptr<sdk::Session> StartModels(std::string_view endpoint, const Dialect& dialect);

template <const Dialect& kDialect>
class OpenAiModelsProvider final : public sdk::ModelsProvider {
  public:
    static std::unique_ptr<OpenAiModelsProvider> Create(const sdk::Call&, const sdk::Config&) {
        return std::make_unique<OpenAiModelsProvider>();
    }
    std::unique_ptr<sdk::Session> Start(const sdk::Call&, std::string_view endpoint,
                                        std::uint64_t) const override {
        return StartModels(endpoint, kDialect);
    }
};

}  // namespace aim::openai
