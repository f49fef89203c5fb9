#include "core/plugin/probe_runner.hpp"

#include <algorithm>
#include <utility>

#include "core/base/clock.hpp"

namespace aim::plugin {

void ProbeRunner::Submit(const security::Sha256Digest& hash, std::filesystem::path staged) {
    const bool known = running_.count(hash) != 0 ||
                       std::any_of(waiting_.begin(), waiting_.end(),
                                   [&hash](const Job& job) { return job.hash == hash; });
    if (known || cancelled_) return;
    waiting_.push_back(Job{hash, std::move(staged)});
    StartWaiting();
}

void ProbeRunner::StartWaiting() {
    while (running_.size() < kAtOnce && !waiting_.empty()) {
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        const security::Sha256Digest hash = job.hash;
        running_[hash] = std::jthread([this, job = std::move(job)](std::stop_token stop) {
            const MonotonicTime started = SystemClock().Now();
            auto result = std::make_shared<ProbeResult>(probe_.Probe(job.staged, std::move(stop)));
            result->took = SystemClock().Now() - started;
            queue_->Post([this, hash = job.hash, result] { Finish(hash, std::move(*result)); });
        });
    }
}

void ProbeRunner::Finish(const security::Sha256Digest& hash, ProbeResult result) {
    running_.erase(hash);  // its thread is at its end: joins at once
    StartWaiting();
    on_probed_(hash, std::move(result));
}

void ProbeRunner::Cancel() {
    cancelled_ = true;
    waiting_.clear();
    for (auto& [hash, thread] : running_) thread.request_stop();
}

}  // namespace aim::plugin
