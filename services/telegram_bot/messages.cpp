#include "services/telegram_bot/messages.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace aim::telegram_bot::messages {
namespace {

// Russian has three forms: 1 секунда, 2 секунды, 5 секунд.
std::string Counted(std::int64_t number, const char* one, const char* few, const char* many) {
    const std::int64_t tens = number % 100;
    const std::int64_t ones = number % 10;
    const char* form = many;
    if (tens < 11 || tens > 14) {
        if (ones == 1) form = one;
        if (ones >= 2 && ones <= 4) form = few;
    }
    return std::to_string(number) + " " + form;
}

std::string Again(const std::optional<std::chrono::milliseconds>& retry_after) {
    if (!retry_after) return "Попробуйте, пожалуйста, немного позже.";
    return "Попробуйте, пожалуйста, через " + Duration(*retry_after) + ".";
}

std::string CommandList(bool admin) {
    std::string list =
        "Команды:\n"
        "/stats - статистика моделей\n"
        "/model - выбор модели\n"
        "/ask - задать вопрос (удобно в группах)\n"
        "/stop - остановить ответ\n"
        "/help - справка";
    if (admin) list += "\n/admin - состояние провайдеров и последние ошибки";
    return list;
}

enum class Trouble { kLimit, kTooLong, kBusy, kNoModel, kUnknownModel, kSlow, kKey, kRefused };

struct CodeRow {
    std::string_view code;
    Trouble trouble;
};

constexpr std::array<CodeRow, 20> kCodes{{
    {"rate_limited", Trouble::kLimit},
    {"quota_exhausted", Trouble::kLimit},
    {"context_too_long", Trouble::kTooLong},
    {"body_too_large", Trouble::kTooLong},
    {"overloaded", Trouble::kBusy},
    {"ledger_full", Trouble::kBusy},
    {"draining", Trouble::kBusy},
    {"cannot_verify_key", Trouble::kBusy},
    {"database_unavailable", Trouble::kBusy},
    {"no_model_available", Trouble::kNoModel},
    {"all_models_failed", Trouble::kNoModel},
    {"model_not_found", Trouble::kUnknownModel},
    {"deadline_exceeded", Trouble::kSlow},
    {"missing_api_key", Trouble::kKey},
    {"invalid_api_key", Trouble::kKey},
    {"forbidden", Trouble::kKey},
    {"unsupported", Trouble::kRefused},
    {"invalid_request", Trouble::kRefused},
    {"invalid_json", Trouble::kRefused},
    {"content_filtered", Trouble::kRefused},
}};

Trouble TroubleOf(const ChatEnd& end) {
    for (const CodeRow& row : kCodes) {
        if (row.code == end.code) return row.trouble;
    }
    switch (end.status) {
        case 401:
        case 403:
            return Trouble::kKey;
        case 404:
            return Trouble::kUnknownModel;
        case 413:
            return Trouble::kTooLong;
        case 429:
            return Trouble::kLimit;
        case 504:
            return Trouble::kSlow;
        default:
            return end.status >= 500 ? Trouble::kBusy : Trouble::kRefused;
    }
}

std::string Refusal(const ChatEnd& end) {
    switch (TroubleOf(end)) {
        case Trouble::kLimit:
            return "⏳ Слишком много запросов. " + Again(end.retry_after);
        case Trouble::kTooLong:
            return "📏 Запрос слишком длинный: ни одна из доступных моделей его не вместит. "
                   "Сократите его, пожалуйста.";
        case Trouble::kBusy:
            return "😓 Сервис сейчас перегружен. " + Again(end.retry_after);
        case Trouble::kNoModel:
            return "😔 Сейчас ни одна модель не смогла ответить. " + Again(end.retry_after);
        case Trouble::kUnknownModel:
            return "🤷 Выбранная модель больше недоступна. Теперь модель снова выбирается "
                   "автоматически; отправьте запрос ещё раз или выберите другую: /model";
        case Trouble::kSlow:
            return "⌛ Модели не успели ответить вовремя. Попробуйте, пожалуйста, ещё раз.";
        case Trouble::kKey:
            return "🔧 Бот настроен неверно, поэтому запрос не принят. Сообщите, пожалуйста, "
                   "администратору.";
        case Trouble::kRefused:
            break;
    }
    return end.code == "content_filtered"
               ? "🚫 Ответ скрыт фильтром содержимого. Попробуйте, пожалуйста, спросить иначе."
               : "⚠️ Модель не приняла этот запрос. Попробуйте, пожалуйста, изменить его.";
}

}  // namespace

std::string Duration(std::chrono::milliseconds time) {
    const std::int64_t seconds = std::max<std::int64_t>(1, (time.count() + 999) / 1000);
    if (seconds < 120) return Counted(seconds, "секунду", "секунды", "секунд");
    const std::int64_t minutes = (seconds + 59) / 60;
    if (minutes < 120) return Counted(minutes, "минуту", "минуты", "минут");
    return Counted((minutes + 59) / 60, "час", "часа", "часов");
}

std::string Seconds(std::chrono::milliseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f сек", static_cast<double>(time.count()) / 1000.0);
    return text;
}

std::string Start(bool admin) {
    return "Добро пожаловать в AI Manager Platform! 🤖\n\n"
           "Отправьте мне любой промпт, и на него ответит лучшая из доступных AI моделей.\n"
           "Ответ появляется прямо здесь, по мере того как модель его пишет.\n\n" +
           CommandList(admin);
}

