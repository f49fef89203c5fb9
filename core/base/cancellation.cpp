#include "core/base/cancellation.hpp"

#include <utility>

namespace aim {

Cancellation::Listener::Listener(Cancellation& cancellation, std::function<void()> on_cancel)
    : owner_(&cancellation), next_(cancellation.first_), on_cancel_(std::move(on_cancel)) {
    if (next_ != nullptr) next_->previous_ = this;
    cancellation.first_ = this;
}

Cancellation::Listener::~Listener() { Unlink(); }

void Cancellation::Listener::Unlink() {
    if (owner_ == nullptr) return;
    if (previous_ != nullptr) {
        previous_->next_ = next_;
    } else {
        owner_->first_ = next_;
    }
    if (next_ != nullptr) next_->previous_ = previous_;
    owner_ = nullptr;
    previous_ = next_ = nullptr;
}

Cancellation::~Cancellation() {
    while (first_ != nullptr) first_->Unlink();
}

void Cancellation::Cancel(Reason reason) {
    if (IsCancelled()) return;
    reason_ = reason;
    // A callback may destroy its own listener or others: take one at a time from the front.
    while (first_ != nullptr) {
        Listener* listener = first_;
        const std::function<void()> on_cancel = std::move(listener->on_cancel_);
        listener->Unlink();
        on_cancel();
    }
}

}  // namespace aim
