// What the dialect of each plugin costs: CPU time of a whole exchange (request written, 2 KiB
// answer read) and of one delta of a stream, through the C ABI as the host calls it, without a
// network and with a sink that only counts. The answers are those of the plugin's first two
// transcripts, the whole one with a text of 2 KiB.
//
//   dialect_bench [SECONDS_A_FIGURE [PROVIDER...]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "aim/abi/aim_abi.h"
#include "tests/support/plugin_driver/plugin_driver.hpp"
#include "tests/support/plugin_driver/request_view.hpp"
#include "tests/support/plugin_driver/transcript.hpp"

namespace aim::plugin_driver {
namespace {

constexpr std::size_t kAnswerBytes = 2048;
constexpr int kDeltas = 1000;

aim_str Str(std::string_view text) { return {text.data(), text.size()}; }

double CpuSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Counted {
    std::size_t bytes = 0;
    std::size_t finishes = 0;
    std::size_t errors = 0;
};

aim_sink CountingSink(Counted& counted) {
    aim_sink sink{};
    sink.struct_size = sizeof(sink);
    sink.context = &counted;
    sink.text = [](void* context, std::uint32_t, aim_str text) {
        static_cast<Counted*>(context)->bytes += text.size;
    };
    sink.reasoning = sink.text;
    sink.refusal = sink.text;
    sink.tool_call = [](void*, std::uint32_t, std::uint32_t, aim_str, aim_str, aim_str) {};
    sink.usage = [](void*, const aim_usage*) {};
    sink.finish = [](void* context, std::uint32_t, std::int32_t) {
        ++static_cast<Counted*>(context)->finishes;
    };
    sink.extra = [](void*, std::int32_t, std::uint32_t, std::uint32_t, aim_str, aim_str) {};
    sink.error = [](void* context, const aim_error*) { ++static_cast<Counted*>(context)->errors; };
    sink.wait = [](void*, std::uint64_t) {};
    sink.get_extension = [](void*, const char*) -> const void* { return nullptr; };
    return sink;
}

aim_http_builder CountingBuilder(std::size_t& bytes) {
    aim_http_builder builder{};
    builder.struct_size = sizeof(builder);
    builder.context = &bytes;
    builder.method = [](void*, aim_str) -> std::int32_t { return AIM_OK; };
    builder.url = [](void*, aim_str) -> std::int32_t { return AIM_OK; };
    builder.header = [](void*, aim_str, aim_str) -> std::int32_t { return AIM_OK; };
    builder.body = [](void* context, aim_bytes piece) -> std::int32_t {
        *static_cast<std::size_t*>(context) += piece.size;
        return AIM_OK;
    };
    builder.framing = [](void*, std::int32_t) -> std::int32_t { return AIM_OK; };
    return builder;
}

aim_http_head Head(const char* content_type) {
    aim_http_head head{};
    head.struct_size = sizeof(head);
    head.status = 200;
    head.impl = content_type;
    head.header = [](const aim_http_head*, std::uint32_t, aim_str*, aim_str*) -> std::int32_t {
        return AIM_FAILED;
    };
    head.find = [](const aim_http_head* self, aim_str name, aim_str* value) -> std::int32_t {
        if (std::string_view(name.data, name.size) != "content-type") {
            return AIM_FAILED;
        }
        *value = Str(static_cast<const char*>(self->impl));
        return AIM_OK;
    };
    return head;
}

// One provider object and its sessions.
class Bench final {
  public:
    Bench(const Plugin& plugin, const Transcript& transcript)
        : plugin_(plugin),
          endpoint_(transcript.endpoint.empty()
                        ? std::string(plugin.Descriptor().default_endpoint.data,
                                      plugin.Descriptor().default_endpoint.size)
                        : transcript.endpoint),
          environment_(transcript.environment),
          sink_(CountingSink(counted_)),
          builder_(CountingBuilder(request_bytes_)) {
        aim_config config{};
        config.struct_size = sizeof(config);
        config.row_settings = Str("{}");
        config.impl = this;
        config.setting = [](const aim_config* self, aim_str name, aim_str* value) -> std::int32_t {
            for (const auto& [known, text] : static_cast<const Bench*>(self->impl)->environment_) {
                if (known == std::string_view(name.data, name.size)) {
                    *value = Str(text);
                    return AIM_OK;
                }
            }
            return AIM_FAILED;
        };
        const aim_call call = Call();
        if (plugin_.Chat()->create(&config, &call, &provider_) != AIM_OK) {
            throw std::runtime_error("the plugin refuses its row");
        }
    }
    ~Bench() { plugin_.Chat()->destroy(provider_); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    // What arrives for one request of the session.
    struct Arrival {
        const char* content_type;
        std::vector<std::string> pieces;
        std::string event;
    };

    // Begin; request, head and pieces of each arrival; end. False when they were not understood.
    // The last one is left open when it is not `to_the_end`.
    bool Exchange(const RequestView& request, const std::vector<Arrival>& arrivals,
                  bool to_the_end) {
        const aim_call call = Call();
        void* session = nullptr;
        std::int32_t step = plugin_.Chat()->begin(provider_, &call, request.Raw(), 1, &session);
        if (step < 0) {
            return false;
        }
        for (std::size_t i = 0; i < arrivals.size() && step == AIM_STEP_NEXT_REQUEST; ++i) {
            step = Receive(session, call, arrivals[i], to_the_end || i + 1 < arrivals.size());
        }
        plugin_.Chat()->session->end(session);
        return step == (to_the_end ? AIM_STEP_DONE : AIM_STEP_CONTINUE);
    }

    const std::string& endpoint() const { return endpoint_; }
    const Counted& counted() const { return counted_; }

  private:
    std::int32_t Receive(void* session, const aim_call& call, const Arrival& arrival,
                         bool to_the_end) {
        const aim_session_functions& functions = *plugin_.Chat()->session;
        functions.next_request(session, &call, &builder_);
        const aim_http_head head = Head(arrival.content_type);
        std::int32_t step = functions.on_head(session, &call, &head);
        for (const std::string& piece : arrival.pieces) {
            if (step != AIM_STEP_CONTINUE) {
                break;
            }
            const aim_http_data data = {
                sizeof(aim_http_data),
                0,
                {reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()},
                Str(arrival.event),
                Str("")};
            step = functions.on_data(session, &call, &data);
        }
        if (to_the_end && step == AIM_STEP_CONTINUE) {
            step = functions.on_end(session, &call, AIM_END_COMPLETE);
        }
        return step;
    }

    aim_call Call() const { return {sizeof(aim_call), 0, 1'790'000'000'000, &sink_}; }

    const Plugin& plugin_;
    std::string endpoint_;
    Headers environment_;
    Counted counted_;
    std::size_t request_bytes_ = 0;
    aim_sink sink_;
    aim_http_builder builder_;
    void* provider_ = nullptr;
};

// The answer's first text, made 2 KiB long.
std::optional<std::string> WithLongText(const std::string& body) {
    for (const std::string_view field :
         {"\"content\":\"", "\"text\":\"", "\"response\":\"", "\"output\":[\""}) {
        const std::size_t at = body.find(field);
        if (at == body.npos) {
            continue;
        }
        const std::size_t begin = at + field.size();
        std::size_t end = begin;
        while (end < body.size() && body[end] != '"') {
            end += body[end] == '\\' ? 2 : 1;
        }
        std::string text;
        while (text.size() < kAnswerBytes) {
            text += "the quick brown fox jumps over the lazy dog ";
        }
        return body.substr(0, begin) + text + body.substr(end);
    }
    return std::nullopt;
}

struct Delta {
    std::string event;
    std::string data;
};

// The first event with text: a JSON object with one of the known fields, or the text itself.
std::optional<Delta> FindDelta(const std::string& body) {
    std::string event;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t stop = std::min(body.find('\n', at), body.size());
        const std::string line = body.substr(at, stop - at);
        at = stop + 1;
        if (line.rfind("event: ", 0) == 0) {
            event = line.substr(7);
        }
        if (line.rfind("data: ", 0) != 0) {
            continue;
        }
        for (const std::string_view field : {"\"content\":\"", "\"text\":\"", "\"response\":\""}) {
            const std::size_t text = line.find(field);
            if (text != line.npos && line[text + field.size()] != '"') {
                return Delta{event, line.substr(6)};
            }
        }
        if (event == "output" && line[6] != '{') {
            return Delta{event, line.substr(6)};
        }
    }
    return std::nullopt;
}

template <typename Work>
double MicrosecondsEach(double seconds, int batch, Work&& work) {
    for (int i = 0; i < batch; ++i) {
        work();
    }
    std::size_t count = 0;
    const double begin = CpuSeconds();
    double now = begin;
    while (now - begin < seconds) {
        for (int i = 0; i < batch; ++i) {
            work();
        }
        count += static_cast<std::size_t>(batch);
        now = CpuSeconds();
    }
    return (now - begin) * 1e6 / static_cast<double>(count);
}

void Run(const std::string& provider, double seconds) {
    const std::string folder =
        std::string(AIM_SOURCE_DIR) + "/tests/plugins/" + provider + "/transcripts/";
    const Transcript plain = ReadTranscript(folder + "01_plain.txt");
    const Transcript stream = ReadTranscript(folder + "02_stream.txt");
    const std::optional<std::string> body = WithLongText(plain.answers.at(0).body);
    // Who creates a prediction first streams with the second answer.
    const std::size_t streaming = stream.answers.size() > 1 ? 1 : 0;
    const std::optional<Delta> delta = FindDelta(stream.answers.at(streaming).body);
    if (!body || !delta) {
        std::printf("%-18s no answer of a known shape\n", provider.c_str());
        return;
    }
    const Plugin plugin(std::string(AIM_BINARY_DIR) + "/plugins/" + provider + ".so");
    Bench bench(plugin, plain);
    const RequestView request(plain.request, bench.endpoint());
    const RequestView streamed(stream.request, bench.endpoint());
    const std::vector<Bench::Arrival> whole = {{"application/json", {*body}, ""}};
    std::vector<Bench::Arrival> deltas;
    for (std::size_t i = 0; i < streaming; ++i) {
        deltas.push_back({"application/json", {stream.answers[i].body}, ""});
    }
    deltas.push_back(
        {"text/event-stream", std::vector<std::string>(kDeltas, delta->data), delta->event});
    bool good = true;
    const double exchange = MicrosecondsEach(
        seconds, 100, [&] { good = bench.Exchange(request, whole, true) && good; });
    const double of_deltas = MicrosecondsEach(
        seconds, 1, [&] { good = bench.Exchange(streamed, deltas, false) && good; });
    std::printf("%-18s %8.2f us an exchange %8.2f us a delta (%zu bytes)%s\n", provider.c_str(),
                exchange, of_deltas / kDeltas, delta->data.size(),
                good && bench.counted().errors == 0 ? "" : "  NOT UNDERSTOOD");
}

}  // namespace
}  // namespace aim::plugin_driver

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
    std::vector<std::string> providers(argv + std::min(argc, 2), argv + argc);
    const std::filesystem::path folders = std::string(AIM_SOURCE_DIR) + "/tests/plugins";
    for (const auto& folder : std::filesystem::directory_iterator(folders)) {
        if (argc < 3) providers.push_back(folder.path().filename().string());
    }
    std::sort(providers.begin(), providers.end());
    for (const std::string& provider : providers) {
        try {
            aim::plugin_driver::Run(provider, seconds);
        } catch (const std::exception& error) {
            std::printf("%-18s %s\n", provider.c_str(), error.what());
        }
    }
    return 0;
}
