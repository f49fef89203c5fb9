#include "tests/support/postgres_fixture/postgres_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace aim::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// The newest installed server.
std::string BinFolder() {
    std::vector<fs::path> found;
    std::error_code error;
    for (auto entry = fs::directory_iterator("/usr/lib/postgresql", error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (fs::exists(entry->path() / "bin/postgres")) found.push_back(entry->path() / "bin");
    }
    if (found.empty()) throw std::runtime_error("PostgreSQL is not installed");
    return std::max_element(found.begin(), found.end())->string();
}

struct Account {
    bool change = false;  // only root has to
    uid_t user = 0;
    gid_t group = 0;
};

Account ServerAccount() {
    if (::geteuid() != 0) return {};
    const passwd* entry = ::getpwnam("postgres");
    if (entry == nullptr) throw std::runtime_error("there is no user postgres");
    return {true, entry->pw_uid, entry->pw_gid};
}

// Starts a program as the server's user, with output to `output` (a descriptor).
pid_t Spawn(std::vector<std::string> command, int output, bool dies_with_us) {
    const Account account = ServerAccount();
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/bin:/bin";
    char locale[] = "LC_ALL=C.UTF-8";
    char* const environment[] = {path, locale, nullptr};
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    if (account.change && (::setgroups(0, nullptr) != 0 || ::setgid(account.group) != 0 ||
                           ::setuid(account.user) != 0))
        ::_exit(126);
    // After the change of user, which resets it. SIGINT: PostgreSQL ends at once but in order.
    if (dies_with_us) ::prctl(PR_SET_PDEATHSIG, SIGINT);
    if (::getppid() != parent) ::_exit(126);
    ::setsid();
    ::dup2(output, 1);
    ::dup2(output, 2);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::chdir("/") != 0) ::_exit(126);
    ::execve(arguments[0], arguments.data(), environment);
    ::_exit(127);
}

// Runs a program to its end. Returns its exit status and what it printed.
std::pair<int, std::string> RunProgram(const std::vector<std::string>& command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const pid_t child = Spawn(command, ends[1], false);
    ::close(ends[1]);
    std::string output;
    char bytes[8192];
    for (ssize_t size = 0; (size = ::read(ends[0], bytes, sizeof bytes)) > 0;)
        output.append(bytes, static_cast<std::size_t>(size));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, output};
}

}  // namespace

PostgresFixture::PostgresFixture() {
    // Not TMPDIR: the socket's path must be short, and the server's user must get there.
    char name[] = "/tmp/aim-pg-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    const Account account = ServerAccount();
    if (account.change && ::chown(name, account.user, account.group) != 0)
        throw std::runtime_error("cannot give away " + folder_);
    const auto [status, output] =
        RunProgram({BinFolder() + "/initdb", "--pgdata=" + folder_ + "/data", "--username=aim",
                    "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
                    "--locale=C.UTF-8", "--no-sync", "--no-instructions"});
    if (status != 0) throw std::runtime_error("initdb failed: " + output);
    Start();
}

PostgresFixture::~PostgresFixture() {
    if (server_ > 0) {
        SignalAll(SIGCONT);
        ::kill(server_, SIGQUIT);
        ::waitpid(server_, nullptr, 0);
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

PostgresFixture& PostgresFixture::Shared() {
    static PostgresFixture fixture;
    return fixture;
}

std::string PostgresFixture::Url(const std::string& database) const {
    return "postgresql://aim@/" + database + "?host=" + folder_ + "&port=5432";
}

void PostgresFixture::Start() {
    if (server_ > 0) return;
    const int log =
        ::open((folder_ + "/server.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    // Not for the disk, but commits are written before they are said to be: tests end the server
    // hard.
    server_ = Spawn(
        {BinFolder() + "/postgres", "-D", folder_ + "/data", "-c", "listen_addresses=", "-c",
         "unix_socket_directories=" + folder_, "-c", "fsync=off", "-c", "full_page_writes=off",
         "-c", "max_connections=100", "-c", "shared_buffers=32MB", "-c", "autovacuum=off"},
        log, true);
    ::close(log);
    if (!WaitReady(std::chrono::seconds(60)))
        throw std::runtime_error("PostgreSQL did not start in " + folder_);
}

bool PostgresFixture::WaitReady(milliseconds time) const {
    const auto deadline = Clock::now() + time;
    while (RunProgram({BinFolder() + "/psql", "-XAtqc", "SELECT 1", Url("postgres")}).first != 0) {
        if (Clock::now() >= deadline || ::waitpid(server_, nullptr, WNOHANG) == server_)
            return false;
        std::this_thread::sleep_for(milliseconds(20));
    }
    return true;
}

void PostgresFixture::Stop() {
    if (server_ <= 0) return;
    ::kill(server_, SIGQUIT);
    ::waitpid(server_, nullptr, 0);
    server_ = -1;
}

// The server's children are in sessions of their own, so they are found by their parent.
void PostgresFixture::SignalAll(int number) const {
    if (server_ <= 0) return;
    std::vector<pid_t> all{server_};
    std::error_code error;
    for (auto entry = fs::directory_iterator("/proc", error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const pid_t pid = std::atoi(entry->path().filename().c_str());
        if (pid <= 0) continue;
        std::unique_ptr<FILE, int (*)(FILE*)> file(
            std::fopen((entry->path() / "stat").c_str(), "re"), &std::fclose);
        int parent = 0;
        if (file && std::fscanf(file.get(), "%*d (%*[^)]) %*c %d", &parent) == 1 &&
            parent == server_)
            all.push_back(pid);
    }
    for (const pid_t pid : all) ::kill(pid, number);
}

void PostgresFixture::Freeze() { SignalAll(SIGSTOP); }

void PostgresFixture::Thaw() { SignalAll(SIGCONT); }

void PostgresFixture::KillHard() {
    SignalAll(SIGKILL);
    ::waitpid(server_, nullptr, 0);
    server_ = -1;
    // A new server would find the lock of a process number that somebody else may have by now.
    std::error_code ignored;
    fs::remove(folder_ + "/data/postmaster.pid", ignored);
}

std::string PostgresFixture::Query(const std::string& url, const std::string& sql) const {
    auto [status, output] =
        RunProgram({BinFolder() + "/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url});
    if (status != 0) throw std::runtime_error("psql: " + output);
    while (!output.empty() && output.back() == '\n') output.pop_back();
    return output;
}

std::string PostgresFixture::NewDatabase() {
    const std::string name = "test_" + std::to_string(++databases_);
    Query(Url("postgres"), "CREATE DATABASE " + name);
    return Url(name);
}

std::string PostgresFixture::NewDatabase(
    const std::function<void(const std::string& url)>& prepare) {
    if (template_.empty()) {
        Query(Url("postgres"), "CREATE DATABASE prepared");
        prepare(Url("prepared"));
        template_ = "prepared";
    }
    const std::string name = "test_" + std::to_string(++databases_);
    Query(Url("postgres"), "CREATE DATABASE " + name + " TEMPLATE " + template_);
    return Url(name);
}

}  // namespace aim::test
