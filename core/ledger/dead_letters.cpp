#include "core/ledger/dead_letters.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/time_format.hpp"
#include "core/json/writer.hpp"
#include "core/ledger/segment.hpp"

namespace aim::ledger {

bool DeadLetters::Add(const Record& record, std::string_view reason, WallTime now) {
    std::string line;
    line.reserve(record.json.size() + 256);
    json::Writer(line)
        .BeginObject()
        .Field("rejected_at", FormatRfc3339(now))
        .Field("id", record.id.ToString())
        .Field("kind", record.kind == Record::Kind::kOutcome ? "outcome" : "history")
        .Field("reason", reason)
        .Key("record")
        .Raw(record.json)
        .EndObject();
    line.push_back('\n');
    const bool written = Write(line);
    (written ? written_ : dropped_).fetch_add(1, std::memory_order_relaxed);
    return written;
}

bool DeadLetters::Write(std::string_view line) const {
    if (file_.empty()) return false;
    std::error_code error;
    const auto size = std::filesystem::file_size(file_, error);
    if (!error && size > 0 && size + line.size() > max_bytes_) {
        std::filesystem::path older = file_;
        older += ".1";
        std::filesystem::rename(file_, older, error);
    }
    const FileDescriptor file(
        ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file.is_open()) return false;
    const off_t before = ::lseek(file.get(), 0, SEEK_END);
    const auto written = ::write(file.get(), line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size())) return true;
    // Half a line would spoil the next one.
    if (written > 0 && ::ftruncate(file.get(), before) != 0) errno = 0;
    return false;
}

}  // namespace aim::ledger
