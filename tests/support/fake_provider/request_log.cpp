#include "tests/support/fake_provider/request_log.hpp"

#include <algorithm>
#include <cctype>
#include <map>

#include "tests/support/fake_provider/json_text.hpp"

namespace aim::testing {
namespace {

std::size_t SizeOf(const RecordedRequest& request) {
    std::size_t size = request.path.size() + request.body.size() + sizeof request;
    for (const auto& header : request.headers) size += header.first.size() + header.second.size();
    return size;
}

std::string Lower(std::string text) {
    for (char& byte : text)
        byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
    return text;
}

std::string RequestJson(const RecordedRequest& request) {
    std::map<std::string, std::string> headers;
    for (const auto& [name, value] : request.headers) {
        std::string& joined = headers[Lower(name)];
        joined += (joined.empty() ? "" : ", ") + value;
    }
    std::string header_json = "{";
    for (const auto& [name, value] : headers)
        header_json +=
            (header_json.size() > 1 ? "," : "") + QuoteJson(name) + ":" + QuoteJson(value);
    return "{\"id\":" + std::to_string(request.id) +
           ",\"connection_id\":" + std::to_string(request.connection_id) +
           ",\"tls_server_name\":" + QuoteJson(request.tls_server_name) +
           ",\"method\":" + QuoteJson(request.method) + ",\"path\":" + QuoteJson(request.path) +
           ",\"headers\":" + header_json + "},\"body\":" + QuoteJson(request.body) +
           ",\"model\":" + QuoteJson(request.model) +
           ",\"answered\":" + (request.answered ? "true" : "false") +
           ",\"client_closed_after_ms\":" +
           (request.client_closed_after_ms ? std::to_string(*request.client_closed_after_ms)
                                           : "null") +
           "}";
}

}  // namespace

std::string_view RecordedRequest::Header(std::string_view name) const {
    for (const auto& header : headers)
        if (EqualNoCase(header.first, name)) return header.second;
    return {};
}

std::uint64_t RequestLog::Add(const HttpRequest& request, std::uint64_t connection_id,
                              const std::string& server_name, const std::string& model) {
    RecordedRequest record;
    record.connection_id = connection_id;
    record.tls_server_name = server_name;
    record.method = request.method;
    record.path = request.target;
    for (const auto& header : request.headers)
        record.headers.emplace_back(header.first, header.second);
    record.body = request.body;
    record.model = model;
    const std::lock_guard lock(mutex_);
    record.id = next_id_++;
    bytes_ += SizeOf(record);
    requests_.push_back(std::move(record));
    while (requests_.size() > 1 && (requests_.size() > kMaxRequests || bytes_ > kMaxBytes)) {
        bytes_ -= SizeOf(requests_.front());
        requests_.pop_front();
    }
    changed_.notify_all();
    return requests_.back().id;
}

void RequestLog::ChangeLocked(std::uint64_t id,
                              const std::function<void(RecordedRequest&)>& change) {
    const auto found = std::lower_bound(
        requests_.begin(), requests_.end(), id,
        [](const RecordedRequest& request, std::uint64_t wanted) { return request.id < wanted; });
    if (found != requests_.end() && found->id == id) change(*found);
    changed_.notify_all();
}

void RequestLog::Answered(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    ChangeLocked(id, [](RecordedRequest& request) { request.answered = true; });
}

void RequestLog::ClientClosed(std::uint64_t id, std::chrono::milliseconds after) {
    const std::lock_guard lock(mutex_);
    ChangeLocked(
        id, [after](RecordedRequest& request) { request.client_closed_after_ms = after.count(); });
}

void RequestLog::CountUnrecorded() {
    const std::lock_guard lock(mutex_);
    ++unrecorded_;
}

std::vector<RecordedRequest> RequestLog::Requests() const {
    const std::lock_guard lock(mutex_);
    return {requests_.begin(), requests_.end()};
}

std::string RequestLog::Json() const {
    const std::lock_guard lock(mutex_);
    std::string json = "{\"requests\":[";
    for (const RecordedRequest& request : requests_)
        json += (json.back() == '[' ? "" : ",") + RequestJson(request);
    return json + "],\"unrecorded\":" + std::to_string(unrecorded_) + "}";
}

void RequestLog::Clear() {
    const std::lock_guard lock(mutex_);
    requests_.clear();
    bytes_ = 0;
    unrecorded_ = 0;
}

bool RequestLog::WaitUntil(
    const std::function<bool(const std::vector<RecordedRequest>&)>& condition,
    std::chrono::milliseconds limit) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] {
        return condition(std::vector<RecordedRequest>(requests_.begin(), requests_.end()));
    });
}

}  // namespace aim::testing
