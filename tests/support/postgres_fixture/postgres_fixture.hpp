#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <sys/types.h>

namespace aim::test {

// One private PostgreSQL for a test executable: own files in a temporary folder, a unix socket, no
// TCP port, no waiting for the disk. As root it runs as the user postgres, since PostgreSQL refuses
// root. Stopped and deleted when the object goes; the server also ends when the test's process
// dies. One thread.
class PostgresFixture {
  public:
    PostgresFixture();  // throws std::runtime_error when there is no PostgreSQL
    ~PostgresFixture();
    PostgresFixture(const PostgresFixture&) = delete;
    PostgresFixture& operator=(const PostgresFixture&) = delete;

    // The executable's own server, started by the first call and ended with the process.
    static PostgresFixture& Shared();

    // A new empty database; returns its URL.
    std::string NewDatabase();
    // A new copy of the database that `prepare` has filled, which is called once with the URL.
    std::string NewDatabase(const std::function<void(const std::string& url)>& prepare);

    // Runs SQL as the superuser and returns what psql prints: rows as lines, columns separated by
    // '|'. Throws when it fails.
    std::string Query(const std::string& url, const std::string& sql) const;

    // Regular end (immediate: as after a crash of all its processes), and the start after it.
    void Stop();
    void Start();
    // SIGSTOP and SIGCONT for the server and every process of it: alive, but silent.
    void Freeze();
    void Thaw();
    // kill -9 for the server and every process of it.
    void KillHard();

  private:
    std::string Url(const std::string& database) const;
    void SignalAll(int number) const;
    bool WaitReady(std::chrono::milliseconds time) const;

    std::string folder_;
    std::string template_;
    pid_t server_ = -1;
    int databases_ = 0;
};

}  // namespace aim::test
