#include "core/telemetry/redactor.hpp"

#include <string>

#include <gtest/gtest.h>

namespace aim::telemetry {
namespace {

std::string Redacted(const Redactor& redactor, std::string text) {
    redactor.Redact(text);
    return text;
}

TEST(Redactor, MasksEveryOccurrence) {
    Redactor redactor;
    std::string untouched = "gsk_canary";
    EXPECT_FALSE(redactor.Redact(untouched));
    redactor.Add(SecretString(std::string("gsk_canary")));
    EXPECT_EQ(Redacted(redactor, "a gsk_canarygsk_canary b gsk_canar gsk_canary"),
              "a ****** b gsk_canar ***");
    EXPECT_EQ(Redacted(redactor, ""), "");
}

TEST(Redactor, MasksTheFormInsideJsonToo) {
    Redactor redactor;
    redactor.Add(SecretString(std::string("pass\"wo\\rd\n")));
    EXPECT_EQ(Redacted(redactor, R"({"x":"pass\"wo\\rd\n"})"), R"({"x":"***"})");
}

TEST(Redactor, ALongerSecretIsMaskedWhole) {
    Redactor redactor;
    redactor.Add(SecretString(std::string("abcdef")));
    redactor.Add(SecretString(std::string("abcdefghijkl")));
    EXPECT_EQ(Redacted(redactor, "abcdefghijkl abcdef"), "*** ***");
}

TEST(Redactor, ShortValuesAreNotTakenForSecrets) {
    Redactor redactor;
    redactor.Add(SecretString(std::string("mock")));
    redactor.Add(SecretString());
    EXPECT_EQ(Redacted(redactor, "played by the mock"), "played by the mock");
}

}  // namespace
}  // namespace aim::telemetry
