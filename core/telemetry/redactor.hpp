#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/secret_string.hpp"

namespace aim::telemetry {

// Replaces known secret values in finished text by ***. Thread-safe.
class Redactor {
  public:
    static constexpr std::size_t kShortest = 6;

    // Takes the value as it is and as it looks inside a JSON string. Shorter ones than kShortest
    // are ignored.
    void Add(const SecretString& secret);

    // Replaces every occurrence in place; true when there was one.
    bool Redact(std::string& text) const;

  private:
    using Patterns = std::vector<SecretString>;

    mutable std::mutex mutex_;
    std::shared_ptr<const Patterns> patterns_;
};

}  // namespace aim::telemetry
