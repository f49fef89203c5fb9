#include "tests/support/plugin_driver/plugin_driver.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <stdexcept>

#include <dlfcn.h>

#include "aim/sdk/views.hpp"
#include "tests/support/plugin_driver/framing.hpp"
#include "tests/support/plugin_driver/recorder.hpp"
#include "tests/support/plugin_driver/request_view.hpp"

namespace aim::plugin_driver {
namespace {

const aim_host* TestHost() {
    static const aim_host host = {
        sizeof(aim_host),
        AIM_ABI_MAJOR,
        AIM_ABI_MINOR,
        {"plugin_driver", 13},
        {"0", 1},
        [](const aim_host*, std::int32_t) -> std::int32_t { return 0; },
        [](const aim_host*, std::int32_t, aim_str) {},
    };
    return &host;
}

std::string Lowered(std::string_view text) {
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lowered;
}

struct ConfigView {
    explicit ConfigView(const Options& given) : options(given) {
        raw.struct_size = sizeof(raw);
        raw.row_settings = sdk::Str(options.row_settings);
        raw.impl = this;
        raw.setting = [](const aim_config* config, aim_str name, aim_str* value) -> std::int32_t {
            for (const auto& [known, text] :
                 static_cast<const ConfigView*>(config->impl)->options.environment) {
                if (known == sdk::View(name)) {
                    *value = sdk::Str(text);
                    return AIM_OK;
                }
            }
            return AIM_FAILED;
        };
    }
    const Options& options;
    aim_config raw{};
};

struct Builder {
    Builder() {
        raw.struct_size = sizeof(raw);
        raw.context = this;
        raw.method = [](void* context, aim_str method) -> std::int32_t {
            Sent(context).method = sdk::View(method);
            return AIM_OK;
        };
        raw.url = [](void* context, aim_str url) -> std::int32_t {
            Sent(context).url = sdk::View(url);
            const bool good = Sent(context).url.rfind("http", 0) == 0;
            return good ? AIM_OK : AIM_FAILED;
        };
        raw.header = [](void* context, aim_str name, aim_str value) -> std::int32_t {
            Sent(context).headers.emplace_back(sdk::View(name), sdk::View(value));
            return AIM_OK;
        };
        raw.body = [](void* context, aim_bytes piece) -> std::int32_t {
            Sent(context).body += sdk::View(piece);
            return AIM_OK;
        };
        raw.framing = [](void* context, std::int32_t framing) -> std::int32_t {
            Sent(context).framing = framing;
            return AIM_OK;
        };
    }
    static SentRequest& Sent(void* context) { return static_cast<Builder*>(context)->sent; }

    aim_http_builder raw{};
    SentRequest sent;
};

struct HeadView {
    explicit HeadView(const Answer& given) : answer(given) {
        raw.struct_size = sizeof(raw);
        raw.status = answer.status;
        raw.header_count = static_cast<std::uint32_t>(answer.headers.size());
        raw.impl = this;
        raw.header = [](const aim_http_head* head, std::uint32_t i, aim_str* name,
                        aim_str* value) -> std::int32_t {
            const Headers& all = static_cast<const HeadView*>(head->impl)->answer.headers;
            if (i >= all.size()) {
                return AIM_FAILED;
            }
            *name = sdk::Str(all[i].first);
            *value = sdk::Str(all[i].second);
            return AIM_OK;
        };
        raw.find = [](const aim_http_head* head, aim_str name, aim_str* value) -> std::int32_t {
            for (const auto& [known, text] :
                 static_cast<const HeadView*>(head->impl)->answer.headers) {
                if (Lowered(known) == Lowered(sdk::View(name))) {
                    *value = sdk::Str(text);
                    return AIM_OK;
                }
            }
            return AIM_FAILED;
        };
    }
    std::string Find(std::string_view name) const {
        for (const auto& [known, text] : answer.headers) {
            if (Lowered(known) == name) {
                return text;
            }
        }
        return {};
    }

    const Answer& answer;
    aim_http_head raw{};
};

// Drives one session from its first step to its end, as the state machine of provider.h says.
class Run final {
  public:
    Run(const aim_session_functions& functions, const std::vector<Answer>& answers,
        const Options& options)
        : functions_(functions),
          answers_(answers),
          options_(options),
          recorder_(options.sink_size),
          now_(options.now_unix_ms) {}

    Recorder& GetRecorder() { return recorder_; }

