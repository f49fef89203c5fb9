// Throws where the prompt's model says: for the tests of the wall that no exception passes.
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "aim/sdk/plugin.hpp"

namespace {

using aim::sdk::Call;
using aim::sdk::Step;

class ThrowingSession final : public aim::sdk::Session {
  public:
    explicit ThrowingSession(std::string where) : where_(std::move(where)) {}

    Step Begin(const Call& call) override {
        At("begin");
        return where_ == "wake" ? call.WaitFor(1) : Step::kNextRequest;
    }
    bool Next(const Call&, aim::sdk::HttpRequest& request) override {
        At("next");
        request.Url("http://127.0.0.1/");
        return where_ != "silent_next";
    }
    Step Head(const Call&, const aim::sdk::HttpHead&) override {
        At("head");
        return Step::kContinue;
    }
    Step Data(const Call&, const aim::sdk::HttpData&) override {
        At("data");
        return Step::kContinue;
    }
    Step End(const Call&, aim::sdk::Ending) override {
        At("end");
        return where_ == "silent" ? Step::kFailed : Step::kDone;
    }
    Step Wake(const Call&) override {
        At("wake");
        return Step::kDone;
    }

  private:
    void At(const std::string& place) const {
        if (where_ == place) {
            throw std::runtime_error("thrown in " + place);
        }
        if (where_ == "int_in_" + place) {
            throw 42;
        }
    }

    std::string where_;
};

class ThrowingProvider final : public aim::sdk::ChatProvider {
  public:
    static std::unique_ptr<ThrowingProvider> Create(const Call&, const aim::sdk::Config& config) {
        if (config.RowSettings() == "{\"throw\":1}") {
            throw std::bad_alloc();
        }
        if (config.RowSettings() == "{\"null\":1}") {
            return nullptr;
        }
        return std::make_unique<ThrowingProvider>();
    }
    std::unique_ptr<aim::sdk::Session> Start(const Call&, const aim::sdk::ChatRequest& request,
                                             std::uint64_t) const override {
        if (request.Model() == "start") {
            throw std::runtime_error("thrown in start");
        }
        if (request.Model() == "null_start") {
            return nullptr;
        }
        return std::make_unique<ThrowingSession>(std::string(request.Model()));
    }
};

constexpr aim::sdk::Descriptor kDescriptor = {.display_name = "Throwing", .vendor = "tests"};

}  // namespace

AIM_PLUGIN("throwing", "1.0.0", kDescriptor, aim::sdk::Chat<ThrowingProvider>);
