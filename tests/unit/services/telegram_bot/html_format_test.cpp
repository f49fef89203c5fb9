#include "services/telegram_bot/html_format.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "services/telegram_bot/utf16.hpp"
#include "tests/support/fake_telegram/entity_parser.hpp"

namespace aim::telegram_bot {
namespace {

using aim::testing::ParseTelegramHtml;

TEST(HtmlFormatTest, MarkdownBecomesTelegramsHtml) {
    struct Case {
        const char* markdown;
        const char* html;
    };
    const Case cases[] = {
        {"plain", "plain"},
        {"a < b && c > \"d\"", "a &lt; b &amp;&amp; c &gt; &quot;d&quot;"},
        {"**bold** and *slanted*", "<b>bold</b> and <i>slanted</i>"},
        {"**bold with *both* in it**", "<b>bold with <i>both</i> in it</b>"},
        {"~~gone~~", "<s>gone</s>"},
        {"`x < 1`", "<code>x &lt; 1</code>"},
        {"``a ` b``", "<code>a ` b</code>"},
        {"# Title", "<b>Title</b>"},
        {"### A **b** c", "<b>A b c</b>"},
        {"#hashtag", "#hashtag"},
        {"snake_case_name and __init__", "snake_case_name and __init__"},
        {"2 * 3 * 4", "2 * 3 * 4"},
        {"**open", "**open"},
        {"* item\n* item", "* item\n* item"},
        {"***", "***"},
        {"[site](https://a.b/c?d=1&e=2)", "<a href=\"https://a.b/c?d=1&amp;e=2\">site</a>"},
        {"[x](javascript:alert(1))", "[x](javascript:alert(1))"},
        {"```python\nprint(\"<hi>\")\n```",
         "<pre><code class=\"language-python\">print(&quot;&lt;hi&gt;&quot;)</code></pre>"},
        {"```\n**no bold**\n```\nafter", "<pre>**no bold**</pre>\nafter"},
        {"```js\nnever closed", "<pre><code class=\"language-js\">never closed</code></pre>"},
        {"```\"><script>\nx\n```", "<pre>x</pre>"},
        {"a\n\nb", "a\n\nb"},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(MarkdownToHtml(one.markdown), one.html);
        EXPECT_EQ(ParseTelegramHtml(MarkdownToHtml(one.markdown)).error, "") << one.markdown;
    }
}

TEST(HtmlFormatTest, TelegramIgnoresWhatIsOverItsNumberOfEntities) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "`x` ";
    const auto parsed = ParseTelegramHtml(MarkdownToHtml(text));
    EXPECT_EQ(parsed.error, "");
    EXPECT_EQ(parsed.entities, kMostEntities);
}

TEST(HtmlFormatTest, WhateverComesInTelegramTakesIt) {
    std::mt19937 random(11);
    const std::vector<std::string> pieces{"**",  "*",           "`",  "```",      "~~", "~",
                                          "[",   "](http://a)", "#",  " ",        "\n", "<b>",
                                          "&",   "word",        ">",  "```cpp\n", "😀", "ы",
                                          "***", "](x)",        "\"", "\n```\n",  ")",  "\\"};
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        const std::size_t count = random() % 60;
        for (std::size_t i = 0; i < count; ++i) text += pieces[random() % pieces.size()];
        const std::string html = MarkdownToHtml(text);
        const auto parsed = ParseTelegramHtml(html);
        ASSERT_EQ(parsed.error, "") << text << "\n=>\n" << html;
        ASSERT_LE(Utf16Length(parsed.visible), Utf16Length(text)) << text;
    }
}

}  // namespace
}  // namespace aim::telegram_bot
