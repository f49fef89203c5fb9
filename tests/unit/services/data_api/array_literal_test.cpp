#include "services/data_api/database/array_literal.hpp"

#include <gtest/gtest.h>

#include "services/data_api/database/sql_error.hpp"

namespace aim::data_api::database {
namespace {

TEST(ArrayLiteral, QuotesWhatNeedsIt) {
    ArrayLiteral literal;
    EXPECT_EQ(literal.Take(), "{}");
    literal.AddText("a");
    literal.AddText("");
    literal.AddText("NULL");
    literal.AddText("with \"quotes\", \\ and {braces}");
    literal.AddOptionalText(std::nullopt);
    EXPECT_EQ(literal.Take(), R"({"a","","NULL","with \"quotes\", \\ and {braces}",NULL})");
    literal.AddNumber(-5);
    literal.AddOptionalNumber(std::nullopt);
    literal.AddBool(true);
    EXPECT_EQ(literal.Take(), "{-5,NULL,t}");
}

TEST(ArrayLiteral, ReadsWhatTheServerWrites) {
    using Texts = std::vector<std::string>;
    EXPECT_EQ(ParseTextArray("{}"), Texts());
    EXPECT_EQ(ParseTextArray("{stream,tools}"), (Texts{"stream", "tools"}));
    EXPECT_EQ(ParseTextArray(R"({"a b","c\"d\\e","",NULL,"NULL",f})"),
              (Texts{"a b", "c\"d\\e", "", "NULL", "f"}));
    EXPECT_EQ(ParseTextArray(""), Texts());
    EXPECT_EQ(ParseTextArray("nonsense"), Texts());
}

TEST(SqlError, KnowsWhatTryingAgainHelps) {
    for (const char* state : {"08006", "57P01", "57P03", "57014", "53300", "55P03", "25006"}) {
        EXPECT_EQ(ClassifySqlState(state), SqlError::Kind::kUnavailable) << state;
    }
    for (const char* state : {"23505", "22P02", "42601", "40P01"}) {
        SqlError error;
        error.sqlstate = state;
        error.kind = ClassifySqlState(state);
        EXPECT_EQ(error.kind, SqlError::Kind::kStatement) << state;
        EXPECT_EQ(error.IsTransient(), std::string(state) == "40P01");
        EXPECT_EQ(error.IsAboutData(), state[0] == '2');
    }
}

}  // namespace
}  // namespace aim::data_api::database
