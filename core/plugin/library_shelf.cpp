#include "core/plugin/library_shelf.hpp"

#include <utility>

namespace aim::plugin {

Checked<LibraryShelf::Library*> LibraryShelf::Open(const Candidate& candidate) {
    if (const auto known = libraries_.find(candidate.hash); known != libraries_.end())
        return &known->second;
    auto code = PluginLibrary::Load(candidate.staged);
    if (!code) return tl::unexpected(std::move(code.error()));
    kept_.fetch_add(1, std::memory_order_relaxed);
    auto introduction = ReadIntroduction(code->entry(), candidate.note);
    if (!introduction) return tl::unexpected(std::move(introduction.error()));
    if (introduction->descriptor.id != candidate.id ||
        introduction->descriptor.parsed_version != candidate.version) {
        return Refuse(RefusalReason::kProbeFailed,
                      "the plugin says that it is " + introduction->descriptor.id + " " +
                          introduction->descriptor.version +
                          ", in the probe it said otherwise: its descriptor must be constant");
    }
    auto host =
        std::make_shared<HostTable>(log_, clock_, host_version_, introduction->descriptor.id);
    // The queue outlives its thread and this object: what is told after their end is dropped.
    auto report = [this, queue = queue_, hash = candidate.hash,
                   id = candidate.id](const Conduct::Report& told) {
        queue->Post([this, hash, id, told] { on_conduct_(hash, id, told); });
    };
    Conduct& conduct = Conduct::Make(candidate.id, totals_, std::move(report));
    Library library{
        std::move(*code), std::move(*introduction), std::move(host), false, 0, &conduct, {}};
    return &libraries_.emplace(candidate.hash, std::move(library)).first->second;
}

Checked<GenerationPtr> LibraryShelf::Activate(const Candidate& candidate) {
    auto opened = Open(candidate);
    if (!opened) return tl::unexpected(std::move(opened.error()));
    Library& library = **opened;
    if (GenerationPtr live = library.live.lock()) return live;
    // Let go a moment ago, its deinit still in the queue: init must not nest.
    if (library.initialised) Deinit(library);

    const aim_entry& entry = *library.introduction.entry;
    if (auto refusal = InitPlugin(entry, *library.host->table()))
        return tl::unexpected(std::move(*refusal));
    library.initialised = true;
    library.number = ++last_number_;
    auto interfaces = ReadInterfaces(entry);
    if (!interfaces) {
        Deinit(library);
        return tl::unexpected(std::move(interfaces.error()));
    }
    Generation::Facts facts;
    facts.number = library.number;
    facts.path = candidate.source;
    facts.hash = candidate.hash;
    facts.descriptor = library.introduction.descriptor;
    facts.abi_major = entry.abi_major;
    facts.abi_minor = entry.abi_minor;
    facts.entry = &entry;
    facts.interfaces = *interfaces;
    facts.host = library.host;
    facts.conduct = library.conduct;
    // The queue may be closed by then; the process is ending in that case and deinit is left out.
    auto release = [this, queue = queue_, hash = candidate.hash,
                    number = library.number](const Generation* generation) {
        queue->Post([this, hash, number] { OnReleased(hash, number); });
        delete generation;
    };
    GenerationPtr generation(std::make_unique<const Generation>(std::move(facts)).release(),
                             std::move(release));
    library.live = generation;
    const std::lock_guard lock(live_mutex_);
    std::erase_if(live_, [](const auto& old) { return old.expired(); });
    live_.push_back(generation);
    return generation;
}

void LibraryShelf::Pardon(const security::Sha256Digest& hash) {
    const auto found = libraries_.find(hash);
    if (found != libraries_.end()) found->second.conduct->Pardon();
}

std::vector<GenerationPtr> LibraryShelf::Live() const {
    std::vector<GenerationPtr> live;
    const std::lock_guard lock(live_mutex_);
    for (const auto& weak : live_) {
        if (GenerationPtr generation = weak.lock()) live.push_back(std::move(generation));
    }
    return live;
}

void LibraryShelf::OnReleased(const security::Sha256Digest& hash, std::uint64_t number) {
    const auto found = libraries_.find(hash);
    if (found == libraries_.end() || !found->second.initialised || found->second.number != number)
        return;
    Deinit(found->second);
}

void LibraryShelf::Deinit(Library& library) {
    DeinitPlugin(*library.introduction.entry);
    library.initialised = false;
    log_.Info("plugin_retired", "A generation is retired; its code stays mapped",
              {{"plugin", library.introduction.descriptor.id}, {"generation", library.number}});
}

}  // namespace aim::plugin
