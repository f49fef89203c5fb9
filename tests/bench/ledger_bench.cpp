// What the ledger costs an engine thread, and how fast it is read:
//
//     ledger_bench FOLDER [prompts]
//
// A prompt is an outcome and a history record of the sizes of the benchmark's prompt. For each
// policy: CPU of the writing thread a prompt, in making the records and in appending them; the
// longest single append by the wall clock; and the time of taking everything off again.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <thread>

#include "core/ledger/journal.hpp"
#include "core/ledger/record.hpp"
#include "core/telemetry/log.hpp"

namespace {

using namespace aim;
using namespace aim::ledger;
using Wall = std::chrono::steady_clock;

class NoLog final : public telemetry::Logger {
  public:
    NoLog() : Logger(telemetry::Level::kOff) {}

  private:
    void Write(telemetry::Level, std::string_view, std::string_view,
               std::span<const telemetry::Field>) override {}
};

double ThreadCpuMicroseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::vector<Record> Prompt(Random& random) {
    completion::Outcome outcome;
    outcome.id = Uuid::MakeV7(SystemClock().WallNow(), random);
    outcome.request_id = outcome.id.ToString();
    outcome.provider = "groq";
    outcome.response_time = std::chrono::microseconds(123456);
    completion::HistoryRecord history;
    history.id = outcome.id;
    history.request_id = outcome.request_id;
    history.user_id = "api_client_123";
    history.model_name = "llama-3.3-70b";
    history.prompt_text.assign(350, 'p');
    history.response_text.assign(400, 'r');
    std::vector<Record> records;
    records.reserve(2);
    records.push_back(MakeRecord(outcome));
    records.push_back(MakeRecord(history, 256 * 1024));
    return records;
}

void Measure(const char* name, JournalOptions options, int prompts) {
    NoLog log;
    const auto random = MakeSeededRandom(1);
    std::error_code ignored;
    if (!options.folder.empty()) std::filesystem::remove_all(options.folder, ignored);
    Journal journal(options, log);
    if (auto opened = journal.Open(); !opened) {
        std::fprintf(stderr, "%s\n", opened.error().message.c_str());
        std::exit(1);
    }
    double making = 0;
    double appending = 0;
    Wall::duration longest{0};
    std::size_t waited = 0;
    for (int i = 0; i < prompts; ++i) {
        const double begin = ThreadCpuMicroseconds();
        std::vector<Record> records = Prompt(*random);
        const double made = ThreadCpuMicroseconds();
        const auto wall = Wall::now();
        const Journal::Ticket ticket = journal.Append(std::move(records));
        longest = std::max(longest, Wall::now() - wall);
        appending += ThreadCpuMicroseconds() - made;
        making += made - begin;
        waited += journal.NeedsWait(ticket) ? 1u : 0u;
        // About 10,000 prompts a second, as far as the machine gives it.
        if (i % 100 == 99) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const auto begin = Wall::now();
    std::size_t taken = 0;
    for (;;) {
        const auto entries = journal.Take(500, 3'900'000);
        if (entries.empty()) break;
        taken += entries.size();
        journal.Acknowledge(entries);
    }
    const double reading = std::chrono::duration<double>(Wall::now() - begin).count();
    std::printf(
        "%-10s making %.2f us, appending %.2f us a prompt (longest %.0f us, %zu would wait); "
        "reading %.2f us a record\n",
        name, making / prompts, appending / prompts,
        std::chrono::duration<double, std::micro>(longest).count(), waited,
        reading * 1e6 / static_cast<double>(std::max<std::size_t>(taken, 1)));
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::fprintf(stderr, "usage: ledger_bench FOLDER [prompts]\n");
        return 2;
    }
    const int prompts = count > 2 ? std::max(1, std::atoi(arguments[2])) : 100'000;
    JournalOptions options;
    options.memory_bytes = std::size_t{1} << 30;
    Measure("memory", options, prompts);
    options.folder = std::filesystem::path(arguments[1]) / "ledger-bench";
    options.fsync = FsyncPolicy::kNever;
    Measure("off", options, prompts);
    options.fsync = FsyncPolicy::kInterval;
    Measure("interval", options, prompts);
    options.fsync = FsyncPolicy::kAlways;
    Measure("always", options, prompts);
    std::error_code ignored;
    std::filesystem::remove_all(options.folder, ignored);
    return 0;
}
