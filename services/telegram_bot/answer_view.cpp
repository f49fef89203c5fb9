#include "services/telegram_bot/answer_view.hpp"

#include <utility>

#include "core/base/clock.hpp"
#include "core/base/utf8.hpp"
#include "services/telegram_bot/message_splitter.hpp"

namespace aim::telegram_bot {
namespace {

bool IsBlank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

bool AnswerView::Append(std::string_view text) {
    if (total_bytes_ >= kMostBytes) return false;
    const bool fits = total_bytes_ + text.size() <= kMostBytes;
    if (!fits) text = TruncateUtf8(text, kMostBytes - total_bytes_);
    pending_.append(text);
    total_bytes_ += text.size();
    if (!fits) total_bytes_ = kMostBytes;
    dirty_ = true;
    return fits;
}

Task<ApiResult<void>> AnswerView::DeliverPart(std::string part, Cancellation& cancellation) {
    if (IsBlank(part)) co_return ApiResult<void>();
    Outgoing message;
    message.destination = destination_;
    message.text = std::move(part);
    message.format = Format::kMarkdown;
    message.message_id = message_id_;
    message_id_ = 0;
    const bool waited = co_await sender_.WaitUntil(throttle_.next(), cancellation);
    if (!waited) co_return tl::unexpected(ApiFailure{.cancelled = true});
    auto sent = co_await sender_.Deliver(std::move(message), cancellation);
    throttle_.Shown(SystemClock().Now());
    if (!sent && (sent.error().ChatIsGone() || sent.error().cancelled))
        co_return tl::unexpected(std::move(sent.error()));
    co_return ApiResult<void>();
}

Task<ApiResult<void>> AnswerView::DeliverFullParts(Cancellation& cancellation) {
    while (!FitsOneMessage(carry_, pending_)) {
        Cut cut = CutFront(carry_, pending_);
        pending_.erase(0, cut.taken);
        carry_ = std::move(cut.next_carry);
        std::string part = std::move(cut.part);
        auto delivered = co_await DeliverPart(std::move(part), cancellation);
        if (!delivered) co_return delivered;
    }
    co_return ApiResult<void>();
}

Task<ApiResult<void>> AnswerView::Show(Cancellation& cancellation) {
    dirty_ = false;
    auto full = co_await DeliverFullParts(cancellation);
    if (!full || IsBlank(pending_)) co_return full;
    Outgoing message;
    message.destination = destination_;
    message.text = carry_ + pending_;
    message.message_id = message_id_;
    auto shown = co_await sender_.Show(std::move(message), cancellation);
    if (shown) {
        message_id_ = *shown;
        throttle_.Shown(SystemClock().Now());
        co_return full;
    }
    const ApiFailure& failure = shown.error();
    if (failure.ChatIsGone() || failure.cancelled)
        co_return tl::unexpected(std::move(shown.error()));
    // A message that somebody deleted is sent anew; everything else is tried again with more text.
    if (failure.code == 400) message_id_ = 0;
    dirty_ = true;
    throttle_.Postpone(SystemClock().Now(),
                       failure.retry_after.value_or(std::chrono::milliseconds(0)));
    co_return full;
}

Task<ApiResult<void>> AnswerView::Finish(std::string foot, Cancellation& cancellation) {
    while (!pending_.empty() && (pending_.back() == '\n' || pending_.back() == ' '))
        pending_.pop_back();
    std::string whole = carry_ + pending_;
    if (!OpenFence(whole).empty()) pending_.append("\n```");
    if (!foot.empty()) pending_.append(pending_.empty() ? "" : "\n\n").append(foot);
    auto full = co_await DeliverFullParts(cancellation);
    if (!full) co_return full;
    dirty_ = false;
    std::string part = carry_ + pending_;
    auto last = co_await DeliverPart(std::move(part), cancellation);
    co_return last;
}

}  // namespace aim::telegram_bot
