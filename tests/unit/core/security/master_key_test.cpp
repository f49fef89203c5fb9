#include "core/security/master_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/security/encoding.hpp"

namespace aim::security {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kRow = "0190a1b2-0000-7000-8000-000000000001";

MasterKey Key(char fill) { return *MasterKey::Parse(Base64Encode(std::string(32, fill))); }

TEST(MasterKey, DecryptsWhatItEncrypted) {
    const MasterKey key = Key('a');
    for (const std::string& text :
         {std::string("k"), std::string("gsk-secret"), std::string(8192, 'x')}) {
        const std::string sealed = key.Encrypt(text, kRow);
        // A single letter may stand among random bytes by chance.
        if (text.size() > 1) EXPECT_THAT(sealed, Not(HasSubstr(text)));
        const auto plain = key.Decrypt(sealed, kRow);
        ASSERT_TRUE(plain) << plain.error().message;
        EXPECT_EQ(plain->Reveal(), text);
    }
    EXPECT_NE(key.Encrypt("same", kRow), key.Encrypt("same", kRow));
}

TEST(MasterKey, RefusesAnotherRowAnotherKeyAndEveryChangedByte) {
    const MasterKey key = Key('a');
    const std::string sealed = key.Encrypt("gsk-secret", kRow);
    EXPECT_FALSE(key.Decrypt(sealed, "0190a1b2-0000-7000-8000-000000000002"));
    EXPECT_FALSE(Key('b').Decrypt(sealed, kRow));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(key.Decrypt(changed, kRow)) << i;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_FALSE(key.Decrypt(std::string_view(sealed).substr(0, size), kRow)) << size;
}

TEST(MasterKey, IsBase64Of32Bytes) {
    EXPECT_TRUE(MasterKey::Parse(Base64Encode(std::string(32, '\0'))));
    for (const std::string& text :
         {std::string(), std::string("canary"), Base64Encode(std::string(31, 'a')),
          Base64Encode(std::string(33, 'a')), std::string(32, 'a')}) {
        const auto key = MasterKey::Parse(text);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().field, "MASTER_KEY");
        EXPECT_THAT(key.error().message, Not(HasSubstr("canary")));
    }
}

TEST(MasterKey, ItsIdTellsKeysApartAndNothingElse) {
    EXPECT_EQ(Key('a').id(), Key('a').id());
    EXPECT_NE(Key('a').id(), Key('b').id());
    EXPECT_EQ(Key('a').id().size(), 16U);
}

TEST(MasterKeyRing, ChoosesTheKeyByItsId) {
    MasterKeyRing ring;
    const MasterKey old = Key('o');
    const std::string sealed = old.Encrypt("secret", kRow);
    EXPECT_THAT(ring.Decrypt(sealed, old.id(), kRow).error().message,
                HasSubstr("MASTER_KEY is not set"));
    ring.Add(Key('n'));
    EXPECT_THAT(ring.Decrypt(sealed, old.id(), kRow).error().message, HasSubstr(old.id()));
    ring.Add(Key('m'));
    for (const char known : {'n', 'm'}) {
        EXPECT_THAT(ring.Decrypt(sealed, old.id(), kRow).error().message,
                    HasSubstr(Key(known).id()));
    }
    ring.Add(old);
    EXPECT_EQ(ring.Decrypt(sealed, old.id(), kRow)->Reveal(), "secret");
    EXPECT_FALSE(ring.Decrypt(sealed, Key('n').id(), kRow));
}

}  // namespace
}  // namespace aim::security
