// Checks of lives and worlds: ends in every state, threads, memory, hosts of another minor.
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <malloc.h>

#include "aim/abi/version.h"
#include "services/cli/kit/check.hpp"

// Of the sanitizers' allocator, which mallinfo2 knows nothing about; absent in other builds.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace aim::cli::kit {
namespace {

std::size_t AllocatedBytes() {
    if (&__sanitizer_get_current_allocated_bytes != nullptr)
        return __sanitizer_get_current_allocated_bytes();
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

// A few scripts that take different ways through the plugin.
std::vector<Script> ManyWays(Bench& bench) {
    std::vector<Script> scripts;
    scripts.reserve(bench.subject().samples.size() + 1);
    for (const Sample& sample : bench.subject().samples)
        scripts.push_back(bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer));
    Answer refused;
    refused.status = 429;
    refused.body = R"({"error":{"message":"kit"}})";
    scripts.push_back(bench.MakeScript(MinimalPrompt(false), refused));
    return scripts;
}

Finding EndAtEveryState(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Script& script : ManyWays(bench)) {
        const int calls = bench.Run(script)->calls();
        for (int stop = 0; stop <= calls && stop < 200; ++stop) {
            SessionRun run(*bench.chat(), bench.provider(), script);
            for (int i = 0; i < stop && run.Step(); ++i) {
            }
            run.End();
            for (const Fault& fault : run.record().faults()) {
                if (fault.rule == "no-output-outside-a-call")
                    return Fail("ended after " + std::to_string(stop) + " calls: " + fault.message);
            }
        }
    }
    return Pass();
}

Finding DestroyAtEveryState(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    const auto scripts = ManyWays(bench);
    for (const Script& script : scripts) {
        for (int stop = 0; stop < 6; ++stop) {
            if (std::string why = bench.MakeProvider(); !why.empty()) return Fail(std::move(why));
            {
                SessionRun run(*bench.chat(), bench.provider(), script);
                for (int i = 0; i < stop && run.Step(); ++i) {
                }
            }
            bench.Deinit();
        }
    }
    return Pass();
}

Finding NullIsAllowed(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (int i = 0; i < 3; ++i) {
        bench.chat()->destroy(nullptr);
        bench.chat()->session->end(nullptr);
    }
    return Pass();
}

Finding Interleaved(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    const auto scripts = ManyWays(bench);
    std::vector<std::unique_ptr<SessionRun>> alone;
    std::vector<std::unique_ptr<SessionRun>> together;
    alone.reserve(scripts.size());
    together.reserve(scripts.size());
    for (const Script& script : scripts) {
        alone.push_back(bench.Run(script));
        together.push_back(std::make_unique<SessionRun>(*bench.chat(), bench.provider(), script));
    }
    for (bool more = true; more;) {
        more = false;
        for (const auto& run : together) more = run->Step() || more;
    }
    for (std::size_t i = 0; i < scripts.size(); ++i) {
        together[i]->End();
        if (!SameOutcome(*alone[i], *together[i]))
            return Fail("sessions that take turns disturb each other: one gave " +
                        together[i]->record().Describe() + ", alone it gave " +
                        alone[i]->record().Describe());
    }
    return Pass();
}

// Two providers with two endpoints: what a row gave must not reach another row's sessions.
Finding ProvidersApart(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    Recorder recorder;
    const Bench::Creation other = bench.Create(bench.subject().row_settings, recorder);
    if (other.result != AIM_OK)
        return Fail("a second provider cannot be made: " + recorder.error().message);
    Finding found;
    for (const bool stream : {false, true}) {
        Script one = bench.MakeScript(MinimalPrompt(stream));
        Script two = one;
        one.endpoint = "https://one.example/v1";
        two.endpoint = "https://two.example/v1";
        SessionRun first(*bench.chat(), bench.provider(), one);
        SessionRun second(*bench.chat(), other.provider, two);
        const auto expected = bench.Run(one);
        first.Step();
        second.Step();
        first.StepAll();
        second.StepAll();
        if (first.requests() != expected->requests())
            found = Fail("sessions of two rows disturb each other: expected a request to " +
                         one.endpoint + ", found one to " +
                         (first.requests().empty() ? "nowhere" : first.requests()[0].url));
    }
    bench.chat()->destroy(other.provider);
    return found;
}

