#include "tests/bench/load_report.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace aim::bench {
namespace {

class JsonLine {
  public:
    JsonLine& Count(std::string_view name, std::uint64_t value) {
        return Raw(name, std::to_string(value));
    }
    JsonLine& Number(std::string_view name, double value, int digits) {
        char text[64];
        std::snprintf(text, sizeof text, "%.*f", digits, value);
        return Raw(name, text);
    }
    JsonLine& Raw(std::string_view name, std::string_view value) {
        text_.append(text_.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
        return *this;
    }
    std::string Finish() { return text_ + "}"; }

  private:
    std::string text_;
};

void AddPercentiles(const Latencies& latencies, JsonLine* line) {
    line->Number("mean_us", latencies.MeanMicroseconds(), 1);
    line->Number("p50_us", latencies.Microseconds(0.5), 1);
    line->Number("p90_us", latencies.Microseconds(0.9), 1);
    line->Number("p99_us", latencies.Microseconds(0.99), 1);
    line->Number("p999_us", latencies.Microseconds(0.999), 1);
    line->Number("max_us", latencies.Microseconds(1), 1);
}

}  // namespace

bool RequestReport::Good() const { return errors == 0 && unanswered == 0 && latencies.size() > 0; }

std::string RequestReport::Json() {
    latencies.Sort();
    JsonLine line;
    line.Count("requests", latencies.size()).Count("all_requests", answers);
    line.Count("errors", errors).Count("wrong_nonces", wrong_nonces);
    line.Number("seconds", seconds, 3);
    line.Number("requests_per_second",
                seconds > 0 ? static_cast<double>(latencies.size()) / seconds : 0, 1);
    AddPercentiles(latencies, &line);
    if (rate > 0) {
        line.Number("rate", rate, 1).Count("unanswered", unanswered).Count("backlog", backlog);
        line.Raw("curve", latencies.CurveJson());
    }
    return line.Finish();
}

void StreamReport::Add(const StreamWatch& watch, bool failed, const StreamRules& rules) {
    ++streams;
    deltas += watch.deltas();
    lost_deltas += rules.deltas - std::min(rules.deltas, watch.deltas());
    late_deltas += watch.late();
    stalled_deltas += watch.stalls();
    stalled += watch.stalls() > 0 ? 1 : 0;
    disordered += watch.in_order() ? 0 : 1;
    wrong_nonces += watch.answered_another() ? 1 : 0;
    longest_gap = std::max<std::chrono::nanoseconds>(longest_gap, watch.longest_gap());
    if (watch.deltas() == 0) {
        ++lost;
        return;
    }
    first_delta.Add(watch.first_delta());
    ++(watch.Complete(rules) && !failed ? complete : incomplete);
}

std::string StreamReport::Json() {
    first_delta.Sort();
    lateness.Sort();
    JsonLine line;
    line.Count("streams", streams).Count("complete", complete).Count("lost", lost);
    line.Count("incomplete", incomplete).Count("stalled", stalled);
    line.Count("disordered", disordered).Count("wrong_nonces", wrong_nonces);
    line.Count("deltas", deltas).Count("lost_deltas", lost_deltas);
    line.Count("late_deltas", late_deltas).Count("stalled_deltas", stalled_deltas);
    line.Number("longest_stall_ms", static_cast<double>(longest_gap.count()) / 1e6, 1);
    line.Number("first_delta_p50_ms", first_delta.Microseconds(0.5) / 1000, 1);
    line.Number("first_delta_p99_ms", first_delta.Microseconds(0.99) / 1000, 1);
    line.Number("behind_p50_ms", lateness.Microseconds(0.5) / 1000, 2);
    line.Number("behind_p99_ms", lateness.Microseconds(0.99) / 1000, 2);
    line.Number("behind_max_ms", lateness.Microseconds(1) / 1000, 2);
    line.Number("seconds", seconds, 3);
    return line.Finish();
}

}  // namespace aim::bench
