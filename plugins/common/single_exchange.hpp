// The session of a provider that answers a chat with one POST, in whatever dialect: sends, collects
// what comes whole, and leaves the meaning to a derived class. Errors and cut answers are told
// apart here, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aim/sdk/session.hpp"
#include "plugins/common/rate_limit_headers.hpp"

namespace aim::native {

// Fails the call for an ending that is not kComplete.
sdk::Step FailEnding(const sdk::Call& call, sdk::Ending ending);

// Fails the call because the answer ended without saying why.
sdk::Step FailUnfinished(const sdk::Call& call);

// Fails the call because what came is not the provider's format. `code` is a literal.
sdk::Step FailProtocol(const sdk::Call& call, std::string_view message, std::string_view code);

bool IsJsonType(std::string_view content_type);

class SingleExchange : public sdk::Session {
  public:
    explicit SingleExchange(bool stream) : stream_(stream) {}

    bool Next(const sdk::Call& call, sdk::HttpRequest& request) final;
    sdk::Step Head(const sdk::Call& call, const sdk::HttpHead& head) final;
    sdk::Step Data(const sdk::Call& call, const sdk::HttpData& data) final;
    sdk::Step End(const sdk::Call& call, sdk::Ending ending) final;

  protected:
    // Method, URL, headers of the provider, body. Content type, accept and framing are set already.
    virtual void Describe(sdk::HttpRequest& request) = 0;
    // A complete 2xx body.
    virtual sdk::Step ReadWhole(const sdk::Call& call, std::string_view body) = 0;
    virtual sdk::Step ReadEvent(const sdk::Call& call, std::string_view name,
                                std::string_view data) = 0;
    // The stream's bytes are all there, and none of its events concluded it.
    virtual sdk::Step ReadStreamEnd(const sdk::Call& call) = 0;
    // An answer other than 2xx, as much as came of it. May ask for another request when it is
    // complete.
    virtual sdk::Step ReadError(const sdk::Call& call, int status, std::string_view body,
                                const openai::RateLimitHints& hints, bool complete) = 0;

    bool Streamed() const { return stream_; }
    // For another attempt at the same request.
    void StopStreaming() { stream_ = false; }

  private:
    bool IsError() const { return status_ < 200 || status_ >= 300; }

    bool stream_;
    bool whole_ = false;
    int status_ = 0;
    openai::RateLimitHints hints_;
    std::string body_;
};

}  // namespace aim::native
