// Sessions whose outputs are no text: vectors and lists of models.
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/plugin/embeddings_session.hpp"
#include "core/plugin/models_session.hpp"
#include "tests/support/scripted_http_client.hpp"
#include "tests/support/scripted_plugin.hpp"

namespace aim::plugin {
namespace {

using aim::testing::AbiText;
using aim::testing::FromAbi;
using aim::testing::ScriptedPlugin;
using ::testing::ElementsAre;

class NoSlots final : public HeaderSlots {
  public:
    Result<std::string> Fill(std::string_view value, const http::Url&) const override {
        return std::string(value);
    }
};

// What the interface's begin does; it answers without a request.
template <typename Table, typename Request>
struct OneCall {
    static inline std::function<int32_t(const aim_call*, Request)> begin;

    static const Table& TableOf() {
        static const aim_session_functions functions = [] {
            aim_session_functions made{};
            made.struct_size = sizeof made;
            made.next_request = [](void*, const aim_call*, const aim_http_builder*) {
                return AIM_FAILED;
            };
            made.on_head = [](void*, const aim_call*, const aim_http_head*) {
                return AIM_STEP_FAILED;
            };
            made.on_data = [](void*, const aim_call*, const aim_http_data*) {
                return AIM_STEP_FAILED;
            };
            made.on_end = [](void*, const aim_call*, int32_t) { return AIM_STEP_FAILED; };
            made.on_wake = [](void*, const aim_call*) { return AIM_STEP_FAILED; };
            made.end = [](void*) {};
            return made;
        }();
        static const Table table = [] {
            Table made{};
            made.struct_size = sizeof made;
            made.create = [](const aim_config*, const aim_call*, void** provider) {
                static int object = 0;
                *provider = &object;
                return AIM_OK;
            };
            made.destroy = [](void*) {};
            made.begin = [](void* provider, const aim_call* call, Request request, uint64_t,
                            void** session) {
                *session = provider;
                return begin(call, request);
            };
            made.session = &functions;
            return made;
        }();
        return table;
    }

    static auto Create() {
        auto provider = ProviderObject<Table>::Create(
            nullptr, &TableOf(), "{}", [](std::string_view) { return std::nullopt; }, SystemClock(),
            nullptr, nullptr);
        return std::move(*provider);
    }
};

using Embeddings = OneCall<aim_embeddings, const aim_embeddings_request*>;
using Models = OneCall<aim_models, aim_str>;

void Emit(const aim_call* call, uint32_t index, const std::vector<float>& values) {
    const auto* sink = static_cast<const aim_embeddings_sink*>(
        call->sink->get_extension(call->sink->context, AIM_EMBEDDINGS_SINK_ID));
    ASSERT_NE(sink, nullptr);
    sink->embedding(sink->context, index, values.data(), values.size());
}

class ListSessionsTest : public ::testing::Test {
  protected:
    ProviderSession::Status Finish(ProviderSession& session) {
        auto status = ProviderSession::Status::kMore;
        bool over = false;
        boost::asio::co_spawn(loop_, Drain(session, status), [&](std::exception_ptr failure) {
            if (failure) std::rethrow_exception(failure);
            over = true;
        });
        loop_.restart();
        loop_.run();
        EXPECT_TRUE(over);
        return status;
    }

    struct Vectors {
        ProviderSession::Status status{};
        Error error;
        bool plugin_fault = false;
        std::vector<std::vector<float>> vectors;
        std::optional<std::int64_t> tokens;
    };
    // A session for `request` in which the plugin's begin does `say`.
    Vectors Embed(const completion::EmbeddingsRequest& request,
                  std::function<int32_t(const aim_call*, const aim_embeddings_request*)> say) {
        Embeddings::begin = std::move(say);
        EmbeddingsSession::Target target;
        target.provider = Embeddings::Create();
        target.model = "m";
        target.model_json = "\"m\"";
        target.endpoint = "http://provider.test";
        target.slots = &slots_;
        EmbeddingsSession session(std::move(target), request, client_, SystemClock(), 1,
                                  cancellation_);
        Vectors result;
        result.status = Finish(session);
        result.error = session.error();
        result.plugin_fault = session.plugin_fault();
        result.vectors = session.TakeVectors();
        result.tokens = usage_.prompt_tokens;
        return result;
    }

    static completion::EmbeddingsRequest Texts(std::vector<std::string> texts) {
        completion::EmbeddingsRequest request;
        request.members = "\"input\":[]";
        request.input_count = static_cast<std::uint32_t>(texts.size());
        request.texts = std::move(texts);
        return request;
    }

    boost::asio::io_context loop_{1};
    aim::testing::ScriptedHttpClient client_{loop_.get_executor()};
    NoSlots slots_;
    Cancellation cancellation_;
    completion::Usage usage_;