    template <typename Function>
    std::int32_t Call(Function&& function) {
        const aim_call call = {sizeof(aim_call), 0, now_, recorder_.Sink()};
        recorder_.Open();
        const std::int32_t result = function(&call);
        recorder_.Close();
        return result;
    }

    void Go(std::int32_t step, void* session) {
        session_ = session;
        Checked(step);
        while (true) {
            if (step == AIM_STEP_NEXT_REQUEST) {
                step = Exchange();
            } else if (step == AIM_STEP_WAIT) {
                result_.waited_ms += recorder_.WaitMs();
                if (result_.waited_ms > options_.give_up_after_ms) {
                    recorder_.Note("gave_up");
                    break;
                }
                now_ += options_.clock_stands_still ? 0 : recorder_.WaitMs();
                step = Checked(
                    Call([&](const aim_call* call) { return functions_.on_wake(session_, call); }));
            } else {
                recorder_.Note(step == AIM_STEP_DONE     ? "done"
                               : step == AIM_STEP_FAILED ? "failed"
                                                         : "misbehaviour an illegal step");
                break;
            }
        }
        functions_.end(session_);
    }

    Result TakeResult() {
        result_.events = recorder_.Events();
        result_.text = recorder_.Text();
        result_.usage_json = recorder_.UsageJson();
        result_.error_message = recorder_.ErrorMessage();
        return std::move(result_);
    }

  private:
    std::int32_t Checked(std::int32_t step) {
        recorder_.CheckStep(step);
        return step;
    }

    std::int32_t Exchange() {
        Builder builder;
        const std::int32_t described = Call([&](const aim_call* call) {
            return functions_.next_request(session_, call, &builder.raw);
        });
        if (described != AIM_OK) {
            return Checked(AIM_STEP_FAILED);
        }
        if (builder.sent.method.empty()) {
            builder.sent.method = builder.sent.body.empty() ? "GET" : "POST";
        }
        result_.sent.push_back(builder.sent);
        if (result_.sent.size() > answers_.size()) {
            throw std::runtime_error("the plugin asked for more requests than there are answers");
        }
        return Receive(answers_[result_.sent.size() - 1], builder.sent.framing);
    }

    std::int32_t Receive(const Answer& answer, std::int32_t framing) {
        const HeadView head(answer);
        std::int32_t step = Checked(Call(
            [&](const aim_call* call) { return functions_.on_head(session_, call, &head.raw); }));
        if (answer.status < 200 || answer.status > 299) {
            framing = AIM_FRAMING_WHOLE;
        }
        if (framing == AIM_FRAMING_SSE &&
            head.Find("content-type").find("application/json") != std::string::npos) {
            framing = AIM_FRAMING_WHOLE;
        }
        Framer framer(framing);
        std::string_view left = answer.body;
        while (step == AIM_STEP_CONTINUE && !left.empty()) {
            const std::size_t size =
                std::clamp<std::size_t>(options_.splitter(left.size()), 1, left.size());
            // A copy of exactly that size, so that a read beyond it is a fault that ASan sees.
            const std::vector<char> bytes(left.begin(),
                                          left.begin() + static_cast<std::ptrdiff_t>(size));
            left.remove_prefix(size);
            step = Deliver(framer.Feed({bytes.data(), bytes.size()}), step);
        }
        if (step == AIM_STEP_CONTINUE) {
            step = Deliver(framer.Finish(answer.ending == AIM_END_COMPLETE), step);
        }
        if (step == AIM_STEP_CONTINUE) {
            step = Checked(Call([&](const aim_call* call) {
                return functions_.on_end(session_, call, answer.ending);
            }));
        }
        return step;
    }

    std::int32_t Deliver(const std::vector<Framer::Piece>& pieces, std::int32_t step) {
        for (const Framer::Piece& piece : pieces) {
            if (step != AIM_STEP_CONTINUE) {
                break;
            }
            const aim_http_data data = {sizeof(aim_http_data), 0, sdk::Bytes(piece.data),
                                        sdk::Str(piece.event), sdk::Str(piece.id)};
            step = Checked(Call(
                [&](const aim_call* call) { return functions_.on_data(session_, call, &data); }));
        }
        return step;
    }

