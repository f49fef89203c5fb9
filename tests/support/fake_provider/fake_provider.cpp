#include "tests/support/fake_provider/fake_provider.hpp"

#include <stdexcept>

namespace aim::testing {
namespace {

std::vector<ScriptStep> ReadSteps(std::string_view json) {
    std::vector<ScriptStep> steps;
    std::string error;
    if (!ParseScriptSteps(json, &steps, &error)) throw std::invalid_argument(error);
    return steps;
}

}  // namespace

FakeProvider::FakeProvider(ServerOptions options) : tls_(!options.certificate_pem.empty()) {
    std::string error;
    server_ = Server::Start(options, &error);
    if (!server_) throw std::runtime_error(error);
}

std::string FakeProvider::url(std::string_view host) const {
    return (tls_ ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port()) +
           "/openai/v1";
}

void FakeProvider::Script(std::string_view model, std::string_view steps_json, bool repeat_last) {
    ScriptMatch match;
    match.model = model;
    server_->state().scripts.Set(match, ReadSteps(steps_json), repeat_last);
}

void FakeProvider::ScriptPath(std::string_view path, std::string_view steps_json,
                              bool repeat_last) {
    ScriptMatch match;
    match.path = path;
    server_->state().scripts.Set(match, ReadSteps(steps_json), repeat_last);
}

bool FakeProvider::WaitFor(
    const std::function<bool(const std::vector<RecordedRequest>&)>& condition,
    std::chrono::milliseconds limit) const {
    return server_->state().log.WaitUntil(condition, limit);
}

bool FakeProvider::WaitForRequests(std::size_t count, std::chrono::milliseconds limit) const {
    return WaitFor([count](const auto& requests) { return requests.size() >= count; }, limit);
}

}  // namespace aim::testing
