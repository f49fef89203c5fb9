#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace aim {

// A key or password. It has no conversion and no output operator, so that it cannot be printed or
// logged by accident; who really sends it calls Reveal() and owns the consequence. The bytes are
// overwritten when the last owner goes.
class SecretString {
  public:
    SecretString() = default;
    explicit SecretString(std::string value) : value_(std::move(value)) {}
    SecretString(const SecretString&) = default;
    SecretString& operator=(const SecretString&) = default;
    SecretString(SecretString&& other) noexcept : value_(std::exchange(other.value_, {})) {}
    SecretString& operator=(SecretString&& other) noexcept {
        value_.swap(other.value_);
        return *this;
    }
    ~SecretString() {
        if (!value_.empty()) explicit_bzero(value_.data(), value_.size());
    }

    std::string_view Reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

    template <typename Stream>
    friend Stream& operator<<(Stream&, const SecretString&) = delete;

  private:
    std::string value_;
};

}  // namespace aim
