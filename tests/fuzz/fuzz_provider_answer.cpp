// Any bytes as a provider's answer, to every plugin: no crash, no broken rule of the ABI, and what
// comes out does not depend on how the bytes were split.
//
// An input: plugin (place in kPlugins), what is asked (0 chat, 1 stream, 2 models, 3 embeddings;
// +4: every answer is cut), a seed for the splits; then the answers as a transcript has them
// (status, headers, empty line, body), with a byte 0x1e between two. The last one repeats.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/plugins.hpp"

namespace {

using aim::plugin_driver::Answer;
using aim::plugin_driver::Options;
using aim::plugin_driver::Result;
using aim::plugin_driver::Splitter;

// More than any session may ask for: who polls is ended by its waits, who reads pages by their
// number. Others ask once.
constexpr std::size_t kAnswersOfMany = 200;
constexpr std::size_t kAnswersOfOne = 8;
constexpr std::uint64_t kGiveUpMs = 20'000;
constexpr std::string_view kEmbeddings =
    R"({"model":"m","input":["one","two"],"encoding_format":"float"})";

std::string_view TakeLine(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return line;
}

Answer ReadAnswer(std::string_view text, bool cut) {
    Answer answer;
    const std::string_view status = TakeLine(text);
    std::uint32_t number = 0;
    for (const char c : status.substr(0, 3))
        number = number * 10 + static_cast<unsigned>(c - '0') % 10;
    answer.status = 200 + number % 400;
    if (number >= 200 && number < 600) answer.status = number;
    for (std::string_view line = TakeLine(text); !line.empty(); line = TakeLine(text)) {
        const std::size_t colon = line.find(": ");
        if (colon == line.npos || colon == 0) continue;
        answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    answer.body = text;
    answer.ending = cut ? AIM_END_TRUNCATED : AIM_END_COMPLETE;
    return answer;
}

Result Run(const aim::fuzz::Subject& subject, std::uint8_t asked,
           const std::vector<Answer>& answers, Splitter splitter) {
    Options options = subject.Options();
    options.splitter = std::move(splitter);
    options.give_up_after_ms = kGiveUpMs;
    switch (asked) {
        case 0:
            return RunChat(subject.plugin, subject.plain.request, answers, options);
        case 1:
            return RunChat(subject.plugin, subject.stream.request, answers, options);
        case 2:
            return RunModels(subject.plugin, answers, options);
        default:
            return RunEmbeddings(subject.plugin, kEmbeddings, answers, options);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const aim::fuzz::Subject& subject = aim::fuzz::SubjectAt(data[0]);
    const std::uint8_t asked = data[1] & 3;
    if (asked == 2 && subject.plugin.Models() == nullptr) return 0;
    if (asked == 3 && subject.plugin.Embeddings() == nullptr) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
    std::vector<Answer> answers;
    while (answers.size() < 8) {
        const std::size_t end = rest.find('\x1e');
        answers.push_back(ReadAnswer(rest.substr(0, end), (data[1] & 4) != 0));
        if (end == rest.npos) break;
        rest.remove_prefix(end + 1);
    }
    const bool asks_often = asked == 2 || subject.polls;
    answers.resize(asks_often ? kAnswersOfMany : kAnswersOfOne, answers.back());

    using namespace aim::plugin_driver;
    const Result whole = Run(subject, asked, answers, Whole());
    if (aim::fuzz::Misbehaved(whole)) std::abort();
    if (Run(subject, asked, answers, Randomly(data[2])).events != whole.events) std::abort();
    if (size < 1024 && Run(subject, asked, answers, ByteByByte()).events != whole.events)
        std::abort();
    return 0;
}