std::string Help(bool admin) {
    return "ℹ️ Справка\n\n"
           "Напишите вопрос или задание обычным сообщением. Пока модель отвечает, следующие "
           "запросы "
           "ждут своей очереди. В группе обратитесь ко мне по имени, ответьте на моё сообщение или "
           "используйте /ask.\n\n" +
           CommandList(admin);
}

std::string UnknownCommand() { return "🤔 Такой команды нет. Список команд: /help"; }

std::string AskUsage() {
    return "Напишите вопрос после команды, например:\n/ask Почему небо голубое?";
}

std::string TextOnly() {
    return "🙏 Я понимаю только текст. Опишите, пожалуйста, словами, что вам нужно.";
}

std::string EditedIgnored() {
    return "✏️ На исправленные сообщения я не отвечаю заново. Отправьте, пожалуйста, запрос новым "
           "сообщением.";
}

std::string Queued(std::size_t position) {
    return "🕐 Ваш запрос принят, место в очереди: " + std::to_string(position) + ".";
}

std::string ChatQueueFull(std::size_t limit) {
    return "✋ В этом чате уже " +
           Counted(static_cast<std::int64_t>(limit), "запрос", "запроса", "запросов") +
           " в очереди. Дождитесь, пожалуйста, ответа или остановите его: /stop";
}

std::string BotFull() {
    return "😓 Сейчас слишком много запросов от всех пользователей. Попробуйте, пожалуйста, "
           "немного позже.";
}

std::string TooFast(std::chrono::milliseconds retry_after) {
    return "⏳ Слишком много запросов. " + Again(retry_after);
}

std::string Restarting() {
    return "🔄 Бот перезапускается, ваш запрос не обработан. Отправьте его, пожалуйста, ещё раз "
           "через минуту.";
}

std::string Stopped(std::size_t dropped) {
    if (dropped == 0) return "🛑 Останавливаю ответ.";
    return "🛑 Останавливаю ответ; из очереди убрано: " + std::to_string(dropped) + ".";
}

std::string NothingToStop() { return "Сейчас ничего не обрабатывается."; }

std::string ModelChosen(std::string_view model) {
    if (model.empty()) return "✅ Модель выбирается автоматически: всегда лучшая из доступных.";
    return "✅ Выбрана модель: " + std::string(model) +
           "\nЕсли она не ответит, запрос обработает другая.";
}

std::string ModelUnknown(std::string_view model) {
    return "🤷 Модели «" + std::string(model) + "» нет среди доступных. Список: /model";
}

std::string ModelQuestion(std::string_view current) {
    return "🧠 Какая модель должна отвечать в этом чате?\nСейчас: " +
           (current.empty() ? std::string("автоматический выбор") : std::string(current));
}

std::string ButtonTooOld() { return "Эта кнопка устарела. Откройте список заново: /model"; }

std::string PageUnavailable() {
    return "🔌 AI Manager сейчас недоступен. Попробуйте, пожалуйста, немного позже.";
}

std::string Head(std::string_view model) {
    return "🤖 Обрабатываю через модель \"" + std::string(model) + "\"...";
}

std::string Foot(std::string_view model, std::chrono::milliseconds time, std::string_view rating) {
    std::string foot;
    if (!model.empty()) foot.append("✅ Модель: ").append(model).append("\n");
    foot.append("⏱ Время обработки: ").append(Seconds(time));
    if (!rating.empty()) foot.append("\n⭐ Рейтинг модели: ").append(rating);
    return foot;
}

std::string Failure(const ChatEnd& end) {
    switch (end.kind) {
        case ChatEnd::Kind::kRefused:
            return Refusal(end);
        case ChatEnd::Kind::kUnreachable:
            return PageUnavailable();
        case ChatEnd::Kind::kCancelled:
            return end.code == "draining" ? Restarting() : "🛑 Ответ остановлен.";
        case ChatEnd::Kind::kCut:
            return "😔 Модель не смогла ответить. Попробуйте, пожалуйста, ещё раз.";
        case ChatEnd::Kind::kCompleted:
            break;
    }
    return end.finish_reason == "content_filter"
               ? "🚫 Ответ скрыт фильтром содержимого. Попробуйте, пожалуйста, спросить иначе."
               : "🤷 Модель вернула пустой ответ. Попробуйте, пожалуйста, спросить иначе.";
}

std::string Remark(const ChatEnd& end) {
    switch (end.kind) {
        case ChatEnd::Kind::kCompleted:
            if (end.finish_reason == "length")
                return "✂️ Ответ достиг предела длины и может быть неполным.";
            if (end.finish_reason == "content_filter")
                return "🚫 Остаток ответа скрыт фильтром содержимого.";
            return {};
        case ChatEnd::Kind::kCancelled:
            if (end.code == "too_long") return "✂️ Ответ слишком длинный, показано только начало.";
            if (end.code == "draining")
                return "🔄 Бот перезапускается, ответ прерван. Отправьте, пожалуйста, запрос ещё "
                       "раз через минуту.";
            return "🛑 Ответ остановлен.";
        default:
            return "⚠️ Связь с моделью прервалась, ответ неполный. Отправьте, пожалуйста, запрос "
                   "ещё раз.";
    }
}

}  // namespace aim::telegram_bot::messages
