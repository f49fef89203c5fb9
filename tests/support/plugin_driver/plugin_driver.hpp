// Plays the host for one plugin inside the test's process, without sockets and clocks: loads the
// file, runs one session against an answer given as bytes, and hands back everything that the
// plugin said.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aim/abi/aim_abi.h"

namespace aim::plugin_driver {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A loaded plugin, between init and deinit. Never unmapped, as in the real host.
class Plugin final {
  public:
    // Throws std::runtime_error when the file does not load or is not a plugin.
    explicit Plugin(const std::string& path);
    ~Plugin();
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    const aim_entry& Entry() const { return *entry_; }
    const aim_descriptor& Descriptor() const { return *descriptor_; }
    const aim_chat* Chat() const { return chat_; }
    const aim_models* Models() const { return models_; }
    const aim_embeddings* Embeddings() const { return embeddings_; }

  private:
    const aim_entry* entry_ = nullptr;
    const aim_descriptor* descriptor_ = nullptr;
    const aim_chat* chat_ = nullptr;
    const aim_models* models_ = nullptr;
    const aim_embeddings* embeddings_ = nullptr;
};

struct SentRequest {
    std::string method;
    std::string url;
    Headers headers;  // values as templates, names as given
    std::string body;
    std::int32_t framing = AIM_FRAMING_WHOLE;
};

struct Answer {
    std::uint32_t status = 200;
    Headers headers;
    std::string body;
    std::int32_t ending = AIM_END_COMPLETE;
};

// Given what is left of a body, how many bytes arrive next (at least 1).
using Splitter = std::function<std::size_t(std::size_t left)>;
Splitter Whole();
Splitter ByteByByte();
Splitter Randomly(std::uint64_t seed);

struct Options {
    std::string row_settings = "{}";
    std::string endpoint;  // empty: the descriptor's default
    Headers environment;   // settings of the descriptor that are no secrets
    std::uint64_t seed = 1;
    std::uint64_t now_unix_ms = 1'790'000'000'000;
    Splitter splitter = Whole();
    std::uint64_t give_up_after_ms = 600'000;  // of waits; the host then ends the session
    bool clock_stands_still = false;
    std::uint32_t sink_size = sizeof(aim_sink);
};

struct Result {
    std::vector<SentRequest> sent;
    std::vector<std::string> events;  // Recorder's lines, then `done`, `failed` or `gave_up`
    std::string text;
    std::string usage_json;
    std::string error_message;
    std::uint64_t waited_ms = 0;
};

// One chat session: create, begin, and what follows, end, destroy. Answer i is for request i.
Result RunChat(const Plugin& plugin, std::string_view request_json,
               const std::vector<Answer>& answers, const Options& options = {});

// One session of aim.models/1.
Result RunModels(const Plugin& plugin, const std::vector<Answer>& answers,
                 const Options& options = {});

// One session of aim.embeddings/1 for OpenAI's request object.
Result RunEmbeddings(const Plugin& plugin, std::string_view request_json,
                     const std::vector<Answer>& answers, const Options& options = {});

}  // namespace aim::plugin_driver
