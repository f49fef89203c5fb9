#pragma once

#include "core/base/loop.hpp"
#include "core/data_client/data_api_client.hpp"
#include "core/pipeline/completion_service.hpp"
#include "core/runtime/model_runtime.hpp"

namespace aim::business_api {

// What one engine loop works with: its own upstream connections and its own pipeline. Made and
// released on the loop.
class LoopServices {
  public:
    LoopServices(Loop& loop, runtime::ModelRuntime& runtime);

    Loop& loop() { return loop_; }
    http::client::AsioClient& client() { return client_.get(); }
    pipeline::CompletionService& completions() { return completions_; }
    // For pages that show what only the database knows; never for a prompt.
    data_client::DataApiClient& data_api() { return data_api_; }

  private:
    // A loop without prompts lets go of an old routing table, too: the table holds the generations
    // of plugins that it names.
    void RenewTable();

    Loop& loop_;
    runtime::LoopClient client_;
    pipeline::CompletionService completions_;
    data_client::DataApiClient data_api_;
    TimerQueue::Timer table_renewal_;
};

}  // namespace aim::business_api
