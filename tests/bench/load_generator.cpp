// bench_load: requests over keep-alive connections, in a closed loop or at a constant rate, or many
// streams at once, from one thread.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/bench/arrivals.hpp"
#include "tests/bench/load_options.hpp"
#include "tests/bench/load_report.hpp"
#include "tests/bench/nonce.hpp"
#include "tests/bench/response_reader.hpp"

namespace aim::bench {
namespace {

using Clock = std::chrono::steady_clock;

// A stream run is over after this time whatever happens.
constexpr std::chrono::seconds kStreamLimit{120};
// An open loop waits so long for the last answers.
constexpr std::chrono::seconds kLastAnswers{5};

struct Client {
    int socket = -1;
    bool asked = false;  // its answer is under way
    bool finished = false;
    bool failed = false;
    ResponseReader reader;
    Clock::time_point asked_at;  // open loop: when it was meant to be
    Nonce nonce{};
    std::string body;
    StreamWatch watch;
};

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

class LoadGenerator {
  public:
    explicit LoadGenerator(LoadOptions options)
        : options_(std::move(options)),
          request_(options_.request,
                   static_cast<std::uint32_t>(Clock::now().time_since_epoch().count())),
          epoll_(::epoll_create1(EPOLL_CLOEXEC)),
          clients_(options_.connections) {
        options_.rules.marked = request_.marked();
    }
    ~LoadGenerator() {
        for (Client& client : clients_) Disconnect(client);
        if (timer_ >= 0) ::close(timer_);
        ::close(epoll_);
    }
    LoadGenerator(const LoadGenerator&) = delete;
    LoadGenerator& operator=(const LoadGenerator&) = delete;

    void Run() {
        start_ = Clock::now();
        for (Client& client : clients_) Begin(client);
        if (open()) StartArrivals();
        const Clock::time_point end = EndTime();
        std::array<epoll_event, 512> events{};
        while (running_ > 0 && !AllAnswered()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0) break;
            const int count =
                ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                             static_cast<int>(std::min<std::int64_t>(left.count(), 1000)));
            for (int i = 0; i < count; ++i) {
                const std::uint64_t which = events[static_cast<std::size_t>(i)].data.u64;
                if (which < clients_.size()) {
                    OnReady(clients_[which]);
                } else {
                    std::uint64_t ticks = 0;
                    static_cast<void>(::read(timer_, &ticks, sizeof ticks));
                }
            }
            if (open()) AskTheDue();
        }
        elapsed_ = Clock::now() - start_;
    }

    // False when something was not good.
    bool Print() {
        bool good = false;
        std::string line;
        if (options_.stream) {
            for (const Client& client : clients_)
                streams_.Add(client.watch, client.failed, options_.rules);
            streams_.seconds = Seconds(elapsed_);
            good = streams_.Good();
            line = streams_.Json();
        } else {
            report_.rate = options_.rate;
            if (open()) CountUnanswered();
            const Clock::duration counted =
                open() ? options_.duration : elapsed_ - options_.warm_up;
            report_.seconds = Seconds(counted);
            good = report_.Good();
            line = report_.Json();
        }
        std::puts(line.c_str());
        return good;
    }

  private:
    bool open() const { return options_.rate > 0; }

