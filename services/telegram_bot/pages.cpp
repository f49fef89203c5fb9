#include "services/telegram_bot/pages.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/time_format.hpp"
#include "core/base/utf8.hpp"
#include "core/json/writer.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::size_t kMostErrors = 5;
constexpr std::size_t kErrorBytes = 300;

std::string NumberText(json::Value value) {
    const auto number = value.AsDouble();
    if (!number) return "—";
    std::string text;
    json::Writer(text).Decimal(*number);
    return text;
}

std::string Name(json::Value model) {
    std::string name(model.Get("name").StringOr("?"));
    if (const std::string_view provider = model.Get("provider").StringOr(""); !provider.empty())
        name.append(" (").append(provider).append(")");
    return name;
}

struct StateRow {
    std::string_view state;
    std::string_view text;
};

constexpr std::array<StateRow, 7> kStates{{
    {"available", "🟢 доступна"},
    {"not_configured", "⚪ не настроена"},
    {"cooling_down", "🟡 пауза после ограничения"},
    {"parked", "🟠 отложена после отказа"},
    {"open", "🔴 отключена после сбоев"},
    {"no_plugin", "⚪ нет плагина"},
    {"inactive", "⚫ выключена"},
}};

std::string StateText(std::string_view state) {
    for (const StateRow& row : kStates) {
        if (row.state == state) return std::string(row.text);
    }
    return "❔ " + std::string(state);
}

std::string OneLine(std::string_view text) {
    std::string line(TruncateUtf8(text, kErrorBytes));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

std::string TimeText(std::string_view rfc3339) {
    const auto time = ParseRfc3339(rfc3339);
    return time ? MinuteText(*time) : "—";
}

void AppendChecks(json::Value readiness, std::string& page) {
    page += "\n\n🩺 Проверки: ";
    page +=
        readiness.IsObject() ? std::string(readiness.Get("status").StringOr("—")) : "недоступны";
    for (const auto& [name, check] : readiness.Get("checks")) {
        const std::string_view status = check.Get("status").StringOr("");
        if (status.empty()) continue;
        page.append("\n").append(status == "up" ? "🟢 " : "🔴 ").append(name);
        if (const auto detail = check.Get("detail").StringOr(""); !detail.empty())
            page.append(": ").append(OneLine(detail));
    }
}

void AppendErrors(json::Value history, const std::deque<RecentError>& own, std::string& page) {
    page += "\n\n❗ Последние ошибки:";
    std::size_t shown = 0;
    for (const auto& [key, row] : history.Get("items")) {
        if (row.Get("status").StringOr("success") == "success" || shown == kMostErrors) continue;
        ++shown;
        page.append("\n• ").append(TimeText(row.Get("created_at").StringOr(""))).append(" ");
        page.append(row.Get("model_name").StringOr("—")).append(": ");
        const std::string_view message = row.Get("error_message").StringOr("");
        page.append(OneLine(message.empty() ? row.Get("status").StringOr("") : message));
    }
    for (std::size_t i = 0; i < own.size() && i < kMostErrors; ++i, ++shown) {
        const RecentError& error = own[own.size() - 1 - i];
        page.append("\n• ").append(MinuteText(error.at)).append(" бот: ");
        page.append(OneLine(error.text));
    }
    if (shown == 0) page += " нет";
}

}  // namespace

std::string MinuteText(WallTime time) {
    std::string text = FormatRfc3339(time);  // 2025-01-17T10:30:45.123Z
    text[10] = ' ';
    return text.substr(0, 16) + " UTC";
}

std::string StatsPage(json::Value stats, WallTime now) {
    std::string page = "📊 Статистика AI моделей:\n";
    std::size_t number = 0;
    for (const auto& [key, model] : stats) {
        if (number == kMostListed) break;
        page.append("\n").append(std::to_string(++number)).append(". ").append(Name(model));
        page.append("\n   ⭐ Рейтинг: ").append(NumberText(model.Get("reliability_score")));
        page.append("\n   ⏱ Ср. время: ").append(NumberText(model.Get("avg_response_time_ms")));
        page.append(" мс\n   ✅ Успешно: ").append(NumberText(model.Get("success_rate")));
        page.append("%\n");
    }
    if (number == 0) page += "\nМоделей пока нет.\n";
    if (stats.size() > number)
        page.append("\nИ ещё моделей: ").append(std::to_string(stats.size() - number)).append("\n");
    return page.append("\nОбновлено: ").append(MinuteText(now));
}

std::string AdminPage(json::Value models, json::Value readiness, json::Value history,
                      const std::deque<RecentError>& own_errors) {
    std::string page = "🛠 Состояние провайдеров:";
    if (!models.IsArray()) page += " недоступно";
    for (std::size_t i = 0; i < std::min(models.size(), kMostListed); ++i) {
        const json::Value model = models.At(i);
        page.append("\n• ").append(Name(model)).append(": ");
        page.append(StateText(model.Get("state").StringOr("")));
        if (const auto reason = model.Get("state_reason").StringOr(""); !reason.empty())
            page.append(" — ").append(OneLine(reason));
        page.append(", ошибок ").append(NumberText(model.Get("error_rate_percent"))).append("%");
    }
    AppendChecks(readiness, page);
    AppendErrors(history, own_errors, page);
    return page;
}

std::vector<ModelChoice> AvailableModels(json::Value models) {
    std::vector<ModelChoice> choices;
    for (const auto& [key, model] : models) {
        if (choices.size() == kMostChoices) break;
        if (model.Get("state").StringOr("") != "available") continue;
        ModelChoice choice{std::string(model.Get("id").StringOr("")),
                           std::string(model.Get("name").StringOr(""))};
        constexpr std::size_t kUuidBytes = 36;
        if (choice.id.size() == kUuidBytes && !choice.name.empty())
            choices.push_back(std::move(choice));
    }
    return choices;
}

std::string ModelKeyboard(const std::vector<ModelChoice>& models, std::string_view current) {
    std::string markup;
    json::Writer writer(markup);
    const auto button = [&](std::string_view label, bool chosen, std::string_view data) {
        const std::string text = (chosen ? "✅ " : "") + std::string(label);
        writer.BeginArray().BeginObject().Field("text", text).Field("callback_data", data);
        writer.EndObject().EndArray();
    };
    writer.BeginObject().Key("inline_keyboard").BeginArray();
    button("🎯 Автоматически", current.empty(), kAutoButton);
    for (const ModelChoice& model : models)
        button(model.name, model.name == current, std::string(kModelButton) + model.id);
    writer.EndArray().EndObject();
    return markup;
}

}  // namespace aim::telegram_bot
