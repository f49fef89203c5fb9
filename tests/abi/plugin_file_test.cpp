// What holds for every plugin of the tree: the file, the entry, the descriptor.
#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aim/sdk/json.hpp"
#include "aim/sdk/views.hpp"
#include "tests/abi/elf_file.hpp"
#include "tests/support/plugin_driver/plugin_driver.hpp"

namespace aim::abi_test {
namespace {

struct Built {
    const char* id;
    const char* path;
};

std::ostream& operator<<(std::ostream& out, const Built& built) { return out << built.id; }

class PluginFile : public testing::TestWithParam<Built> {
  protected:
    PluginFile() : elf_(ReadElf(GetParam().path)), plugin_(GetParam().path) {}

    ElfFile elf_;
    plugin_driver::Plugin plugin_;
};

bool IsLowerId(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

TEST_P(PluginFile, ExportsTheEntryAndNothingElse) {
    ASSERT_EQ(elf_.exported.size(), 1U);
    EXPECT_EQ(elf_.exported[0].name, AIM_ENTRY_SYMBOL);
    EXPECT_EQ(elf_.exported[0].binding, STB_GLOBAL);
}

TEST_P(PluginFile, NeedsOnlyTheLanguagesOwnLibraries) {
    const std::set<std::string> allowed = {
        "libstdc++.so.6", "libgcc_s.so.1",        "libm.so.6",
        "libc.so.6",      "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};
    for (const std::string& library : elf_.needed) {
        EXPECT_TRUE(allowed.count(library)) << library;
    }
    EXPECT_FALSE(elf_.static_tls);
    EXPECT_FALSE(elf_.text_relocations);
}

TEST_P(PluginFile, TellsInItsNoteWhatTheDescriptorTells) {
    const ElfNote* found = nullptr;
    for (const ElfNote& note : elf_.notes) {
        if (note.name == AIM_NOTE_NAME && note.type == AIM_NOTE_TYPE) {
            ASSERT_EQ(found, nullptr) << "two notes";
            found = &note;
        }
    }
    ASSERT_NE(found, nullptr);
    const aim_descriptor& descriptor = plugin_.Descriptor();
    const std::string expected = "abi=" + std::to_string(AIM_ABI_MAJOR) + "." +
                                 std::to_string(AIM_ABI_MINOR) +
                                 "\nid=" + std::string(sdk::View(descriptor.provider_id)) +
                                 "\nversion=" + std::string(sdk::View(descriptor.version)) + "\n";
    EXPECT_EQ(std::string(found->text.c_str()), expected);
    EXPECT_EQ(sdk::View(descriptor.provider_id), GetParam().id);
}

TEST_P(PluginFile, HasAnEntryOfThisAbi) {
    const aim_entry& entry = plugin_.Entry();
    EXPECT_EQ(entry.struct_size, sizeof(aim_entry));
    EXPECT_EQ(entry.abi_major, AIM_ABI_MAJOR);
    EXPECT_EQ(entry.abi_minor, AIM_ABI_MINOR);
    EXPECT_LE(entry.abi_minor_required, entry.abi_minor);
    EXPECT_THAT(entry.reserved, testing::Each(0));
}

TEST_P(PluginFile, ComparesWholeInterfaceIds) {
    const aim_entry& entry = plugin_.Entry();
    for (const char* id : {"", "aim.chat", "aim.chat/1 ", "aim.chat/1x", "aim.chat/2", "aim.chat/",
                           "aim.descriptor/10", "AIM.CHAT/1", "aim.unknown/1"}) {
        EXPECT_EQ(entry.get_interface(id), nullptr) << id;
    }
    EXPECT_EQ(entry.get_interface(AIM_CHAT_ID), entry.get_interface(AIM_CHAT_ID));
}

TEST_P(PluginFile, CanBeStartedAndStoppedAgain) {
    for (int i = 0; i < 3; ++i) {
        const plugin_driver::Plugin again(GetParam().path);
        EXPECT_EQ(&again.Entry(), &plugin_.Entry());
        EXPECT_EQ(&again.Descriptor(), &plugin_.Descriptor());
    }
}

TEST_P(PluginFile, HasAChatTableOfThisAbi) {
    const aim_chat* chat = plugin_.Chat();
    ASSERT_NE(chat, nullptr);
    EXPECT_EQ(chat->struct_size, sizeof(aim_chat));
    EXPECT_EQ(chat->session->struct_size, sizeof(aim_session_functions));
    chat->destroy(nullptr);
    chat->session->end(nullptr);
}

TEST_P(PluginFile, DescribesItselfByTheRules) {
    const aim_descriptor& descriptor = plugin_.Descriptor();
    EXPECT_EQ(descriptor.struct_size, sizeof(aim_descriptor));
    EXPECT_TRUE(IsLowerId(sdk::View(descriptor.provider_id)));
    EXPECT_GT(descriptor.display_name.size, 0U);
    EXPECT_GT(descriptor.vendor.size, 0U);
    EXPECT_THAT(std::string(sdk::View(descriptor.version)),
                testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
    const std::set<std::string_view> words = {"stream", "tools", "json_schema", "vision",
                                              "embeddings"};
    for (std::uint32_t i = 0; i < descriptor.capability_count; ++i) {
        EXPECT_TRUE(words.count(sdk::View(descriptor.capability(i))));
    }
    bool has_secret = false;
    for (std::uint32_t i = 0; i < descriptor.setting_count; ++i) {
        const aim_setting* setting = descriptor.setting(i);
        ASSERT_NE(setting, nullptr);
        EXPECT_EQ(setting->struct_size, sizeof(aim_setting));
        EXPECT_THAT(std::string(sdk::View(setting->name)), testing::MatchesRegex("[A-Z0-9_]+"));
        EXPECT_GT(setting->description.size, 0U);
        if ((setting->flags & AIM_SETTING_SECRET) != 0) {
            has_secret = true;
            EXPECT_EQ(setting->default_value.size, 0U);
        }
    }
    EXPECT_TRUE(!has_secret || descriptor.host_count > 0) << "a secret needs a host to go to";
    for (std::uint32_t i = 0; i < descriptor.host_count; ++i) {
        const std::string_view host = sdk::View(descriptor.host(i));
        EXPECT_FALSE(host.empty());
        EXPECT_EQ(host.find_first_of("/:*"), host.npos) << host;
    }
    for (std::uint32_t i = 0; i < descriptor.alias_count; ++i) {
        EXPECT_GT(descriptor.alias(i).size, 0U);
    }
    if (descriptor.row_settings_schema.size > 0) {
        sdk::JsonDocument schema;
        EXPECT_TRUE(schema.Parse(sdk::View(descriptor.row_settings_schema)));
        EXPECT_TRUE(schema.Root().IsObject());
    }
}

INSTANTIATE_TEST_SUITE_P(Tree, PluginFile,
                         testing::Values(Built{"mock", AIM_MOCK_PLUGIN},
                                         Built{"groq", AIM_GROQ_PLUGIN},
                                         Built{"template_c", AIM_TEMPLATE_C},
                                         Built{"template_cpp", AIM_TEMPLATE_CPP}),
                         [](const auto& tested) { return std::string(tested.param.id); });

}  // namespace
}  // namespace aim::abi_test
