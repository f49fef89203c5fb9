#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plugin/generation.hpp"

namespace aim::plugin {

using GenerationPtr = std::shared_ptr<const Generation>;

// The plugins that serve at one moment, one a provider id. Immutable; thread-safe.
class PluginSet {
  public:
    // A plugin that was taken out of service, and why, for people.
    struct Absence {
        std::string id;
        std::string reason;
        friend bool operator==(const Absence&, const Absence&) = default;
    };

    PluginSet() = default;
    explicit PluginSet(std::vector<GenerationPtr> generations, std::vector<Absence> absences = {});

    // The plugin whose id or alias is `provider`, ignoring the case of ASCII letters; an id goes
    // before an alias, between aliases the lower id. Null when there is none. O(log n), no
    // allocation. The pointer is good as long as the set is held.
    const GenerationPtr* Find(std::string_view provider) const;

    // Why there is none for `provider` although its file is there; empty when nothing is known.
    std::string_view WhyAbsent(std::string_view provider) const;

    // By id.
    const std::vector<GenerationPtr>& generations() const { return generations_; }
    const std::vector<Absence>& absences() const { return absences_; }

  private:
    std::vector<GenerationPtr> generations_;
    std::vector<Absence> absences_;  // few
    std::vector<std::pair<std::string_view, std::size_t>>
        names_;  // by name ignoring case; views into the descriptors
};

using PluginSetPtr = std::shared_ptr<const PluginSet>;

// Where the loader puts the set and everybody takes it from. The version lets a reader see without
// a lock that nothing is new. Thread-safe.
class PluginSetSource {
  public:
    PluginSetSource() : set_(std::make_shared<const PluginSet>()) {}

    void Publish(PluginSetPtr set);
    PluginSetPtr Get() const;
    std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  private:
    std::atomic<std::uint64_t> version_{0};
    mutable std::mutex mutex_;
    PluginSetPtr set_;
};

// One thread's view of the source: a lookup costs one atomic load while nothing changes. A reader
// that is kept keeps the set of its last Get() alive, and with it those generations: an idle loop
// calls Get() now and then, or Drop(). One thread.
class PluginSetReader {
  public:
    explicit PluginSetReader(const PluginSetSource& source) : source_(source) {}

    const PluginSet& Get();
    void Drop() { set_.reset(); }

  private:
    const PluginSetSource& source_;
    std::uint64_t version_ = 0;
    PluginSetPtr set_;
};

}  // namespace aim::plugin
