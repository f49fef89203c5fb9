#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace aim::http::client {

// Takes gzip or deflate off a body, piece by piece, for the provider that compresses although it
// was asked not to. Its memory is bounded whatever the input is, and a body that grows absurdly (a
// bomb) is refused. Sans-I/O.
class ContentDecoder {
  public:
    enum class Coding { kGzip, kDeflate };

    // What Content-Encoding names: nullopt for one that is not known; no value at all, or
    // "identity", needs no decoder.
    static std::optional<Coding> Parse(std::string_view content_encoding);

    explicit ContentDecoder(Coding coding);
    ~ContentDecoder();
    ContentDecoder(const ContentDecoder&) = delete;
    ContentDecoder& operator=(const ContentDecoder&) = delete;

    // The next input; holds until Next() has returned an empty view.
    void Push(std::string_view bytes);
    // The next decoded bytes, valid until the next call; empty: more input is needed, or failed().
    std::string_view Next();

    // Whether the compressed stream is complete.
    bool complete() const;
    bool failed() const { return problem_ != nullptr; }
    const char* problem() const { return problem_ == nullptr ? "" : problem_; }

  private:
    struct Inflater;
    std::unique_ptr<Inflater> inflater_;
    const char* problem_ = nullptr;
};

}  // namespace aim::http::client
