// Descriptor, handshake and host table, with a plugin that lives in this file.
#include "core/plugin/handshake.hpp"

#include <atomic>
#include <cstring>
#include <stdexcept>

#include <gtest/gtest.h>

#include "core/plugin/host_table.hpp"
#include "tests/bad_plugins/plugin_folder.hpp"

namespace aim::plugin {
namespace {

aim_str Str(const char* text) { return {text, std::strlen(text)}; }

aim_str g_alias{};
aim_setting g_setting{};
const aim_setting* g_setting_pointer = &g_setting;
aim_str g_host{};
aim_str g_capability{};

aim_descriptor MakeDescriptor() {
    g_alias = Str("Together.ai");
    g_setting = {sizeof(aim_setting),
                 AIM_SETTING_SECRET | AIM_SETTING_REQUIRED,
                 Str("GROQ_API_KEY"),
                 Str("Key."),
                 {}};
    g_setting_pointer = &g_setting;
    g_host = Str(".groq.com");
    g_capability = Str("stream");
    aim_descriptor descriptor{};
    descriptor.struct_size = sizeof(descriptor);
    descriptor.provider_id = Str("groq");
    descriptor.display_name = Str("Gr\xC3\xB6q");
    descriptor.vendor = Str("tests");
    descriptor.version = Str("1.20.3");
    descriptor.default_endpoint = Str("https://api.groq.com/openai/v1");
    descriptor.alias_count = 1;
    descriptor.setting_count = 1;
    descriptor.host_count = 1;
    descriptor.capability_count = 1;
    descriptor.alias = [](uint32_t) { return g_alias; };
    descriptor.setting = [](uint32_t) { return g_setting_pointer; };
    descriptor.host = [](uint32_t) { return g_host; };
    descriptor.capability = [](uint32_t) { return g_capability; };
    descriptor.row_settings_schema = Str("{\n}");
    return descriptor;
}

TEST(DescriptorTest, IsCopiedWhole) {
    const auto copy = CopyDescriptor(MakeDescriptor());
    ASSERT_TRUE(copy) << copy.error().message;
    EXPECT_EQ(copy->id, "groq");
    EXPECT_EQ(copy->display_name, "Gr\xC3\xB6q");
    EXPECT_EQ(copy->parsed_version, (PluginVersion{{1, 20, 3}}));
    EXPECT_EQ(copy->aliases, std::vector<std::string>{"Together.ai"});
    ASSERT_EQ(copy->settings.size(), 1u);
    EXPECT_TRUE(copy->settings[0].secret);
    EXPECT_TRUE(copy->settings[0].required);
    EXPECT_EQ(copy->hosts, std::vector<std::string>{".groq.com"});
    EXPECT_EQ(copy->capabilities, std::vector<std::string>{"stream"});
}

// As a request promises it: without '/' at its end.
TEST(DescriptorTest, TheEndpointEndsWithoutASlash) {
    struct Case {
        const char* given;
        const char* kept;
    };
    for (const Case& c : {Case{"https://a.test/v1/", "https://a.test/v1"},
                          Case{"https://a.test//", "https://a.test"},
                          Case{"https://a.test/v1", "https://a.test/v1"},
                          Case{"mock://", "mock://"}, Case{"", ""}}) {
        aim_descriptor descriptor = MakeDescriptor();
        descriptor.default_endpoint = Str(c.given);
        const auto copy = CopyDescriptor(descriptor);
        ASSERT_TRUE(copy) << copy.error().message;
        EXPECT_EQ(copy->default_endpoint, c.kept);
    }
}

TEST(DescriptorTest, EachFaultIsNamed) {
    static const std::string kLong(4096, 'a');
    struct Case {
        const char* what;
        const char* named;
        void (*spoil)(aim_descriptor&);
    };
    const Case cases[] = {
        {"small struct", "struct_size", [](aim_descriptor& d) { d.struct_size = 8; }},
        {"no id", "provider_id", [](aim_descriptor& d) { d.provider_id = {}; }},
        {"upper case id", "provider_id", [](aim_descriptor& d) { d.provider_id = Str("Groq"); }},
        {"null with size", "provider_id",
         [](aim_descriptor& d) {
             d.provider_id = {nullptr, 4};
         }},
        {"huge size", "display_name",
         [](aim_descriptor& d) { d.display_name.size = ~std::uint64_t{0}; }},
        {"bad UTF-8", "display_name", [](aim_descriptor& d) { d.display_name = Str("\xC0\x80"); }},
        {"NUL", "display_name",
         [](aim_descriptor& d) {
             d.display_name = {"a\0b", 3};
         }},
        {"line end", "vendor", [](aim_descriptor& d) { d.vendor = Str("a\nb"); }},
        {"two numbers", "version", [](aim_descriptor& d) { d.version = Str("1.2"); }},
        {"suffix", "version", [](aim_descriptor& d) { d.version = Str("1.2.3-rc1"); }},
        {"no URL", "default_endpoint",
         [](aim_descriptor& d) { d.default_endpoint = Str("api.groq.com"); }},
        {"too many aliases", "alias list", [](aim_descriptor& d) { d.alias_count = 1000000; }},
        {"no alias function", "alias list", [](aim_descriptor& d) { d.alias = nullptr; }},
        {"empty alias", "alias 0", [](aim_descriptor&) { g_alias = {}; }},
        {"null setting", "setting 0", [](aim_descriptor&) { g_setting_pointer = nullptr; }},
        {"small setting", "setting 0", [](aim_descriptor&) { g_setting.struct_size = 8; }},
        {"lower case setting", "setting 0", [](aim_descriptor&) { g_setting.name = Str("key"); }},
        {"the gateway's own", "API_KEY", [](aim_descriptor&) { g_setting.name = Str("API_KEY"); }},
        {"the bot's", "BOT_API_KEY", [](aim_descriptor&) { g_setting.name = Str("BOT_API_KEY"); }},
        {"the old master key", "MASTER_KEY_PREVIOUS",
         [](aim_descriptor&) { g_setting.name = Str("MASTER_KEY_PREVIOUS"); }},
        {"the proxy", "HTTPS_PROXY", [](aim_descriptor&) { g_setting.name = Str("HTTPS_PROXY"); }},
        {"secret with default", "setting 0",
         [](aim_descriptor&) { g_setting.default_value = Str("x"); }},
        {"twice", "twice", [](aim_descriptor& d) { d.setting_count = 2; }},
        {"host with port", "host 0", [](aim_descriptor&) { g_host = Str("groq.com:443"); }},
        {"every host", "host 0", [](aim_descriptor&) { g_host = Str("."); }},
        {"capability", "capability 0", [](aim_descriptor&) { g_capability = Str("Stream it"); }},
        {"long endpoint", "default_endpoint",
         [](aim_descriptor& d) {
             d.default_endpoint = {kLong.data(), kLong.size()};
         }},
    };
    for (const Case& item : cases) {
        aim_descriptor descriptor = MakeDescriptor();
        item.spoil(descriptor);
        const auto copy = CopyDescriptor(descriptor);
        ASSERT_FALSE(copy) << item.what;
        EXPECT_EQ(copy.error().reason, RefusalReason::kBadDescriptor);
        EXPECT_NE(copy.error().message.find(item.named), std::string::npos)
            << item.what << ": " << copy.error().message;
    }
}

TEST(PluginVersionTest, OrdersAsNumbers) {
    EXPECT_GT(PluginVersion::Parse("1.10.0"), PluginVersion::Parse("1.9.9"));
    EXPECT_EQ(PluginVersion::Parse("01.0.0"), PluginVersion::Parse("1.0.0"));
    for (const char* text : {"", "1", "1.", "1.2.", "1.2.3.4", "1.2.x", " 1.2.3", "1.2.99999999999",
                             "-1.0.0", "1..0"}) {
        EXPECT_FALSE(PluginVersion::Parse(text)) << text;
    }
}

aim_descriptor g_descriptor;
aim_session_functions g_session;
aim_chat g_chat;
aim_entry g_entry;
const aim_entry* g_entry_pointer;
int32_t g_init_result;
bool g_throw;

class HandshakeTest : public ::testing::Test {
  protected:
    HandshakeTest() {
        g_descriptor = MakeDescriptor();
        g_session = {sizeof(g_session),
                     0,
                     [](void*, const aim_call*, const aim_http_builder*) { return AIM_OK; },
                     [](void*, const aim_call*, const aim_http_head*) { return AIM_STEP_DONE; },
                     [](void*, const aim_call*, const aim_http_data*) { return AIM_STEP_DONE; },
                     [](void*, const aim_call*, int32_t) { return AIM_STEP_DONE; },
                     [](void*, const aim_call*) { return AIM_STEP_DONE; },
                     [](void*) {}};
        g_chat = {sizeof(g_chat),
                  0,
                  [](const aim_config*, const aim_call*, void**) { return AIM_OK; },
                  [](void*) {},
                  [](void*, const aim_call*, const aim_chat_request*, uint64_t, void**) {
                      return AIM_STEP_DONE;
                  },
                  &g_session};
        g_init_result = AIM_OK;
        g_throw = false;
        g_entry = {sizeof(g_entry), AIM_ABI_MAJOR, AIM_ABI_MINOR, 0, {}, nullptr, nullptr, nullptr};
        g_entry.init = [](const aim_host*) {
            if (g_throw) throw std::runtime_error("init");
            return g_init_result;
        };
        g_entry.deinit = [] {
            if (g_throw) throw 1;
        };
        g_entry.get_interface = [](const char* id) -> const void* {
            if (std::strcmp(id, AIM_DESCRIPTOR_ID) == 0) return &g_descriptor;
            if (std::strcmp(id, AIM_CHAT_ID) == 0) return &g_chat;
            return nullptr;
        };
        g_entry_pointer = &g_entry;
    }
    static Checked<Introduction> Introduce(const std::optional<ManifestNote>& note = {}) {
        return ReadIntroduction(
            []() -> const aim_entry* {
                if (g_throw) throw std::runtime_error("entry");
                return g_entry_pointer;
            },
            note);
    }
    static RefusalReason ReasonOf(const std::optional<ManifestNote>& note = {}) {
        const auto introduction = Introduce(note);
        return introduction ? RefusalReason::kQuarantined : introduction.error().reason;
    }
};

TEST_F(HandshakeTest, GoodPluginIntroducesItself) {
    ManifestNote note;
    note.abi_major = AIM_ABI_MAJOR;
    note.abi_minor = AIM_ABI_MINOR;
    note.id = "groq";
    note.version = "1.20.3";
    ASSERT_TRUE(Introduce(note));
    EXPECT_EQ(ReadInterfaces(g_entry)->chat, &g_chat);
    EXPECT_EQ(ReadInterfaces(g_entry)->models, nullptr);
    note.version = "1.20.4";
    EXPECT_EQ(ReasonOf(note), RefusalReason::kManifestMismatch);
    note.version = "1.20.3";
    note.abi_minor = 1;
    EXPECT_EQ(ReasonOf(note), RefusalReason::kManifestMismatch);
}

TEST_F(HandshakeTest, BadEntriesAreRefused) {
    g_entry_pointer = nullptr;
    EXPECT_EQ(ReasonOf(), RefusalReason::kMissingEntry);
    g_entry_pointer = &g_entry;
    g_entry.struct_size = 4;
    EXPECT_EQ(ReasonOf(), RefusalReason::kMissingEntry);
    g_entry.struct_size = sizeof(g_entry) - 8;
    EXPECT_EQ(ReasonOf(), RefusalReason::kMissingEntry);
    g_entry.struct_size = sizeof(g_entry) + 64;  // a later minor's entry
    EXPECT_TRUE(Introduce());
    g_entry.abi_minor = 77;
    EXPECT_TRUE(Introduce());
    g_entry.abi_minor_required = 77;
    EXPECT_EQ(ReasonOf(), RefusalReason::kAbiMinor);
    g_entry.abi_major = AIM_ABI_MAJOR + 1;
    EXPECT_EQ(ReasonOf(), RefusalReason::kAbiMajor);
    // Of another major only the first two members may be read.
    g_entry.struct_size = 8;
    EXPECT_EQ(ReasonOf(), RefusalReason::kAbiMajor);
}

TEST_F(HandshakeTest, ExceptionsDoNotCross) {
    g_throw = true;
    EXPECT_EQ(ReasonOf(), RefusalReason::kProbeFailed);
    aim_host host{};
    EXPECT_EQ(InitPlugin(g_entry, host)->reason, RefusalReason::kInitFailed);
    DeinitPlugin(g_entry);
}

TEST_F(HandshakeTest, InitAndTablesAreChecked) {
    aim_host host{};
    EXPECT_FALSE(InitPlugin(g_entry, host));
    g_init_result = AIM_FAILED;
    EXPECT_EQ(InitPlugin(g_entry, host)->reason, RefusalReason::kInitFailed);
    g_chat.begin = nullptr;
    EXPECT_EQ(ReadInterfaces(g_entry).error().reason, RefusalReason::kBadInterface);
    g_chat.begin = [](void*, const aim_call*, const aim_chat_request*, uint64_t, void**) {
        return AIM_STEP_DONE;
    };
    g_session.struct_size = 16;
    EXPECT_EQ(ReadInterfaces(g_entry).error().reason, RefusalReason::kBadInterface);
    g_chat.session = nullptr;
    EXPECT_EQ(ReadInterfaces(g_entry).error().reason, RefusalReason::kBadInterface);
}

class StillClock final : public Clock {
  public:
    MonotonicTime Now() const override {
        return MonotonicTime(std::chrono::milliseconds(milliseconds.load()));
    }
    WallTime WallNow() const override { return {}; }
    std::atomic<std::int64_t> milliseconds{1000};
};

TEST(HostTableTest, LogIsCutAndLimited) {
    testing::RecordingLogger log;
    StillClock clock;
    HostTable host(log, clock, "1.2.3", "groq");
    const aim_host* const table = host.table();
    EXPECT_EQ(std::string(table->version.data, table->version.size), "1.2.3");
    EXPECT_NE(table->log_enabled(table, AIM_LOG_DEBUG), 0);
    const std::string text = std::string(2047, 'a') + "\xC3\xA4";
    table->log(table, AIM_LOG_INFO, {text.data(), text.size()});
    EXPECT_EQ(log.Count("plugin_message", std::string(2047, 'a')), 1);
    EXPECT_EQ(log.Count("plugin_message", "\xC3"), 0);
    table->log(table, 99, {nullptr, 0});
    for (int i = 0; i < 200; ++i) table->log(table, AIM_LOG_WARNING, Str("again"));
    EXPECT_EQ(log.Count("plugin_message"), 50);
    clock.milliseconds += 1000;
    table->log(table, AIM_LOG_WARNING, Str("later"));
    EXPECT_EQ(log.Count("plugin_message", "later"), 1);
    EXPECT_EQ(log.Count("plugin_log_dropped"), 1);
}

}  // namespace
}  // namespace aim::plugin
