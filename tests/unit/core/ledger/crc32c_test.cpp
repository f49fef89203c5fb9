#include "core/ledger/crc32c.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::ledger {
namespace {

// RFC 3720, appendix B.4, and the check value of the polynomial's catalogue entry.
TEST(Crc32c, GivesThePublishedValues) {
    EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
    EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
    EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43u);
    EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32c, BothWaysAgreeOnEveryLengthAndCanBeContinued) {
    std::string text;
    for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(Crc32c(text), Crc32cByTable(text)) << i;
        const std::string_view view(text);
        const std::size_t middle = text.size() / 3;
        EXPECT_EQ(Crc32c(view.substr(middle), Crc32c(view.substr(0, middle))), Crc32c(text)) << i;
        EXPECT_EQ(Crc32cByTable(view.substr(middle), Crc32cByTable(view.substr(0, middle))),
                  Crc32c(text))
            << i;
        text.push_back(static_cast<char>(i * 37 + 11));
    }
}

}  // namespace
}  // namespace aim::ledger
