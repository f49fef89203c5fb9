#include "core/ledger/dead_letters.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/json/json.hpp"
#include "tests/unit/core/ledger/ledger_test_support.hpp"

namespace aim::ledger {
namespace {

TEST(DeadLetters, KeepsTheWholeRecordWithItsReasonForTheOwnerAlone) {
    const ScratchFolder folder;
    const auto file = folder.path() / "dead";
    DeadLetters letters(file, 1 << 20);
    const Record record = One(R"({"id":"x"})")[0];
    EXPECT_TRUE(letters.Add(record, "there is no \"model\"", WallTime()));
    const auto line = json::Parse(ReadFile(file));
    ASSERT_TRUE(line);
    EXPECT_EQ(line->root().Get("reason").StringOr(""), "there is no \"model\"");
    EXPECT_EQ(line->root().Get("record").Get("id").StringOr(""), "x");
    EXPECT_EQ(line->root().Get("rejected_at").StringOr(""), "1970-01-01T00:00:00.000Z");
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST(DeadLetters, AreBounded) {
    const ScratchFolder folder;
    const auto file = folder.path() / "dead";
    DeadLetters letters(file, 10'000);
    const Record record = One("\"" + std::string(900, 'x') + "\"")[0];
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(letters.Add(record, "no", WallTime()));
    EXPECT_LE(std::filesystem::file_size(file), 10'000u);
    EXPECT_LE(std::filesystem::file_size(file.string() + ".1"), 10'000u);
    EXPECT_EQ(letters.written(), 100u);
}

TEST(DeadLetters, CountsWhatItCannotKeep) {
    DeadLetters nowhere("/proc/aim/none/dead", 10'000);
    EXPECT_FALSE(nowhere.Add(One("{}")[0], "no", WallTime()));
    EXPECT_EQ(nowhere.dropped(), 1u);
    EXPECT_EQ(nowhere.written(), 0u);
}

}  // namespace
}  // namespace aim::ledger
