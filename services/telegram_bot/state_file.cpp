#include "services/telegram_bot/state_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "core/base/time_format.hpp"
#include "core/json/json.hpp"
#include "core/json/writer.hpp"

namespace aim::telegram_bot {
namespace {

constexpr std::uintmax_t kMostBytes = std::uintmax_t{8} << 20;

std::string ReadFile(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error || size > kMostBytes) return {};
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

Unexpected CannotWrite(const std::filesystem::path& file) {
    return Fail(ErrorKind::kInternal, "cannot write " + file.filename().string() + ": " +
                                          std::generic_category().message(errno));
}

}  // namespace

Result<void> WriteAtomically(const std::filesystem::path& file, std::string_view content) {
    std::filesystem::path beside = file;
    beside += ".new";
    const int descriptor =
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return CannotWrite(file);
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            const Unexpected failure = CannotWrite(file);
            ::close(descriptor);
            return failure;
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::close(descriptor) != 0 || ::rename(beside.c_str(), file.c_str()) != 0)
        return CannotWrite(file);
    return {};
}

std::int64_t OffsetFile::Load(WallTime now) const {
    const auto document = json::Parse(ReadFile(file_));
    if (!document) return 0;
    const json::Value root = document->root();
    const auto saved = ParseRfc3339(root.Get("saved_at").StringOr(""));
    const std::int64_t offset = root.Get("offset").Int64Or(0);
    if (!saved || now - *saved > kOldest || offset < 0) return 0;
    return offset;
}

Result<void> OffsetFile::Save(std::int64_t offset, WallTime now) const {
    std::string text;
    json::Writer(text)
        .BeginObject()
        .Field("offset", offset)
        .Field("saved_at", FormatRfc3339(now))
        .EndObject();
    return WriteAtomically(file_, text);
}

void ModelChoices::Load() {
    const auto document = json::Parse(ReadFile(file_));
    if (!document) return;
    for (const auto& [key, entry] : document->root().Get("chats")) {
        const auto chat = entry.Get("chat").AsInt64();
        const std::string_view model = entry.Get("model").StringOr("");
        if (!chat || model.empty() || choices_.size() >= kMostChats) continue;
        choices_[*chat] = {std::string(model), next_order_++};
    }
}

std::string_view ModelChoices::Get(std::int64_t chat_id) const {
    const auto found = choices_.find(chat_id);
    return found == choices_.end() ? std::string_view() : std::string_view(found->second.model);
}

Result<void> ModelChoices::Set(std::int64_t chat_id, std::string model) {
    if (model.empty()) {
        if (choices_.erase(chat_id) == 0) return {};
    } else {
        choices_[chat_id] = {std::move(model), next_order_++};
        if (choices_.size() > kMostChats) {
            choices_.erase(std::min_element(
                choices_.begin(), choices_.end(),
                [](const auto& a, const auto& b) { return a.second.order < b.second.order; }));
        }
    }
    return Save();
}

Result<void> ModelChoices::Move(std::int64_t from, std::int64_t to) {
    const auto found = choices_.find(from);
    if (found == choices_.end()) return {};
    choices_[to] = std::move(found->second);
    choices_.erase(from);
    return Save();
}

Result<void> ModelChoices::Save() const {
    std::vector<const std::pair<const std::int64_t, Choice>*> in_order;
    in_order.reserve(choices_.size());
    for (const auto& entry : choices_) in_order.push_back(&entry);
    std::sort(in_order.begin(), in_order.end(),
              [](const auto* a, const auto* b) { return a->second.order < b->second.order; });
    std::string text;
    json::Writer writer(text);
    writer.BeginObject().Key("chats").BeginArray();
    for (const auto* entry : in_order) {
        writer.BeginObject()
            .Field("chat", entry->first)
            .Field("model", entry->second.model)
            .EndObject();
    }
    writer.EndArray().EndObject();
    return WriteAtomically(file_, text);
}

}  // namespace aim::telegram_bot
