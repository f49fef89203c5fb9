#include "services/data_api/database/migrator.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace aim::data_api::database {
namespace {

namespace fs = std::filesystem;

class ReadMigrationsTest : public ::testing::Test {
  protected:
    ReadMigrationsTest() {
        char name[] = "/tmp/aim-migrations-XXXXXX";
        folder_ = ::mkdtemp(name);
    }
    ~ReadMigrationsTest() override { fs::remove_all(folder_); }
    void Write(const std::string& name) { std::ofstream(folder_ / name) << "SELECT 1;"; }

    fs::path folder_;
};

TEST_F(ReadMigrationsTest, ReadsThemInOrderWithTheirChecksums) {
    Write("0002_second.sql");
    Write("0001_first.sql");
    Write("README.md");
    const auto migrations = ReadMigrations(folder_);
    ASSERT_TRUE(migrations);
    ASSERT_EQ(migrations->size(), 2U);
    EXPECT_EQ((*migrations)[0].name, "0001_first");
    EXPECT_EQ((*migrations)[1].number, 2);
    EXPECT_EQ((*migrations)[0].checksum,
              "17db4fd369edb9244b9f91d9aeed145c3d04ad8ba6e95d06247f07a63527d11a");
}

TEST_F(ReadMigrationsTest, RefusesGapsAndOddNames) {
    Write("0001_first.sql");
    Write("0003_third.sql");
    EXPECT_FALSE(ReadMigrations(folder_));
    fs::remove(folder_ / "0003_third.sql");
    Write("2_second.sql");
    EXPECT_FALSE(ReadMigrations(folder_));
    EXPECT_FALSE(ReadMigrations(folder_ / "nowhere"));
}

TEST_F(ReadMigrationsTest, AnEmptyFolderIsAnError) { EXPECT_FALSE(ReadMigrations(folder_)); }

TEST(TheTreesMigrations, AreReadable) {
    const auto migrations = ReadMigrations(fs::path(AIM_SOURCE_DIR) / "sql/migrations");
    ASSERT_TRUE(migrations) << migrations.error().message;
    EXPECT_GE(migrations->size(), 1U);
    EXPECT_TRUE(ReadSeeds(fs::path(AIM_SOURCE_DIR) / "sql/seed"));
}

}  // namespace
}  // namespace aim::data_api::database
