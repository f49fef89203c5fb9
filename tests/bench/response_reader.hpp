// Reads HTTP/1.1 responses of a server under load: bytes in, body bytes and the end out. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aim::bench {

class ResponseReader {
  public:
    enum class State { kHead, kBody, kDone, kBroken };

    // Takes bytes of one response; body bytes are appended to `body` when that is given. Returns
    // how many bytes it took: less than all of them only when the response ended before, or is
    // broken.
    std::size_t Feed(std::string_view bytes, std::string* body);
    // The connection ended. Completes a response that is delimited by that.
    void End();
    void Restart();

    State state() const { return state_; }
    int status() const { return status_; }
    bool keep_alive() const { return keep_alive_; }

  private:
    enum class Chunk { kNone, kSize, kData, kDataEnd, kTrailer };

    std::size_t FeedHead(std::string_view bytes);
    std::size_t FeedChunked(std::string_view bytes, std::string* body);
    void ReadHead(std::string_view head);

    State state_ = State::kHead;
    std::string head_;
    std::string line_;
    int status_ = 0;
    bool keep_alive_ = true;
    bool until_close_ = false;
    std::uint64_t left_ = 0;
    Chunk chunk_ = Chunk::kNone;
};

}  // namespace aim::bench
