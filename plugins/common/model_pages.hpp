// The session of aim.models/1 for providers that list their models page by page.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/sdk/json.hpp"
#include "aim/sdk/session.hpp"
#include "plugins/common/openai_error_reader.hpp"
#include "plugins/common/rate_limit_headers.hpp"

namespace aim::native {

class ModelPages : public sdk::Session {
  public:
    // A header as a template.
    using Header = std::pair<std::string_view, std::string_view>;

    // `key_header` is the name of the header that carries the slot `key_template`.
    ModelPages(std::string_view key_header, std::string_view key_template)
        : headers_{{key_header, key_template}} {}

    bool Next(const sdk::Call& call, sdk::HttpRequest& request) final;
    sdk::Step Head(const sdk::Call& call, const sdk::HttpHead& head) final;
    sdk::Step Data(const sdk::Call& call, const sdk::HttpData& data) final;
    sdk::Step End(const sdk::Call& call, sdk::Ending ending) final;

  protected:
    void AddHeader(std::string_view name, std::string_view value) {
        headers_.emplace_back(name, value);
    }

    // The address of the page that `token` names; the first page has no token.
    virtual std::string PageUrl(std::string_view token) const = 0;
    // The array of models of a page; not there: the answer is not understood.
    virtual sdk::JsonValue List(sdk::JsonValue root) const = 0;
    // The next page's token, empty after the last.
    virtual std::string NextToken(sdk::JsonValue root) const = 0;
    // False for what is no model for prompts.
    virtual bool Describe(sdk::JsonValue item, sdk::ModelInfo& model) const = 0;
    virtual openai::UpstreamError ReadError(const sdk::Call& call, int status,
                                            std::string_view body,
                                            const openai::RateLimitHints& hints) const = 0;

  private:
    std::vector<Header> headers_;
    std::string token_;
    int pages_ = 0;
    int status_ = 0;
    bool ok_ = false;
    openai::RateLimitHints hints_;
    std::string body_;
};

}  // namespace aim::native
