#include "core/pipeline/pipeline_shared.hpp"

#include <thread>
#include <unordered_map>

#include <gtest/gtest.h>

namespace aim::pipeline {
namespace {

// A loop that lists the models takes the table itself; the others look at the version first. None
// of them may still answer by the table before.
TEST(RoutingTableSource, NobodyGetsATableAheadOfItsVersion) {
    constexpr std::size_t kTables = 20'000;
    RoutingTableSource source;
    std::vector<std::shared_ptr<const routing::RoutingTable>> tables;
    std::unordered_map<const routing::RoutingTable*, std::uint64_t> versions;
    for (std::size_t i = 0; i < kTables; ++i) {
        tables.push_back(
            std::make_shared<const routing::RoutingTable>(std::vector<routing::Candidate>()));
        versions[tables.back().get()] = i + 1;
    }
    std::thread publisher([&] {
        for (const auto& table : tables) source.Publish(table);
    });
    for (std::uint64_t seen = 0; seen < kTables;) {
        const auto known = versions.find(source.Get().get());
        const std::uint64_t version = source.version();
        if (known == versions.end()) continue;  // the empty one of the beginning
        seen = known->second;
        if (version < seen) {
            ADD_FAILURE() << "version " << version << " of table " << seen;
            break;
        }
    }
    publisher.join();
    EXPECT_EQ(source.version(), kTables);
}

}  // namespace
}  // namespace aim::pipeline
