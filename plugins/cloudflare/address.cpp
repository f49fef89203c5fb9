#include "plugins/cloudflare/address.hpp"

#include <algorithm>

#include "plugins/common/canonical_chat.hpp"
#include "plugins/common/openai_chat.hpp"

namespace aim::cloudflare {
namespace {

constexpr std::string_view kChat = "/chat/completions";

bool EndsWith(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string_view WithoutSlash(std::string_view path) {
    while (!path.empty() && path.back() == '/') {
        path.remove_suffix(1);
    }
    return path;
}

// `path` up to its account; empty when there is none to be had.
std::string WithAccount(std::string_view path, std::string_view account) {
    std::string base(path);
    if (!Contains(path, "/accounts/")) {
        if (account.empty()) {
            return {};
        }
        base += "/accounts/" + native::PathEncoded(account);
    }
    return base;
}

}  // namespace

Address ChatAddress(std::string_view endpoint, std::string_view model, const Settings& settings) {
    const std::size_t mark = std::min(endpoint.find('?'), endpoint.size());
    const std::string_view query = endpoint.substr(mark);
    const std::string_view path = WithoutSlash(endpoint.substr(0, mark));
    const std::string name = native::PathEncoded(model);
    const auto native_at = [&](std::string url) {
        return Address{std::move(url) + std::string(query), Api::kNative};
    };
    const auto openai_at = [&](std::string_view base) {
        return Address{openai::OperationUrl(base, kChat) + std::string(query), Api::kOpenAi};
    };
    if (EndsWith(path, kChat) || EndsWith(path, "/ai/v1") || EndsWith(path, "/workers-ai/v1")) {
        return openai_at(path);
    }
    if (Contains(path, "/ai/run/") || Contains(path, "/workers-ai/@")) {
        return native_at(std::string(path));
    }
    if (EndsWith(path, "/ai/run")) {
        return native_at(std::string(path) + "/" + name);
    }
    const bool wants_openai = settings.api == Api::kOpenAi;
    if (EndsWith(path, "/workers-ai")) {
        return wants_openai ? openai_at(std::string(path) + "/v1")
                            : native_at(std::string(path) + "/" + name);
    }
    std::string base = EndsWith(path, "/ai") ? std::string(path.substr(0, path.size() - 3))
                                             : WithAccount(path, settings.account);
    if (base.empty()) {
        return {};
    }
    return wants_openai ? openai_at(base + "/ai/v1") : native_at(base + "/ai/run/" + name);
}

Address EmbeddingsAddress(std::string_view endpoint, std::string_view model,
                          const Settings& settings) {
    constexpr std::string_view kEmbeddings = "/embeddings";
    const std::size_t mark = std::min(endpoint.find('?'), endpoint.size());
    if (EndsWith(WithoutSlash(endpoint.substr(0, mark)), kEmbeddings)) {
        return {std::string(endpoint), Api::kOpenAi};
    }
    Address address = ChatAddress(endpoint, model, settings);
    if (address.api == Api::kOpenAi) {
        address.url.replace(address.url.rfind(kChat), kChat.size(), kEmbeddings);
    }
    return address;
}

std::string ModelsUrl(std::string_view endpoint, std::string_view account) {
    std::string_view path = WithoutSlash(endpoint.substr(0, endpoint.find('?')));
    path = path.substr(0, path.find("/ai/"));
    if (EndsWith(path, "/ai")) {
        path.remove_suffix(3);
    }
    const std::string base = WithAccount(path, account);
    return base.empty() ? base : base + "/ai/models/search";
}

}  // namespace aim::cloudflare