  private:
    Task<> Drain(ProviderSession& session, ProviderSession::Status& status) {
        completion::DeltaBatch batch;
        while (status == ProviderSession::Status::kMore) {
            status = co_await session.Next(batch);
            if (batch.has_usage()) usage_.Merge(batch.usage());
            batch.Clear();
        }
    }
};

TEST_F(ListSessionsTest, VectorsComeInTheOrderOfTheirInputs) {
    completion::EmbeddingsRequest request = Texts({"one", "two"});
    request.dimensions = 2;
    std::string seen;
    const Vectors result =
        Embed(request, [&](const aim_call* call, const aim_embeddings_request* asked) {
            EXPECT_EQ(asked->flags, 0U);
            EXPECT_EQ(asked->dimensions, 2);
            for (uint32_t i = 0; i < asked->input_count; ++i) {
                aim_str text{};
                EXPECT_EQ(asked->input(asked, i, &text), AIM_OK);
                seen += FromAbi(text) + ";";
            }
            aim_str none{};
            EXPECT_EQ(asked->input(asked, asked->input_count, &none), AIM_FAILED);
            seen += FromAbi(asked->json);
            Emit(call, 1, {3, 4});
            Emit(call, 0, {1, 2});
            ScriptedPlugin::Finish(call);  // the usage; a finish changes nothing here
            return AIM_STEP_DONE;
        });
    EXPECT_EQ(seen, "one;two;{\"model\":\"m\",\"input\":[]}");
    EXPECT_EQ(result.status, ProviderSession::Status::kDone) << result.error.message;
    EXPECT_THAT(result.vectors, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
    EXPECT_EQ(result.tokens, 3);
    EXPECT_FALSE(result.plugin_fault);
}

TEST_F(ListSessionsTest, TokenIdsHaveNoTexts) {
    completion::EmbeddingsRequest request;
    request.members = "\"input\":[1,2]";
    request.input_count = 1;
    const Vectors result =
        Embed(request, [](const aim_call* call, const aim_embeddings_request* asked) {
            EXPECT_EQ(asked->flags, AIM_EMBEDDINGS_HAS_TOKENS);
            aim_str text{};
            EXPECT_EQ(asked->input(asked, 0, &text), AIM_FAILED);
            Emit(call, 0, {1});
            return AIM_STEP_DONE;
        });
    EXPECT_EQ(result.status, ProviderSession::Status::kDone);
}

TEST_F(ListSessionsTest, DoneWithoutEveryVectorIsTruncated) {
    const Vectors result =
        Embed(Texts({"one", "two"}), [](const aim_call* call, const aim_embeddings_request*) {
            Emit(call, 1, {3, 4});
            return AIM_STEP_DONE;
        });
    EXPECT_EQ(result.status, ProviderSession::Status::kFailed);
    EXPECT_EQ(result.error.code, "truncated");
    EXPECT_EQ(result.error.kind, ErrorKind::kUpstreamFailure);
    EXPECT_FALSE(result.plugin_fault);
}

TEST_F(ListSessionsTest, VectorsAgainstTheRulesAreMisbehaviourAndNotTaken) {
    const float infinite = std::numeric_limits<float>::infinity();
    const std::vector<std::pair<uint32_t, std::vector<float>>> wrong = {
        {2, {1, 2}}, {0, {}}, {0, {1, infinite}}, {1, {1, 2, 3}}, {0, {5, 6}}};
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        SCOPED_TRACE(i);
        const Vectors result =
            Embed(Texts({"one", "two"}), [&](const aim_call* call, const aim_embeddings_request*) {
                if (i >= 3) Emit(call, 0, {1, 2});
                Emit(call, wrong[i].first, wrong[i].second);
                if (i < 3) Emit(call, 0, {1, 2});
                Emit(call, 1, {3, 4});
                return AIM_STEP_DONE;
            });
        EXPECT_TRUE(result.plugin_fault);
        EXPECT_EQ(result.status, ProviderSession::Status::kDone) << result.error.message;
        EXPECT_THAT(result.vectors, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
    }
}

TEST_F(ListSessionsTest, ModelsAreCopiedAsTheyCome) {
    Models::begin = [](const aim_call* call, aim_str endpoint) {
        EXPECT_EQ(FromAbi(endpoint), "http://provider.test");
        EXPECT_EQ(call->sink->get_extension(call->sink->context, AIM_EMBEDDINGS_SINK_ID), nullptr);
        const auto* sink = static_cast<const aim_models_sink*>(
            call->sink->get_extension(call->sink->context, AIM_MODELS_SINK_ID));
        aim_model_info info{};
        info.struct_size = sizeof info;
        info.id = AbiText("llama");
        info.context_window = 8192;
        info.max_output_tokens = -1;
        info.capabilities = AbiText("stream  tools");
        sink->model(sink->context, &info);
        info.id = AbiText("");
        sink->model(sink->context, &info);  // against the rules
        return AIM_STEP_DONE;
    };
    ModelsSession::Target target;
    target.provider = Models::Create();
    target.endpoint = "http://provider.test";
    target.slots = &slots_;
    ModelsSession session(std::move(target), client_, SystemClock(), 1, cancellation_);
    EXPECT_EQ(Finish(session), ProviderSession::Status::kDone);
    EXPECT_TRUE(session.plugin_fault());
    const std::vector<OfferedModel> models = session.TakeModels();
    ASSERT_EQ(models.size(), 1U);
    EXPECT_EQ(models[0].id, "llama");
    EXPECT_EQ(models[0].context_window, 8192);
    EXPECT_EQ(models[0].max_output_tokens, std::nullopt);
    EXPECT_THAT(models[0].capabilities, ElementsAre("stream", "tools"));
}

TEST_F(ListSessionsTest, AChatHasNoSuchSinks) {
    SessionSink sink;
    const aim_sink* table = sink.Open();
    EXPECT_EQ(table->get_extension(table->context, AIM_MODELS_SINK_ID), nullptr);
    EXPECT_EQ(table->get_extension(table->context, AIM_EMBEDDINGS_SINK_ID), nullptr);
    sink.Close();
    EXPECT_EQ(sink.misbehaviour(), 0);
}

}  // namespace
}  // namespace aim::plugin
