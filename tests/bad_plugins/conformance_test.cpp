// Every check of the conformance suite finds the defect that it is for, and no other check
// complains.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/json/json.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin::testing {
namespace {

struct Defect {
    const char* name;
    std::string check;             // the one that is made for it
    std::set<std::string> others;  // that see it from another side
    bool everywhere = false;       // many see it: only its own check is asked
};

std::ostream& operator<<(std::ostream& out, const Defect& defect) { return out << defect.name; }

const Defect kDefects[] = {
    {"none", "", {}},
    // the file and the library
    {"slow_load", "load-time-under-100ms", {}, true},
    {"entry_moves", "entry-pure-before-init", {}},
    {"reserved", "entry-size-and-version", {}},
    {"guesses_ids", "unknown-interface-is-null", {}},
    {"ignores_case", "interface-id-trailing-garbage", {}},
    {"tables_move", "interface-tables-stable", {}},
    {"init_thrice", "init-deinit-repeat", {"destroy-at-every-state"}},
    {"capability", "descriptor-strings-utf8", {}},
    {"no_hosts", "descriptor-secrets-have-hosts", {}},
    {"foreign_default", "descriptor-secrets-have-hosts", {"url-https-and-host-allowed"}},
    {"schema", "config-schema-is-valid-json", {}},
    {"changes_mask", "no-process-side-effects", {"imports-no-forbidden-calls"}},
    {"changes_locale", "no-process-side-effects", {"imports-no-forbidden-calls"}},
    {"keeps_file", "no-threads-no-files", {"destroy-at-every-state"}},
    {"prints", "standard-streams-silent", {}},
    // what it asks to send
    {"create_touches", "create-refuses-by-the-rules", {}},
    {"refuses",
     "request-minimal",
     {"request-streamed", "request-unicode", "request-unknown-fields"}},
    {"unknown_field", "request-unknown-fields", {}},
    {"tools_kind", "request-tool-turns", {}},
    {"own_length", "request-is-well-formed", {"fuzz"}},
    {"body_no_json", "request-is-well-formed", {}},
    {"random", "request-deterministic", {}, true},
    {"plain_http", "url-https-and-host-allowed", {"url-below-the-rows-endpoint"}},
    {"ignores_endpoint", "url-below-the-rows-endpoint", {}},
    {"unknown_slot", "slots-name-own-settings", {}},
    {"leaks_secret", "no-secret-in-description", {}},
    // what it makes of answers
    {"takes_cut", "truncated-stream-is-error", {}},
    {"takes_unknown_ending", "other-endings-are-errors", {}},
    {"takes_empty", "empty-body", {"odd-heads"}},
    {"takes_error", "error-inside-200", {}},
    {"crash_on_bytes", "garbage-is-error-not-crash", {"invalid-utf8-is-no-crash", "fuzz"}},
    {"huge_line", "huge-line-limited", {}},
    {"deep_recursion", "deep-json-limited", {}},
    {"status", "status-table", {}},
    {"error_page", "status-table", {"non-json-error-page"}},
    {"retry_after", "retry-after-is-read", {}},
    {"echoes_errors", "no-secret-in-errors", {}},
    // rules of every session
    {"illegal_step", "steps-are-legal", {"fuzz"}},
    {"silent_failure", "error-before-failed", {}, true},
    {"two_finishes", "finish-exactly-once", {"fuzz"}},
    {"end_speaks", "no-output-outside-a-call", {}, true},
    {"other_thread",
     "sink-on-the-calling-thread",
     {"imports-no-forbidden-calls", "fuzz", "sessions-in-parallel"}},
    {"usage_shrinks", "usage-monotonic", {}},
    {"tool_gap", "tool-call-indexes", {}},
    {"extra_no_json", "extra-fields-are-json", {"fuzz"}},
    {"text_not_utf8", "text-is-utf8", {}},
    {"wait_without_time", "wait-has-a-time", {"fuzz"}},
    {"request_loop", "request-loop-is-bounded", {"fuzz"}},
    // lives and worlds
    {"end_crashes", "end-at-every-state", {}, true},
    {"shared_state", "two-sessions-interleaved", {}, true},
    {"thread_local", "session-hops-threads", {}},
    {"leak", "thousand-sessions-no-leak", {}},
    {"provider_leak", "thousand-providers-no-leak", {}},
    {"keeps_view", "views-not-kept", {}, true},
    {"reads_beyond", "old-host-smaller-tables", {"fuzz", "views-not-kept"}},
    {"exact_size", "new-host-larger-tables", {}},
    {"slow", "call-time-budget", {}, true},
};

// The failed checks of `aimanager plugin check --json FILE`.
std::set<std::string> FailedChecks(const fs::path& file, const std::string& options) {
    const std::string command = std::string(AIM_BINARY_DIR) +
                                "/bin/aimanager plugin check --json " + options + " " +
                                file.string() + " 2>/dev/null";
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::string output;
    std::array<char, 4096> buffer;
    while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
        output.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    std::set<std::string> failed;
    const auto report = json::Parse(output);
    EXPECT_TRUE(report) << output;
    if (!report) return failed;
    EXPECT_FALSE(report->root().Get("reason").exists()) << output;
    for (const auto& [key, check] : report->root().Get("checks")) {
        if (check.Get("result").StringOr("") != "fail") continue;
        failed.insert(std::string(check.Get("name").StringOr("")));
        EXPECT_GT(check.Get("message").StringOr("").size(), 15u) << output;
    }
    EXPECT_EQ(WEXITSTATUS(status), failed.empty() ? 0 : 1) << output;
    return failed;
}

class ConformanceTest : public ::testing::TestWithParam<Defect> {};

TEST_P(ConformanceTest, TheCheckThatIsForItFindsTheDefect) {
    const Defect& defect = GetParam();
    bool only_its_own = defect.everywhere;
#ifdef AIM_SANITIZED
    only_its_own = true;  // a whole suite takes ten times as long here; the other builds run it
#endif
    std::string options = "--fuzz-rounds 50";
    if (only_its_own) options += " --only " + (defect.check.empty() ? "fuzz" : defect.check);
    const std::set<std::string> failed =
        FailedChecks(Fixture("nonconforming_" + std::string(defect.name)), options);
    if (defect.check.empty()) {
        EXPECT_TRUE(failed.empty());
        return;
    }
    EXPECT_TRUE(failed.count(defect.check));
    std::set<std::string> allowed = defect.others;
    allowed.insert(defect.check);
    EXPECT_THAT(failed, ::testing::IsSubsetOf(allowed));
}

// A call that never returns costs its check the time limit and no more, and the next one runs.
TEST(HangingPluginTest, EachCheckEndsAtItsLimit) {
    const std::set<std::string> failed =
        FailedChecks(Fixture("nonconforming_hangs"),
                     "--limit 2 --only status-table --only garbage-is-error-not-crash");
    EXPECT_EQ(failed, (std::set<std::string>{"status-table", "garbage-is-error-not-crash"}));
}

INSTANTIATE_TEST_SUITE_P(Zoo, ConformanceTest, ::testing::ValuesIn(kDefects),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace aim::plugin::testing
