#include "core/plugin/probe_runner.hpp"

#include <utility>

#include "core/base/clock.hpp"

namespace aim::plugin {

void ProbeRunner::Submit(const security::Sha256Digest& hash, std::filesystem::path staged) {
    if (cancelled_ || !unfinished_.insert(hash).second) return;
    const std::lock_guard lock(mutex_);
    waiting_.push_back(Job{hash, std::move(staged)});
    for (Worker& worker : workers_) {
        if (worker.busy) continue;
        worker.busy = true;
        // One that is there still has seen that nothing waits: joins at once.
        worker.thread =
            std::jthread([this, &worker](const std::stop_token& stop) { Work(worker, stop); });
        return;
    }
}

void ProbeRunner::Work(Worker& worker, const std::stop_token& stop) {
    while (true) {
        Job job;
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.empty()) {
                worker.busy = false;
                return;
            }
            job = std::move(waiting_.front());
            waiting_.pop_front();
        }
        const MonotonicTime started = SystemClock().Now();
        auto result = std::make_shared<ProbeResult>(probe_.Probe(job.staged, stop));
        result->took = SystemClock().Now() - started;
        queue_->Post([this, hash = job.hash, result] { Finish(hash, std::move(*result)); });
    }
}

void ProbeRunner::Finish(const security::Sha256Digest& hash, ProbeResult result) {
    unfinished_.erase(hash);
    on_probed_(hash, std::move(result));
    if (idle()) probe_.Rest();
}

void ProbeRunner::Cancel() {
    cancelled_ = true;
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    for (Worker& worker : workers_) worker.thread.request_stop();
}

void ProbeRunner::Join() {
    for (Worker& worker : workers_) worker.thread = {};
}

}  // namespace aim::plugin
