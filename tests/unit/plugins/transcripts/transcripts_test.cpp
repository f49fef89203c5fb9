#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins/transcripts/provider_transcripts.hpp"

namespace aim::plugin_driver {
namespace {

std::vector<std::string> ReadWithout(const std::filesystem::path& path) {
    std::vector<std::string> kinds;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string kind;
        if (words >> kind) {  // what follows is the reason
            kinds.push_back(kind);
        }
    }
    return kinds;
}

}  // namespace

const std::vector<ProviderTranscripts>& AllProviders() {
    static const std::vector<ProviderTranscripts> all = [] {
        std::vector<ProviderTranscripts> found;
        for (const auto& folder :
             std::filesystem::directory_iterator(AIM_SOURCE_DIR "/tests/plugins")) {
            const std::filesystem::path transcripts = folder.path() / "transcripts";
            if (std::filesystem::is_directory(transcripts)) {
                found.push_back({folder.path().filename().string(),
                                 ReadTranscripts(transcripts.string()),
                                 ReadWithout(folder.path() / "without")});
            }
        }
        std::sort(found.begin(), found.end(),
                  [](const auto& a, const auto& b) { return a.provider < b.provider; });
        return found;
    }();
    return all;
}

const Plugin& LoadedPlugin(const std::string& provider) {
    static std::map<std::string, std::unique_ptr<Plugin>> loaded;
    std::unique_ptr<Plugin>& plugin = loaded[provider];
    if (!plugin) {
        plugin = std::make_unique<Plugin>(AIM_BINARY_DIR "/plugins/" + provider + ".so");
    }
    return *plugin;
}

namespace {

struct Recorded {
    std::string provider;
    Transcript transcript;
};

std::ostream& operator<<(std::ostream& out, const Recorded& recorded) {
    return out << recorded.provider << "/" << recorded.transcript.name;
}

std::vector<Recorded> AllRecorded() {
    std::vector<Recorded> all;
    for (const ProviderTranscripts& provider : AllProviders()) {
        for (const Transcript& transcript : provider.transcripts) {
            all.push_back({provider.provider, transcript});
        }
    }
    return all;
}

std::string TestName(const testing::TestParamInfo<Recorded>& info) {
    return info.param.provider + "_" + info.param.transcript.name;
}

void ExpectNoMisbehaviour(const Result& result, std::size_t at) {
    for (const std::string& event : result.events) {
        ASSERT_NE(event.rfind("misbehaviour", 0), 0U) << event << " at " << at;
    }
}

bool Succeeds(const std::vector<std::string>& events) { return events.back() == "done"; }

// Every position of the last 100, where answers end, and so many before that all transcripts
// together take seconds, not minutes.
std::vector<std::size_t> Positions(std::size_t size) {
    constexpr std::size_t kTail = 100;
    constexpr std::size_t kBefore = 150;
    std::vector<std::size_t> positions;
    const std::size_t tail = size - std::min(size, kTail);
    const std::size_t stride = 1 + tail / kBefore;
    for (std::size_t at = 0; at < tail; at += stride) {
        positions.push_back(at);
    }
    for (std::size_t at = tail; at < size; ++at) {
        positions.push_back(at);
    }
    return positions;
}

class ProviderTranscript : public testing::TestWithParam<Recorded> {
  protected:
    const Transcript& Told() const { return GetParam().transcript; }
    Result PlayIt(const Transcript& transcript, Splitter splitter) const {
        return Play(LoadedPlugin(GetParam().provider), transcript, std::move(splitter));
    }
};

TEST_P(ProviderTranscript, RequestsAreWhatWasRecorded) {
    const Result result = PlayIt(Told(), Whole());
    ASSERT_EQ(result.sent.size(), Told().answers.size());
    if (!Told().sent.empty()) {
        std::vector<std::string> sent;
        for (const SentRequest& request : result.sent) {
            sent.push_back(Describe(request));
        }
        EXPECT_THAT(sent, testing::ElementsAreArray(Told().sent));
    }
}

TEST_P(ProviderTranscript, UnderstandsTheWholeAnswer) {
    EXPECT_THAT(PlayIt(Told(), Whole()).events, testing::ElementsAreArray(Told().events));
}

TEST_P(ProviderTranscript, UnderstandsItByteByByte) {
    EXPECT_THAT(PlayIt(Told(), ByteByByte()).events, testing::ElementsAreArray(Told().events));
}

TEST_P(ProviderTranscript, UnderstandsItAtRandomSplits) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        ASSERT_THAT(PlayIt(Told(), Randomly(seed)).events, testing::ElementsAreArray(Told().events))
            << "seed " << seed;
    }
}

// Wherever the connection breaks, a part of an answer is never taken for an answer (all of it,
// without a terminator that says nothing more, may be), and nothing that the plugin says is
// against the rules.
TEST_P(ProviderTranscript, CutAnywhereIsNeverASuccess) {
    if (Told().answers.empty()) {
        return;  // refused before anything was sent
    }
    for (const std::size_t size : Positions(Told().answers.back().body.size())) {
        Transcript cut = Told();
        cut.answers.back().body.resize(size);
        cut.answers.back().ending = AIM_END_TRUNCATED;
        // Who polls a job asks again, and meets the same.
        cut.answers.resize(cut.answers.size() + 8, cut.answers.back());
        const Result result = PlayIt(cut, Whole());
        ExpectNoMisbehaviour(result, size);
        if (Succeeds(result.events)) {
            ASSERT_EQ(result.events, Told().events) << "cut after " << size << " bytes";
        } else {
            ASSERT_EQ(result.events.back(), "failed") << "cut after " << size << " bytes";
        }
    }
}

// With any byte changed the session still ends by the rules.
TEST_P(ProviderTranscript, ChangedBytesBreakNoRule) {
    constexpr std::string_view kOthers("\0\"}\\\xff", 5);
    for (std::size_t which = 0; which < Told().answers.size(); ++which) {
        for (const std::size_t at : Positions(Told().answers[which].body.size())) {
            Transcript changed = Told();
            changed.answers[which].body[at] = kOthers[at % kOthers.size()];
            // A changed answer may make the plugin ask again.
            changed.answers.resize(changed.answers.size() + 8, changed.answers.back());
            ExpectNoMisbehaviour(PlayIt(changed, Whole()), at);
        }
    }
}

// The driver's end() follows every state; LeakSanitizer looks for what is left.
TEST_P(ProviderTranscript, AHostThatLeavesLeaksNothing) {
    for (std::size_t which = 0; which < Told().answers.size(); ++which) {
        Transcript partial = Told();
        partial.answers.resize(which + 1);
        partial.answers.back().body.resize(partial.answers.back().body.size() / 2);
        partial.answers.back().ending = AIM_END_MALFORMED;
        partial.answers.resize(partial.answers.size() + 8, partial.answers.back());
        EXPECT_EQ(PlayIt(partial, Randomly(3)).events.back(), "failed");
    }
}

INSTANTIATE_TEST_SUITE_P(Recorded, ProviderTranscript, testing::ValuesIn(AllRecorded()), TestName);

}  // namespace
}  // namespace aim::plugin_driver