Finding HopsThreads(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Script& script : ManyWays(bench)) {
        const auto expected = bench.Run(script);
        SessionRun run(*bench.chat(), bench.provider(), script);
        for (bool more = true; more;) std::thread([&] { more = run.Step(); }).join();
        std::thread([&] { run.End(); }).join();
        if (!SameOutcome(*expected, run))
            return Fail("with each call on another thread: " + run.record().Describe() +
                        "; on one: " + expected->record().Describe());
    }
    return Pass();
}

Finding InParallel(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    const auto scripts = ManyWays(bench);
    std::vector<std::unique_ptr<SessionRun>> alone;
    alone.reserve(scripts.size());
    for (const Script& script : scripts) alone.push_back(bench.Run(script));
    std::vector<std::string> wrong(4);
    std::vector<std::thread> threads;
    threads.reserve(wrong.size());
    for (std::string& complaint : wrong) {
        threads.emplace_back([&] {
            for (int round = 0; round < 20; ++round) {
                for (std::size_t i = 0; i < scripts.size(); ++i) {
                    const auto run = bench.Run(scripts[i]);
                    if (!SameOutcome(*alone[i], *run) && complaint.empty())
                        complaint = run->record().Describe();
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& complaint : wrong) {
        if (!complaint.empty())
            return Fail("sessions on four threads disturb each other: one gave " + complaint);
    }
    return Pass();
}

// What grows with every round is a leak; what grows once is a cache.
Finding NoGrowth(const char* what, const std::function<void()>& round) {
    for (int i = 0; i < 100; ++i) round();
    const std::size_t before = AllocatedBytes();
    for (int i = 0; i < 1000; ++i) round();
    const std::size_t after = AllocatedBytes();
    if (after <= before + 16 * 1024) return Pass();
    return Fail("1000 " + std::string(what) + " leave " + std::to_string(after - before) +
                " bytes behind");
}

Finding SessionsDoNotLeak(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    const auto scripts = ManyWays(bench);
    std::size_t at = 0;
    Finding found = NoGrowth("sessions", [&] { bench.Run(scripts[at++ % scripts.size()]); });
    if (found.outcome != Outcome::kPass) return found;
    return NoGrowth("sessions that were ended early", [&] {
        SessionRun run(*bench.chat(), bench.provider(), scripts[at++ % scripts.size()]);
        for (std::size_t i = 0; i < at % 5 && run.Step(); ++i) {
        }
    });
}

Finding ProvidersDoNotLeak(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    return NoGrowth("providers", [&] {
        Recorder recorder;
        const Bench::Creation made = bench.Create(bench.subject().row_settings, recorder);
        if (made.result == AIM_OK) bench.chat()->destroy(made.provider);
        Recorder refused;
        const Bench::Creation other = bench.Create("{\"kit_no_such_setting\":1}", refused);
        if (other.result == AIM_OK) bench.chat()->destroy(other.provider);
    });
}

Finding InAnotherWorld(Bench& bench, MemoryMode mode, const char* which) {
    if (auto finding = NeedProvider(bench)) return *finding;
    const auto scripts = ManyWays(bench);
    std::vector<std::unique_ptr<SessionRun>> expected;
    expected.reserve(scripts.size());
    for (const Script& script : scripts) expected.push_back(bench.Run(script));
    bench.Deinit();
    bench.set_memory(mode);
    if (std::string why = bench.MakeProvider(); !why.empty())
        return Fail(std::string("on ") + which + ": " + why);
    for (std::size_t i = 0; i < scripts.size(); ++i) {
        Script script = scripts[i];
        script.memory = mode;
        const auto run = bench.Run(std::move(script));
        if (!SameOutcome(*expected[i], *run))
            return Fail(std::string("on ") + which + " a session gave " + run->record().Describe() +
                        " in place of " + expected[i]->record().Describe());
    }
    return Pass();
}

Finding OldHost(Bench& bench) {
    return InAnotherWorld(bench, MemoryMode::kGuarded, "a host that knows no more than this ABI");
}
Finding NewHost(Bench& bench) {
    if (std::string why = bench.Load(); !why.empty()) return Fail(std::move(why));
    if (bench.introduction().entry->abi_minor > AIM_ABI_MINOR)
        return Skip("the plugin is of a later minor than this kit and may know what is there");
    return InAnotherWorld(bench, MemoryMode::kLarger, "a host of a later minor");
}

// Views end with their call; a plugin that keeps one reads what is not there any more.
Finding ViewsAreNotKept(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Prompt& prompt : AllPrompts()) {
        for (const Sample& sample : bench.subject().samples) {
            if (sample.streamed != prompt.streams()) continue;
            Script script = bench.MakeScript(prompt, sample.answer);
            const auto expected = bench.Run(script);
            script.memory = MemoryMode::kGuarded;
            if (!SameOutcome(*expected, *bench.Run(std::move(script))))
                return Fail("the request " + prompt.name() +
                            " gives something else when the memory of ended calls is gone");
        }
    }
    return Pass();
}

Finding CallTime(Bench& bench) {
    if (auto finding = NeedProvider(bench)) return *finding;
    for (const Sample& sample : bench.subject().samples) {
        SessionRun run(*bench.chat(), bench.provider(),
                       bench.MakeScript(MinimalPrompt(sample.streamed), sample.answer));
        while (true) {
            timespec before{};
            timespec after{};
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
            const bool more = run.Step();
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
            const std::int64_t spent_ms = (after.tv_sec - before.tv_sec) * 1000 +
                                          (after.tv_nsec - before.tv_nsec) / 1'000'000;
            if (spent_ms > 250)
                return Fail("one call took " + std::to_string(spent_ms) +
                            " ms of CPU time for less than 2 KiB of input; the budget of the "
                            "gateway is 5 ms for 64 KiB");
            if (!more) break;
        }
    }
    return Pass();
}

}  // namespace

const std::vector<Check>& LifetimeChecks() {
    static const std::vector<Check> checks = {
        {"null-is-allowed", "destroy and end accept null.", &NullIsAllowed},
        {"end-at-every-state", "The host may end a session between any two calls.",
         &EndAtEveryState},
        {"destroy-at-every-state", "Provider and library can go after a session ended anywhere.",
         &DestroyAtEveryState},
        {"two-sessions-interleaved", "Sessions that take turns do not disturb each other.",
         &Interleaved},
        {"providers-apart", "Sessions of two rows do not disturb each other.", &ProvidersApart},
        {"session-hops-threads", "Each call of a session may come on another thread.",
         &HopsThreads},
        {"sessions-in-parallel", "Sessions on several threads do not disturb each other.",
         &InParallel},
        {"thousand-sessions-no-leak", "Sessions leave no memory behind.", &SessionsDoNotLeak},
        {"thousand-providers-no-leak", "Providers leave no memory behind.", &ProvidersDoNotLeak},
        {"views-not-kept", "Nothing that a call was shown is used after it or beyond its end.",
         &ViewsAreNotKept},
        {"old-host-smaller-tables", "It reads no member that the host's table does not have.",
         &OldHost},
        {"new-host-larger-tables", "Tables of a later host are as good as its own.", &NewHost},
        {"call-time-budget", "No call takes long.", &CallTime},
    };
    return checks;
}

}  // namespace aim::cli::kit
