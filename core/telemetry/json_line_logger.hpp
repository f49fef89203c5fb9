#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.hpp"
#include "core/base/secret_string.hpp"
#include "core/telemetry/log.hpp"

namespace aim::telemetry {

struct LogOptions {
    std::string service;  // "aimanager_business_api"
    Level level = Level::kInfo;
    int file_descriptor = 1;  // borrowed; 1 = standard output, 2 = standard error
    std::size_t queue_limit_bytes =
        4 * 1024 * 1024;  // lines that wait for the descriptor; more are dropped and counted
    std::chrono::milliseconds write_interval{
        20};  // lines of one interval go out in one write; warnings and worse at once
    const Clock* clock = nullptr;  // null: the operating system's
};

// Logs one JSON object a line: timestamp, level, service, request_id (null without one), event,
// message, then the fields. The caller formats and appends to a bounded buffer; a thread of our
// own, asleep while nothing is logged, redacts and writes. When the descriptor does not keep up,
// lines are dropped, counted, and reported by a line log_lines_dropped. Thread-safe.
class JsonLineLogger final : public Logger {
  public:
    explicit JsonLineLogger(const LogOptions& options);
    ~JsonLineLogger()
        override;  // writes what is left (waits for the descriptor at most one second)

    // From now on the value is written as ***, wherever it stands in a line. Second line of defence
    // behind SecretString. Values under kShortestSecret bytes are not taken: they would blank
    // ordinary words.
    void RegisterSecret(const SecretString& secret);
    static constexpr std::size_t kShortestSecret = 6;

    // Waits until everything logged before is handed to the descriptor, or the time is over
    // (false).
    bool Flush(std::chrono::milliseconds timeout);

    std::uint64_t dropped() const;  // lines so far

  protected:
    void Write(Level level, std::string_view event, std::string_view message,
               std::span<const Field> fields) override;

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace aim::telemetry
