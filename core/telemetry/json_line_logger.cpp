#include "core/telemetry/json_line_logger.hpp"

#include <utility>

#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include "core/telemetry/batch_writer.hpp"
#include "core/telemetry/json_line.hpp"
#include "core/telemetry/redactor.hpp"

namespace aim::telemetry {
namespace {

// spdlog's own asynchronous logger wakes its thread for every line; at a few thousand requests a
// second that costs more than the line. This sink collects instead, and the lines come formatted
// already.
class BatchSink final : public spdlog::sinks::sink {
  public:
    explicit BatchSink(BatchWriter& writer) : writer_(writer) {}

    void log(const spdlog::details::log_msg& line) override {
        writer_.Append({line.payload.data(), line.payload.size()},
                       line.level >= spdlog::level::warn);
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  private:
    BatchWriter& writer_;
};

spdlog::level::level_enum ToSpdlog(Level level) {
    switch (level) {
        case Level::kDebug:
            return spdlog::level::debug;
        case Level::kInfo:
            return spdlog::level::info;
        case Level::kWarning:
            return spdlog::level::warn;
        case Level::kError:
            return spdlog::level::err;
        case Level::kCritical:
            return spdlog::level::critical;
        case Level::kOff:
            break;
    }
    return spdlog::level::off;
}

BatchWriter::Options WriterOptions(const LogOptions& options, const Clock& clock) {
    BatchWriter::Options writer;
    writer.file_descriptor = options.file_descriptor;
    writer.limit_bytes = options.queue_limit_bytes;
    writer.interval = options.write_interval;
    writer.report_dropped = [service = options.service, &clock](std::uint64_t dropped,
                                                                std::string& out) {
        const Field count("dropped", dropped);
        AppendJsonLine(clock.WallNow(), service, Level::kWarning, "log_lines_dropped",
                       "The log's reader is too slow; lines were dropped", std::span(&count, 1),
                       out);
        out.push_back('\n');
    };
    return writer;
}

}  // namespace

struct JsonLineLogger::Parts {
    Parts(const LogOptions& options, const Clock& the_clock)
        : service(options.service),
          clock(the_clock),
          writer(WriterOptions(options, the_clock), redactor),
          front("", std::make_shared<BatchSink>(writer)) {
        front.set_level(spdlog::level::trace);  // the level is checked by Logger
    }

    std::string service;
    const Clock& clock;
    Redactor redactor;
    BatchWriter writer;
    spdlog::logger front;
};

JsonLineLogger::JsonLineLogger(const LogOptions& options)
    : Logger(options.level),
      parts_(std::make_unique<Parts>(options,
                                     options.clock == nullptr ? SystemClock() : *options.clock)) {}

JsonLineLogger::~JsonLineLogger() = default;

void JsonLineLogger::RegisterSecret(const SecretString& secret) { parts_->redactor.Add(secret); }

bool JsonLineLogger::Flush(std::chrono::milliseconds timeout) {
    return parts_->writer.Flush(timeout);
}

std::uint64_t JsonLineLogger::dropped() const { return parts_->writer.dropped(); }

void JsonLineLogger::Write(Level level, std::string_view event, std::string_view message,
                           std::span<const Field> fields) {
    thread_local std::string line;
    line.clear();
    const WallTime now = parts_->clock.WallNow();
    AppendJsonLine(now, parts_->service, level, event, message, fields, line);
    // With the time, which it would else ask for: the line has its own.
    parts_->front.log(now, spdlog::source_loc(), ToSpdlog(level),
                      spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace aim::telemetry
