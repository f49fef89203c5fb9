#include "services/business_api/loop_services.hpp"

#include <chrono>

namespace aim::business_api {
namespace {

constexpr std::chrono::milliseconds kTableRenewal{1000};

}  // namespace

LoopServices::LoopServices(Loop& loop, runtime::ModelRuntime& runtime)
    : loop_(loop),
      client_(loop, runtime),
      completions_(runtime.shared(), client_.get(), loop.timers()),
      data_api_(client_.get(), loop.timers(), runtime.options().data_api,
                runtime.options().data_api_token),
      table_renewal_(loop.timers(), [this] { RenewTable(); }) {
    RenewTable();
}

void LoopServices::RenewTable() {
    completions_.Table();
    table_renewal_.ArmAfter(kTableRenewal);
}

}  // namespace aim::business_api
