#pragma once

#include <functional>

namespace aim {

// "Stop, nobody wants the result": raised once by the owner of an exchange (the server, when its
// client left; a deadline), heard by whoever works for it (the upstream client, a wait). All on one
// loop's thread; no locks, no memory of its own beyond the listeners' nodes, which live in the
// listeners.
class Cancellation {
  public:
    enum class Reason { kNone, kClientLeft, kDeadline, kShutdown, kAborted };

    // Calls `on_cancel` at most once, from within Cancel(); unregisters itself when destroyed. If
    // the cancellation is raised already, the callback is not called: check reason() first. Neither
    // copied nor moved: listeners are linked.
    class Listener {
      public:
        Listener(Cancellation& cancellation, std::function<void()> on_cancel);
        ~Listener();
        Listener(const Listener&) = delete;
        Listener& operator=(const Listener&) = delete;

      private:
        friend class Cancellation;
        void Unlink();

        Cancellation* owner_;
        Listener* previous_ = nullptr;
        Listener* next_ = nullptr;
        std::function<void()> on_cancel_;
    };

    Cancellation() = default;
    ~Cancellation();
    Cancellation(const Cancellation&) = delete;
    Cancellation& operator=(const Cancellation&) = delete;

    // Raises the cancellation and calls every listener once; the first reason stays.
    void Cancel(Reason reason);

    bool IsCancelled() const { return reason_ != Reason::kNone; }
    Reason reason() const { return reason_; }

  private:
    Reason reason_ = Reason::kNone;
    Listener* first_ = nullptr;
};

}  // namespace aim
