#include "core/plugin/plugin_set.hpp"

#include <algorithm>

#include "core/base/ascii.hpp"

namespace aim::plugin {
namespace {

bool LessIgnoringCase(std::string_view a, std::string_view b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return AsciiLower(x) < AsciiLower(y);
    });
}

}  // namespace

PluginSet::PluginSet(std::vector<GenerationPtr> generations, std::vector<Absence> absences)
    : generations_(std::move(generations)), absences_(std::move(absences)) {
    std::sort(generations_.begin(), generations_.end(),
              [](const GenerationPtr& a, const GenerationPtr& b) {
                  return a->descriptor().id < b->descriptor().id;
              });
    // Ids first, so that the stable sort leaves them before equal aliases.
    for (std::size_t i = 0; i < generations_.size(); ++i)
        names_.emplace_back(generations_[i]->descriptor().id, i);
    for (std::size_t i = 0; i < generations_.size(); ++i) {
        for (const std::string& alias : generations_[i]->descriptor().aliases)
            names_.emplace_back(alias, i);
    }
    std::stable_sort(names_.begin(), names_.end(), [](const auto& a, const auto& b) {
        return LessIgnoringCase(a.first, b.first);
    });
}

const GenerationPtr* PluginSet::Find(std::string_view provider) const {
    const auto found = std::lower_bound(names_.begin(), names_.end(), provider,
                                        [](const auto& entry, std::string_view name) {
                                            return LessIgnoringCase(entry.first, name);
                                        });
    if (found == names_.end() || LessIgnoringCase(provider, found->first)) return nullptr;
    return &generations_[found->second];
}

std::string_view PluginSet::WhyAbsent(std::string_view provider) const {
    for (const Absence& absence : absences_) {
        if (!LessIgnoringCase(absence.id, provider) && !LessIgnoringCase(provider, absence.id))
            return absence.reason;
    }
    return {};
}

void PluginSetSource::Publish(PluginSetPtr set) {
    {
        const std::lock_guard lock(mutex_);
        set_.swap(set);
        version_.fetch_add(1, std::memory_order_release);
    }
    // The old set goes here, outside of the lock: with it may go the last hold on a generation.
}

PluginSetPtr PluginSetSource::Get() const {
    const std::lock_guard lock(mutex_);
    return set_;
}

const PluginSet& PluginSetReader::Get() {
    const std::uint64_t version = source_.version();
    if (!set_ || version != version_) {
        // Read before the set: a publication in between only makes the next Get() read again.
        version_ = version;
        set_ = source_.Get();
    }
    return *set_;
}

}  // namespace aim::plugin
