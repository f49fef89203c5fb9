#include "core/http/client/content_decoder.hpp"

#include <array>

#include <zlib.h>

#include "core/http/header_map.hpp"

namespace aim::http::client {
namespace {

constexpr std::size_t kRoom = 16 * 1024;
// JSON shrinks to a tenth, a very dull one to a hundredth; a bomb of zlib to a thousandth.
constexpr std::uint64_t kMostGrowth = 250;
constexpr std::uint64_t kFreeBytes =
    1024 * 1024;  // may come of nothing, so that small dull bodies pass
constexpr int kGzipWindow = 15 + 16;
constexpr int kZlibWindow = 15;
constexpr int kRawWindow = -15;

}  // namespace

struct ContentDecoder::Inflater {
    z_stream stream{};
    Coding coding = Coding::kGzip;
    bool started = false;
    bool ended = false;  // after the end of a member
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    std::array<char, kRoom> room;

    ~Inflater() {
        if (started) inflateEnd(&stream);
    }

    // "deflate" means the zlib format, but some senders leave its header out; the first byte shows
    // which.
    bool Start() {
        int window = kGzipWindow;
        if (coding == Coding::kDeflate)
            window = (*stream.next_in & 0x0f) == 8 && (*stream.next_in >> 4) <= 7 ? kZlibWindow
                                                                                  : kRawWindow;
        started = inflateInit2(&stream, window) == Z_OK;
        return started;
    }
};

std::optional<ContentDecoder::Coding> ContentDecoder::Parse(std::string_view content_encoding) {
    if (EqualsIgnoreCase(content_encoding, "gzip") || EqualsIgnoreCase(content_encoding, "x-gzip"))
        return Coding::kGzip;
    if (EqualsIgnoreCase(content_encoding, "deflate")) return Coding::kDeflate;
    return std::nullopt;
}

ContentDecoder::ContentDecoder(Coding coding) : inflater_(std::make_unique<Inflater>()) {
    inflater_->coding = coding;
}
ContentDecoder::~ContentDecoder() = default;

void ContentDecoder::Push(std::string_view bytes) {
    // zlib does not write to its input, but its interface predates const.
    inflater_->stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    inflater_->stream.avail_in = static_cast<uInt>(bytes.size());
    inflater_->in += bytes.size();
}

std::string_view ContentDecoder::Next() {
    Inflater& inflater = *inflater_;
    z_stream& stream = inflater.stream;
    while (problem_ == nullptr) {
        if (inflater.ended) {
            if (stream.avail_in == 0) return {};
            // gzip allows several members after each other.
            if (inflater.coding != Coding::kGzip || inflateReset(&stream) != Z_OK) {
                problem_ = "bytes after the compressed body";
                return {};
            }
            inflater.ended = false;
        }
        if (!inflater.started) {
            if (stream.avail_in == 0) return {};
            if (!inflater.Start()) {
                problem_ = "no memory to decompress";
                return {};
            }
        }
        stream.next_out = reinterpret_cast<Bytef*>(inflater.room.data());
        stream.avail_out = static_cast<uInt>(inflater.room.size());
        const int result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            problem_ = "broken compressed body";
            return {};
        }
        inflater.ended = result == Z_STREAM_END;
        const std::size_t count = inflater.room.size() - stream.avail_out;
        inflater.out += count;
        if (inflater.out > kFreeBytes && inflater.out / kMostGrowth > inflater.in) {
            problem_ = "the compressed body grows too much";
            return {};
        }
        if (count > 0) return {inflater.room.data(), count};
        if (!inflater.ended) return {};
    }
    return {};
}

bool ContentDecoder::complete() const {
    return problem_ == nullptr && (inflater_->ended || !inflater_->started);
}

}  // namespace aim::http::client
