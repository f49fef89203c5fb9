#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret_string.hpp"
#include "core/config/environment.hpp"

namespace aim::config {

// What is wrong with a configuration: every error, each with the variable's name. Values are never
// part of a text, since a key may have been pasted into the wrong variable.
class ConfigErrors {
  public:
    void Add(std::string_view name, std::string_view reason);
    bool empty() const { return lines_.empty(); }
    std::size_t size() const { return lines_.size(); }
    const std::vector<std::string>& lines() const { return lines_; }  // "NAME: reason"

    // For people, several lines: "The configuration has 2 errors:\n  NAME: …\n  …\n".
    std::string ToString() const;

  private:
    std::vector<std::string> lines_;
};

// Exit status of a process whose configuration is wrong.
inline constexpr int kConfigurationExitStatus = 2;

// Reads typed settings and collects all errors instead of stopping at the first: read everything,
// then ask errors() once. A getter whose variable is wrong returns the default. Used at start-up by
// one thread.
class Reader {
  public:
    explicit Reader(const Environment& environment) : environment_(environment) {}

    std::string Text(std::string_view name, std::string_view otherwise = {});
    std::string RequiredText(std::string_view name);
    SecretString Secret(std::string_view name);  // empty when not set
    SecretString RequiredSecret(std::string_view name);

    std::uint16_t Port(std::string_view name,
                       std::uint16_t otherwise);  // 0 is allowed: the system picks one
    std::int64_t Integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                         std::int64_t most);
    double Number(std::string_view name, double otherwise, double least, double most);
    bool Bool(std::string_view name, bool otherwise);  // true/false, 1/0, yes/no, on/off
    std::string Choice(std::string_view name, std::string_view otherwise,
                       std::initializer_list<std::string_view> choices);

    // Whole numbers of the unit.
    std::chrono::milliseconds Milliseconds(
        std::string_view name, std::chrono::milliseconds otherwise,
        std::chrono::milliseconds least = std::chrono::milliseconds(0),
        std::chrono::milliseconds most = std::chrono::hours(24 * 365));
    std::chrono::seconds Seconds(std::string_view name, std::chrono::seconds otherwise,
                                 std::chrono::seconds least = std::chrono::seconds(0),
                                 std::chrono::seconds most = std::chrono::hours(24 * 365));

    // A size in bytes: 4096, 256KiB, 64 MiB, 1GiB (powers of 1024).
    std::uint64_t Bytes(std::string_view name, std::uint64_t otherwise, std::uint64_t least = 0,
                        std::uint64_t most = std::uint64_t{1} << 50);

    // Parts between separators, white space around them removed, empty ones left out.
    std::vector<std::string> List(std::string_view name, std::string_view otherwise = {},
                                  char separator = ',');

    // scheme://host[:port][/path…] with one of the schemes; a slash at the very end is removed.
    std::string Url(std::string_view name, std::string_view otherwise,
                    std::initializer_list<std::string_view> schemes = {"http", "https"});

    // For rules over several variables, and for settings read elsewhere.
    void AddError(std::string_view name, std::string_view reason) { errors_.Add(name, reason); }

    const Environment& environment() const { return environment_; }
    const ConfigErrors& errors() const { return errors_; }

  private:
    const Environment& environment_;
    ConfigErrors errors_;
};

}  // namespace aim::config
