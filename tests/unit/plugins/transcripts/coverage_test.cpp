// What the recorded sessions of every provider must show at least.
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/transcripts/provider_transcripts.hpp"

namespace aim::plugin_driver {
namespace {

bool HasEvent(const Transcript& transcript, std::string_view begin) {
    return std::any_of(transcript.events.begin(), transcript.events.end(),
                       [&](const std::string& event) { return event.rfind(begin, 0) == 0; });
}

bool AsksFor(const Transcript& transcript, std::string_view text) {
    return transcript.request.find(text) != std::string::npos;
}

bool IsStreamed(const Transcript& transcript) { return AsksFor(transcript, "\"stream\":true"); }

bool HasStatus(const Transcript& transcript, std::uint32_t least, std::uint32_t most) {
    return std::any_of(
        transcript.answers.begin(), transcript.answers.end(),
        [&](const Answer& answer) { return answer.status >= least && answer.status <= most; });
}

bool AllAreOk(const Transcript& transcript) {
    return !transcript.answers.empty() && !HasStatus(transcript, 300, 999);
}

bool IsCut(const Transcript& transcript) {
    return !transcript.answers.empty() && transcript.answers.back().ending == AIM_END_TRUNCATED;
}

bool Succeeds(const Transcript& transcript) { return transcript.events.back() == "done"; }

using Kind = std::pair<std::string, std::function<bool(const Transcript&)>>;

const std::vector<Kind>& Kinds() {
    static const std::vector<Kind> kinds = {
        {"plain",
         [](const Transcript& t) {
             return !IsStreamed(t) && Succeeds(t) && HasEvent(t, "text ") && HasEvent(t, "usage ");
         }},
        {"stream",
         [](const Transcript& t) { return IsStreamed(t) && Succeeds(t) && HasEvent(t, "text "); }},
        {"request_as_sent", [](const Transcript& t) { return !t.sent.empty(); }},
        {"tools",
         [](const Transcript& t) { return !IsStreamed(t) && Succeeds(t) && HasEvent(t, "tool "); }},
        {"tool_stream",
         [](const Transcript& t) { return IsStreamed(t) && Succeeds(t) && HasEvent(t, "tool "); }},
        {"tool_results",
         [](const Transcript& t) { return AsksFor(t, "tool_call_id") && !t.sent.empty(); }},
        {"image", [](const Transcript& t) { return AsksFor(t, "image_url") && !t.sent.empty(); }},
        {"length", [](const Transcript& t) { return HasEvent(t, "finish 0 length"); }},
        {"safety",
         [](const Transcript& t) {
             return HasEvent(t, "finish 0 content_filter") || HasEvent(t, "error content_filtered");
         }},
        {"400",
         [](const Transcript& t) { return HasEvent(t, "error invalid_request status=400"); }},
        {"unauthenticated",
         [](const Transcript& t) { return HasEvent(t, "error unauthenticated"); }},
        {"model_not_found",
         [](const Transcript& t) { return HasEvent(t, "error model_not_found"); }},
        {"429_with_hint",
         [](const Transcript& t) {
             return HasStatus(t, 429, 429) &&
                    std::any_of(t.events.begin(), t.events.end(), [](const std::string& event) {
                        return event.find("retry_after_ms=") != std::string::npos;
                    });
         }},
        {"5xx", [](const Transcript& t) { return HasStatus(t, 500, 599); }},
        {"error_in_200",
         [](const Transcript& t) {
             return AllAreOk(t) && !IsCut(t) && HasEvent(t, "error ") &&
                    !HasEvent(t, "error protocol_error");
         }},
        {"cut",
         [](const Transcript& t) { return IsCut(t) && HasEvent(t, "error upstream_failure"); }},
        {"models", [](const Transcript& t) { return t.kind == TranscriptKind::kModels; }},
    };
    return kinds;
}

class ProviderCoverage : public testing::TestWithParam<ProviderTranscripts> {};

TEST_P(ProviderCoverage, EveryKindOfAnswerIsRecorded) {
    EXPECT_GE(GetParam().transcripts.size(), 12U);
    for (const auto& [name, shows] : Kinds()) {
        const bool excused = std::find(GetParam().without.begin(), GetParam().without.end(),
                                       name) != GetParam().without.end();
        const bool shown =
            std::any_of(GetParam().transcripts.begin(), GetParam().transcripts.end(), shows);
        EXPECT_TRUE(shown || excused) << "no transcript of kind " << name;
        EXPECT_FALSE(shown && excused) << name << " is recorded: take it out of `without`";
    }
}

// A plugin with embeddings shows them: a batch, a refusal, and a cut answer.
TEST_P(ProviderCoverage, EmbeddingsAreRecordedWhereThereAreAny) {
    const bool has_them = LoadedPlugin(GetParam().provider).Embeddings() != nullptr;
    const auto& transcripts = GetParam().transcripts;
    const auto shown = [&](const std::function<bool(const Transcript&)>& shows) {
        return std::any_of(transcripts.begin(), transcripts.end(), [&](const Transcript& t) {
            return t.kind == TranscriptKind::kEmbeddings && shows(t);
        });
    };
    EXPECT_EQ(shown([](const Transcript& t) {
                  return !t.sent.empty() && Succeeds(t) && HasEvent(t, "vector 1 ");
              }),
              has_them);
    EXPECT_EQ(shown([](const Transcript& t) { return HasEvent(t, "error unsupported"); }),
              has_them);
    EXPECT_EQ(shown([](const Transcript& t) { return HasStatus(t, 400, 599); }), has_them);
    EXPECT_EQ(shown(IsCut), has_them);
}

// Transcripts are public: a header that carries a setting carries a slot for it.
TEST_P(ProviderCoverage, NoRequestCarriesAKey) {
    for (const Transcript& transcript : GetParam().transcripts) {
        const Result result = Play(LoadedPlugin(GetParam().provider), transcript, Whole());
        for (const SentRequest& request : result.sent) {
            for (const auto& [name, value] : request.headers) {
                if (name == "authorization" || name == "x-api-key" || name == "x-goog-api-key") {
                    EXPECT_THAT(value, testing::HasSubstr("{")) << transcript.name;
                }
            }
            EXPECT_THAT(request.url, testing::Not(testing::HasSubstr("key="))) << transcript.name;
        }
    }
}

// A host of an older minor has fewer functions in its sink; what it has still works.
TEST_P(ProviderCoverage, LivesWithAnOlderHostsSink) {
    for (const Transcript& transcript : GetParam().transcripts) {
        const bool plain_chat = transcript.kind == TranscriptKind::kChat && Succeeds(transcript) &&
                                HasEvent(transcript, "text ") && !HasEvent(transcript, "wait ");
        if (!plain_chat) {
            continue;
        }
        Options options;
        options.row_settings = transcript.row_settings;
        options.endpoint = transcript.endpoint;
        options.environment = transcript.environment;
        options.sink_size = offsetof(aim_sink, extra);  // no extra, error, wait nor extensions
        const Result result = RunChat(LoadedPlugin(GetParam().provider), transcript.request,
                                      transcript.answers, options);
        EXPECT_EQ(result.events.back(), "done") << transcript.name;
        EXPECT_FALSE(result.text.empty()) << transcript.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Recorded, ProviderCoverage, testing::ValuesIn(AllProviders()),
                         [](const testing::TestParamInfo<ProviderTranscripts>& info) {
                             return info.param.provider;
                         });

}  // namespace

void PrintTo(const ProviderTranscripts& provider, std::ostream* out) { *out << provider.provider; }

}  // namespace aim::plugin_driver
