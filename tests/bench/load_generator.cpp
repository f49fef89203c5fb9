// bench_load: a closed loop of requests over keep-alive connections, or many streams at once, from
// one thread.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load_options.hpp"
#include "tests/bench/response_reader.hpp"

namespace aim::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// A stream run is over after this time whatever happens.
constexpr std::chrono::seconds kStreamLimit{120};

struct Client {
    int socket = -1;
    std::size_t sent = 0;
    bool finished = false;
    ResponseReader reader;
    Clock::time_point asked_at;

    // Streams only.
    std::string events;
    std::size_t deltas = 0;
    bool terminated = false;
    bool failed = false;
    Clock::time_point last_delta;
    microseconds longest_gap{0};
    microseconds first_delta{0};
};

// Whether the event carries text that is not empty.
bool IsDelta(std::string_view event) {
    constexpr std::string_view kContent = "\"content\":\"";
    const std::size_t at = event.find(kContent);
    return at != std::string_view::npos && at + kContent.size() < event.size() &&
           event[at + kContent.size()] != '"';
}

std::int64_t Percentile(const std::vector<std::uint32_t>& sorted, double part) {
    if (sorted.empty()) return 0;
    const auto position = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
    return sorted[std::min(position, sorted.size() - 1)];
}

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

class LoadGenerator {
  public:
    explicit LoadGenerator(LoadOptions options)
        : options_(std::move(options)),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)),
          clients_(options_.connections) {}
    ~LoadGenerator() {
        for (Client& client : clients_) Disconnect(client);
        ::close(epoll_);
    }
    LoadGenerator(const LoadGenerator&) = delete;
    LoadGenerator& operator=(const LoadGenerator&) = delete;

    void Run() {
        start_ = Clock::now();
        const Clock::time_point end = EndTime();
        for (Client& client : clients_) Begin(client);
        std::array<epoll_event, 512> events{};
        while (running_ > 0) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0) break;
            const int count =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                             static_cast<int>(std::min<std::int64_t>(left.count(), 1000)));
            for (int i = 0; i < count; ++i)
                OnReady(clients_[events[static_cast<std::size_t>(i)].data.u64]);
        }
        elapsed_ = Clock::now() - start_;
    }

    bool Print() { return options_.stream ? PrintStreams() : PrintRequests(); }

  private:
    Clock::time_point EndTime() const {
        if (options_.stream) return start_ + kStreamLimit;
        if (options_.duration.count() == 0) return start_ + std::chrono::hours(24);
        return start_ + options_.warm_up + options_.duration;
    }

    bool Connect(Client& client) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(options_.port);
        if (::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) return false;
        client.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (client.socket < 0) return false;
        const int on = 1;
        ::setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (::connect(client.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            Disconnect(client);
            return false;
        }
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = static_cast<std::uint64_t>(&client - clients_.data());
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket, &event);
        return true;
    }

    static void Disconnect(Client& client) {
        if (client.socket >= 0) ::close(client.socket);
        client.socket = -1;
    }

    void Begin(Client& client) {
        if (!Connect(client)) {
            ++errors_;
            client.failed = true;
            client.finished = true;
            return;
        }
        ++running_;
        Ask(client);
    }

    void Stop(Client& client) {
        if (client.finished) return;
        client.finished = true;
        Disconnect(client);
        --running_;
    }

    // Connections are blocking for writes: a request is small and the server has nothing else to
    // read.
    void Ask(Client& client) {
        client.reader.Restart();
        client.asked_at = Clock::now();
        const std::string_view text = options_.request;
        for (std::size_t sent = 0; sent < text.size();) {
            const ssize_t size =
                ::send(client.socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) {
                Broken(client);
                return;
            }
            sent += static_cast<std::size_t>(size);
        }
    }

    // A lost connection is an error and is opened anew, so that one fault does not lower the load.
    void Broken(Client& client) {
        ++errors_;
        client.failed = true;
        if (options_.stream || ++reconnects_ > kMaxReconnects) {
            Stop(client);
            return;
        }
        Disconnect(client);
        --running_;
        Begin(client);
    }

    void OnReady(Client& client) {
        if (client.finished) return;
        const ssize_t size = ::recv(client.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (size <= 0) {
            client.reader.End();
        } else {
            const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
            client.reader.Feed(bytes, options_.stream ? &client.events : nullptr);
        }
        if (options_.stream) CountEvents(client);
        if (client.reader.state() == ResponseReader::State::kBroken) {
            Broken(client);
        } else if (client.reader.state() == ResponseReader::State::kDone) {
            Finish(client);
        }
    }

    void CountEvents(Client& client) {
        const Clock::time_point now = Clock::now();
        std::size_t at = 0;
        for (std::size_t end = 0; (end = client.events.find("\n\n", at)) != std::string::npos;
             at = end + 2) {
            const std::string_view event = std::string_view(client.events).substr(at, end - at);
            if (event.starts_with("data: [DONE]")) client.terminated = true;
            if (!IsDelta(event)) continue;
            if (client.deltas++ == 0) {
                client.first_delta =
                    std::chrono::duration_cast<microseconds>(now - client.asked_at);
            } else {
                client.longest_gap =
                    std::max(client.longest_gap,
                             std::chrono::duration_cast<microseconds>(now - client.last_delta));
            }
            client.last_delta = now;
        }
        client.events.erase(0, at);
    }

    void Finish(Client& client) {
        const Clock::time_point now = Clock::now();
        const bool good = client.reader.status() == 200;
        if (!good) {
            ++errors_;
            client.failed = true;
        }
        if (options_.stream) {
            Stop(client);
            return;
        }
        ++answers_;
        if (good && now - start_ >= options_.warm_up) {
            latencies_.push_back(static_cast<std::uint32_t>(
                std::chrono::duration_cast<microseconds>(now - client.asked_at).count()));
        }
        if (options_.max_requests > 0 && answers_ + running_ > options_.max_requests) {
            Stop(client);
        } else if (client.reader.keep_alive() && client.socket >= 0) {
            Ask(client);
        } else {
            Disconnect(client);
            --running_;
            Begin(client);
        }
    }

    bool PrintRequests() {
        std::sort(latencies_.begin(), latencies_.end());
        const double seconds =
            Seconds(elapsed_) - std::chrono::duration<double>(options_.warm_up).count();
        double sum = 0;
        for (const std::uint32_t latency : latencies_) sum += latency;
        const double count = latencies_.empty() ? 1.0 : static_cast<double>(latencies_.size());
        std::printf(
            "{\"requests\":%zu,\"all_requests\":%llu,\"errors\":%llu,\"seconds\":%.3f,\"requests_"
            "per_second\":%.1f,"
            "\"mean_us\":%.1f,\"p50_us\":%lld,\"p90_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld}\n",
            latencies_.size(), static_cast<unsigned long long>(answers_),
            static_cast<unsigned long long>(errors_), seconds,
            static_cast<double>(latencies_.size()) / seconds, sum / count,
            static_cast<long long>(Percentile(latencies_, 0.5)),
            static_cast<long long>(Percentile(latencies_, 0.9)),
            static_cast<long long>(Percentile(latencies_, 0.99)),
            static_cast<long long>(Percentile(latencies_, 1.0)));
        return errors_ == 0 && !latencies_.empty();
    }

    bool PrintStreams() {
        std::size_t lost = 0;
        std::size_t incomplete = 0;
        std::size_t stalled = 0;
        std::size_t deltas = 0;
        microseconds longest{0};
        std::vector<std::uint32_t> first;
        for (const Client& client : clients_) {
            deltas += client.deltas;
            longest = std::max(longest, client.longest_gap);
            stalled += client.longest_gap > options_.stall_limit ? 1 : 0;
            if (client.deltas == 0) {
                ++lost;
            } else if (!client.terminated || client.deltas != options_.expected_deltas ||
                       client.failed) {
                ++incomplete;
            }
            if (client.deltas > 0)
                first.push_back(static_cast<std::uint32_t>(client.first_delta.count()));
        }
        std::sort(first.begin(), first.end());
        const std::size_t complete = clients_.size() - lost - incomplete;
        std::printf(
            "{\"streams\":%zu,\"complete\":%zu,\"lost\":%zu,\"incomplete\":%zu,\"stalled\":%zu,"
            "\"deltas\":%zu,"
            "\"longest_stall_ms\":%.1f,\"first_delta_p50_ms\":%.1f,\"first_delta_p99_ms\":%.1f,"
            "\"seconds\":%.3f}\n",
            clients_.size(), complete, lost, incomplete, stalled, deltas,
            static_cast<double>(longest.count()) / 1000,
            static_cast<double>(Percentile(first, 0.5)) / 1000,
            static_cast<double>(Percentile(first, 0.99)) / 1000, Seconds(elapsed_));
        return complete == clients_.size();
    }

    static constexpr std::uint64_t kMaxReconnects = 10'000;

    const LoadOptions options_;
    int epoll_;
    std::vector<Client> clients_;
    std::array<char, 65536> buffer_{};
    std::vector<std::uint32_t> latencies_;
    std::uint64_t answers_ = 0;
    std::uint64_t errors_ = 0;
    std::uint64_t reconnects_ = 0;
    std::size_t running_ = 0;
    Clock::time_point start_;
    Clock::duration elapsed_{};
};

void RaiseFileLimit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace aim::bench

// Exit 0: every answer was good; 1: something failed, the line of JSON says what; 2: wrong
// arguments.
int main(int argc, char** argv) {
    const auto options = aim::bench::ReadLoadOptions(argc, argv);
    if (!options) {
        std::fputs(aim::bench::kLoadUsage, stderr);
        return 2;
    }
    aim::bench::RaiseFileLimit();
    aim::bench::LoadGenerator generator(*options);
    generator.Run();
    return generator.Print() ? 0 : 1;
}