    Clock::time_point EndTime() const {
        if (options_.stream) return start_ + kStreamLimit;
        if (options_.duration.count() == 0) return start_ + std::chrono::hours(24);
        const Clock::time_point end = start_ + options_.warm_up + options_.duration;
        return open() ? end + kLastAnswers : end;
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
            ++report_.errors;
            client.failed = true;
            client.finished = true;
            return;
        }
        ++running_;
        if (open()) {
            idle_.push_back(&client);
        } else {
            Ask(client, Clock::now());
        }
    }

    void Stop(Client& client) {
        if (client.finished) return;
        client.finished = true;
        Disconnect(client);
        --running_;
    }

    // Opens the client's connection anew, for its next request.
    void Renew(Client& client) {
        Disconnect(client);
        --running_;
        Begin(client);
    }

    // The timer only wakes the loop; what is due is decided by the clock.
    void StartArrivals() {
        start_ = Clock::now();
        arrivals_ = Arrivals(start_, options_.rate, options_.warm_up + options_.duration);
        timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        const auto gap = static_cast<std::int64_t>(1e9 / options_.rate);
        itimerspec times{};
        times.it_interval.tv_sec = gap / 1'000'000'000;
        times.it_interval.tv_nsec = gap % 1'000'000'000;
        times.it_value = times.it_interval;
        ::timerfd_settime(timer_, 0, &times, nullptr);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = clients_.size();
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
        AskTheDue();
    }

    void AskTheDue() {
        const std::uint64_t due = arrivals_.DueBy(Clock::now());
        while (next_arrival_ < due && !idle_.empty()) {
            Client& client = *idle_.front();
            idle_.pop_front();
            Ask(client, arrivals_.At(next_arrival_++));
        }
        report_.backlog = std::max(report_.backlog, due - next_arrival_);
    }

    bool AllAnswered() const {
        return open() && next_arrival_ == arrivals_.total() && idle_.size() == running_;
    }

    // What has no answer is as slow as the time it was given, so that it does not flatter the rest.
    void CountUnanswered() {
        const Clock::time_point end = start_ + elapsed_;
        const auto add = [&](Clock::time_point meant_at) {
            ++report_.unanswered;
            if (meant_at - start_ >= options_.warm_up) report_.latencies.Add(end - meant_at);
        };
        for (const Client& client : clients_)
            if (client.asked) add(client.asked_at);
        for (; next_arrival_ < arrivals_.total(); ++next_arrival_) add(arrivals_.At(next_arrival_));
    }

    // Connections are blocking for writes: a request is small and the server has nothing else to
    // read.
    void Ask(Client& client, Clock::time_point asked_at) {
        client.reader.Restart();
        client.body.clear();
        client.nonce = request_.Renew();
        client.asked = true;
        client.asked_at = asked_at;
        if (options_.stream) client.watch.Begin(asked_at, client.nonce);
        const std::string_view text = request_.text();
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
        ++report_.errors;
        client.asked = false;
        client.failed = true;
        if (options_.stream || ++reconnects_ > kMaxReconnects) {
            Stop(client);
        } else {
            Renew(client);
        }
    }

    void OnReady(Client& client) {
        if (client.finished) return;
        const ssize_t size = ::recv(client.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (!client.asked) {  // closed, or spoke, without being asked
            const auto place = std::find(idle_.begin(), idle_.end(), &client);
            if (place == idle_.end()) return;
            idle_.erase(place);
            if (size > 0) ++report_.errors;
            Renew(client);
            return;
        }
        if (size <= 0) {
            client.reader.End();
        } else {
            const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
            client.reader.Feed(bytes, options_.stream ? client.watch.buffer() : &client.body);
        }
        if (options_.stream) client.watch.Look(Clock::now(), options_.rules, &streams_.lateness);
        if (client.reader.state() == ResponseReader::State::kBroken) {
            Broken(client);
        } else if (client.reader.state() == ResponseReader::State::kDone) {
            Finish(client);
        }
    }

    void Finish(Client& client) {
        client.asked = false;
        if (options_.stream) {
            client.failed = client.failed || client.reader.status() != 200;
            Stop(client);
            return;
        }
        CountAnswer(client);
        if (open()) {
            if (client.reader.keep_alive()) {
                idle_.push_back(&client);
            } else {
                Renew(client);
            }
        } else if (options_.max_requests > 0 &&
                   report_.answers + running_ > options_.max_requests) {
            Stop(client);
        } else if (client.reader.keep_alive()) {
            Ask(client, Clock::now());
        } else {
            Renew(client);
        }
    }

    void CountAnswer(Client& client) {
        ++report_.answers;
        const bool whole = client.reader.status() == 200;
        const bool right = !request_.marked() || Holds(client.body, client.nonce);
        if (whole && !right) ++report_.wrong_nonces;
        if (!whole || !right) {
            ++report_.errors;
            return;
        }
        const Clock::time_point now = Clock::now();
        // An open loop's share of the warm-up is told by the schedule, not by the server.
        const Clock::time_point counted = open() ? client.asked_at : now;
        if (counted - start_ >= options_.warm_up) report_.latencies.Add(now - client.asked_at);
    }

    static constexpr std::uint64_t kMaxReconnects = 10'000;

    LoadOptions options_;
    MarkedRequest request_;
    int epoll_;
    int timer_ = -1;
    std::vector<Client> clients_;
    std::deque<Client*> idle_;  // open loop: connected and not asked
    Arrivals arrivals_;
    std::uint64_t next_arrival_ = 0;
    std::array<char, 65536> buffer_{};
    RequestReport report_;
    StreamReport streams_;
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