    const aim_session_functions& functions_;
    const std::vector<Answer>& answers_;
    const Options& options_;
    Recorder recorder_;
    std::uint64_t now_;
    void* session_ = nullptr;
    Result result_;
};

// What chat and models have in common: a provider from the row's settings, then one session.
template <typename Interface, typename Begin>
Result RunWith(const Interface& interface, const std::vector<Answer>& answers,
               const Options& options, Begin&& begin) {
    Run run(*interface.session, answers, options);
    const ConfigView config(options);
    void* provider = nullptr;
    const std::int32_t created = run.Call(
        [&](const aim_call* call) { return interface.create(&config.raw, call, &provider); });
    if (created != AIM_OK) {
        run.GetRecorder().CheckStep(AIM_STEP_FAILED);
        run.GetRecorder().Note("not_created");
        return run.TakeResult();
    }
    void* session = nullptr;
    const std::int32_t step =
        run.Call([&](const aim_call* call) { return begin(provider, call, &session); });
    run.Go(step, session);
    interface.destroy(provider);
    return run.TakeResult();
}

}  // namespace

Splitter Whole() {
    return [](std::size_t left) { return left; };
}
Splitter ByteByByte() {
    return [](std::size_t) { return std::size_t{1}; };
}
Splitter Randomly(std::uint64_t seed) {
    return [engine = std::make_shared<std::mt19937_64>(seed)](std::size_t left) {
        return std::size_t{1} + (*engine)() % std::min<std::size_t>(left, 64);
    };
}

Plugin::Plugin(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw std::runtime_error(dlerror());
    }
    const auto entry = reinterpret_cast<aim_plugin_entry_fn>(dlsym(library, AIM_ENTRY_SYMBOL));
    if (entry == nullptr) {
        throw std::runtime_error(path + " has no " AIM_ENTRY_SYMBOL);
    }
    entry_ = entry();
    descriptor_ = static_cast<const aim_descriptor*>(entry_->get_interface(AIM_DESCRIPTOR_ID));
    chat_ = static_cast<const aim_chat*>(entry_->get_interface(AIM_CHAT_ID));
    models_ = static_cast<const aim_models*>(entry_->get_interface(AIM_MODELS_ID));
    embeddings_ = static_cast<const aim_embeddings*>(entry_->get_interface(AIM_EMBEDDINGS_ID));
    if (descriptor_ == nullptr || entry_->init(TestHost()) != AIM_OK) {
        throw std::runtime_error(path + " has no descriptor or its init failed");
    }
}

Plugin::~Plugin() { entry_->deinit(); }

Result RunChat(const Plugin& plugin, std::string_view request_json,
               const std::vector<Answer>& answers, const Options& options) {
    const std::string endpoint = options.endpoint.empty()
                                     ? std::string(sdk::View(plugin.Descriptor().default_endpoint))
                                     : options.endpoint;
    // Gone when begin has returned: a plugin that keeps a view of it is caught by ASan.
    auto request = std::make_unique<RequestView>(std::string(request_json), endpoint);
    return RunWith(*plugin.Chat(), answers, options,
                   [&](void* provider, const aim_call* call, void** session) {
                       const std::int32_t step = plugin.Chat()->begin(
                           provider, call, request->Raw(), options.seed, session);
                       request.reset();
                       return step;
                   });
}

Result RunModels(const Plugin& plugin, const std::vector<Answer>& answers, const Options& options) {
    const std::string endpoint = options.endpoint.empty()
                                     ? std::string(sdk::View(plugin.Descriptor().default_endpoint))
                                     : options.endpoint;
    return RunWith(*plugin.Models(), answers, options,
                   [&](void* provider, const aim_call* call, void** session) {
                       return plugin.Models()->begin(provider, call, sdk::Str(endpoint),
                                                     options.seed, session);
                   });
}

Result RunEmbeddings(const Plugin& plugin, std::string_view request_json,
                     const std::vector<Answer>& answers, const Options& options) {
    const std::string endpoint = options.endpoint.empty()
                                     ? std::string(sdk::View(plugin.Descriptor().default_endpoint))
                                     : options.endpoint;
    auto request = std::make_unique<EmbeddingsView>(std::string(request_json), endpoint);
    return RunWith(*plugin.Embeddings(), answers, options,
                   [&](void* provider, const aim_call* call, void** session) {
                       const std::int32_t step = plugin.Embeddings()->begin(
                           provider, call, request->Raw(), options.seed, session);
                       request.reset();
                       return step;
                   });
}

}  // namespace aim::plugin_driver
