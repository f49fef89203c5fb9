#include "tests/integration/acceptance/process_tree.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

namespace aim::test {
namespace {

namespace fs = std::filesystem;

std::optional<RunningProcess> Look(pid_t pid) {
    const fs::path folder = fs::path("/proc") / std::to_string(pid);
    std::ifstream file(folder / "stat");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = text.rfind(')');  // the name may hold anything
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(text.substr(name_end + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
    // From the third field on: state, parent, …; the start is the 22nd.
    if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
    std::error_code unreadable;
    const fs::path program = fs::read_symlink(folder / "exe", unreadable);
    return RunningProcess{pid, static_cast<pid_t>(std::atoi(fields[1].c_str())), fields[19],
                          program.filename().string()};
}

}  // namespace

std::vector<RunningProcess> ProcessTree(pid_t root) {
    std::vector<RunningProcess> all;
    std::error_code gone;
    for (auto entry = fs::directory_iterator("/proc", gone);
         !gone && entry != fs::directory_iterator(); entry.increment(gone)) {
        const int pid = std::atoi(entry->path().filename().c_str());
        if (pid <= 0) continue;
        if (auto process = Look(pid)) all.push_back(std::move(*process));
    }
    std::vector<RunningProcess> tree;
    const auto own = std::find_if(all.begin(), all.end(),
                                  [&](const RunningProcess& each) { return each.pid == root; });
    if (own != all.end()) tree.push_back(*own);
    for (std::size_t i = 0; i < tree.size(); ++i) {
        const pid_t parent = tree[i].pid;
        std::copy_if(all.begin(), all.end(), std::back_inserter(tree),
                     [&](const RunningProcess& each) { return each.parent == parent; });
    }
    return tree;
}

bool IsRunning(const RunningProcess& process) {
    const auto now = Look(process.pid);
    return now && now->start == process.start;
}

}  // namespace aim::test
