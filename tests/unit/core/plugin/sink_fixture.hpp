#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/plugin/session_sink.hpp"
#include "tests/support/scripted_plugin.hpp"

namespace aim::plugin {

using aim::testing::AbiText;
using completion::DeltaKind;

// Everything of a batch in one line: "text0:Hi finish0:stop".
inline std::string Told(const completion::DeltaBatch& batch) {
    std::string told;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto delta = batch[i];
        told += told.empty() ? "" : " ";
        const std::string choice = std::to_string(delta.choice);
        const std::string place = choice + "." + std::to_string(delta.index);
        const std::string text(delta.text);
        switch (delta.kind) {
            case DeltaKind::kText:
                told += "text" + choice + ":" + text;
                break;
            case DeltaKind::kReasoning:
                told += "reasoning" + choice + ":" + text;
                break;
            case DeltaKind::kRefusal:
                told += "refusal" + choice + ":" + text;
                break;
            case DeltaKind::kToolCall:
                told += "call" + place + ":" + std::string(delta.id) + "," +
                        std::string(delta.name) + "," + text;
                break;
            case DeltaKind::kFinish:
                told += "finish" + choice + ":" +
                        std::string(completion::FinishReasonName(delta.finish));
                break;
            case DeltaKind::kExtra:
                told += "extra" + std::to_string(static_cast<int>(delta.scope)) + "@" + place +
                        ":" + std::string(delta.name) + "=" + text;
                break;
        }
    }
    return told;
}

// A session's sink, open, and the words of its plugin.
class SessionSinkTest : public ::testing::Test {
  protected:
    SessionSinkTest() { Open(); }

    void Open(std::size_t input_bytes = 0) {
        batch_.Clear();
        table_ = sink_->Open(&batch_, input_bytes);
    }

    // The plugin's words.
    void Text(std::string_view text, uint32_t choice = 0) {
        table_->text(table_->context, choice, AbiText(text));
    }
    void Reasoning(std::string_view text, uint32_t choice = 0) {
        table_->reasoning(table_->context, choice, AbiText(text));
    }
    void Call(uint32_t index, std::string_view id, std::string_view name,
              std::string_view arguments, uint32_t choice = 0) {
        table_->tool_call(table_->context, choice, index, AbiText(id), AbiText(name),
                          AbiText(arguments));
    }
    void Finish(uint32_t choice = 0, int32_t reason = AIM_FINISH_STOP) {
        table_->finish(table_->context, choice, reason);
    }
    void Extra(std::string_view name, std::string_view json, int32_t scope = AIM_SCOPE_RESPONSE) {
        table_->extra(table_->context, scope, 0, 0, AbiText(name), AbiText(json));
    }
    static aim_usage Usage(int64_t prompt, int64_t completion, std::string_view json = {}) {
        aim_usage usage{};
        usage.struct_size = sizeof usage;
        usage.prompt_tokens = prompt;
        usage.completion_tokens = completion;
        usage.total_tokens = usage.cached_tokens = -1;
        usage.cache_write_tokens = usage.reasoning_tokens = -1;
        usage.json = AbiText(json);
        return usage;
    }
    void Give(const aim_usage& usage) { table_->usage(table_->context, &usage); }
    static aim_error AnError(int32_t kind, std::string_view message) {
        aim_error error{};
        error.struct_size = sizeof error;
        error.kind = kind;
        error.retry_after_ms = -1;
        error.message = AbiText(message);
        return error;
    }
    void Give(const aim_error& error) { table_->error(table_->context, &error); }

    std::uint64_t Counted(Misbehaviour kind) const {
        return conduct_.figures().misbehaviours[static_cast<std::size_t>(kind)];
    }
    // Nothing arrived but the count.
    void ExpectInvalid(std::string_view why) {
        EXPECT_EQ(Told(batch_), "");
        EXPECT_FALSE(batch_.has_usage());
        EXPECT_EQ(Counted(Misbehaviour::kInvalidOutput), 1U);
        EXPECT_EQ(sink_->misbehaviour(), 1);
        const std::lock_guard lock(reports_->mutex);
        ASSERT_EQ(reports_->details.size(), 1U);
        EXPECT_NE(reports_->details[0].find(why), std::string::npos) << reports_->details[0];
    }

    // A conduct, and what it reports, outlive every test.
    struct Reports {
        std::mutex mutex;
        std::vector<std::string> details;
    };
    std::shared_ptr<Reports> reports_ = std::make_shared<Reports>();
    Conduct& conduct_ = Conduct::Make("plugin", std::make_shared<ConductTotals>(),
                                      [reports = reports_](const Conduct::Report& report) {
                                          const std::lock_guard lock(reports->mutex);
                                          reports->details.push_back(report.detail);
                                      });
    std::unique_ptr<SessionSink> sink_ = std::make_unique<SessionSink>(7, &conduct_);
    completion::DeltaBatch batch_;
    const aim_sink* table_ = nullptr;
};

}  // namespace aim::plugin
