#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/gateway/gateway_test_base.hpp"

namespace aim::cli {

using Arguments = std::vector<std::string>;
using gateway::Environment;

// One run of aimanager with its three streams apart. What it has written is read at any time.
class CliProcess {
  public:
    // `terminal`: the path of a terminal that takes the place of the standard output.
    CliProcess(const Arguments& arguments, const Environment& environment,
               const std::string& input = {}, const std::string& terminal = {});

    std::string out() const;
    std::string err() const;
    bool WaitForOut(const std::string& text);
    void Interrupt() const { process_->Signal(2); }
    // Its exit status; -1 when it does not end in time.
    int Wait();

  private:
    gateway::TemporaryFolder folder_;
    std::unique_ptr<test::ProcessFixture> process_;
};

struct Outcome {
    int exit_code = -1;
    std::string out;
    std::string err;
};

// An address of this machine where nobody listens, and nobody will as long as the object lives.
class SilentPort {
  public:
    SilentPort();
    ~SilentPort();
    SilentPort(const SilentPort&) = delete;
    SilentPort& operator=(const SilentPort&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  private:
    int socket_;
    std::uint16_t port_ = 0;
};

// A pseudo terminal of 24 rows.
class PseudoTerminal {
  public:
    explicit PseudoTerminal(unsigned short columns);
    ~PseudoTerminal();
    PseudoTerminal(const PseudoTerminal&) = delete;
    PseudoTerminal& operator=(const PseudoTerminal&) = delete;

    const std::string& path() const { return path_; }
    // What was written to it so far, line ends as "\n".
    std::string Read();

  private:
    int master_ = -1;
    int slave_ = -1;
    std::string path_;
};

// The gateway's stack and an operator beside it, whose key is in the state folder as tools/run.sh
// leaves it.
class CliTest : public gateway::GatewayTest {
  protected:
    void SetUp() override;

    // URLs of the stack and the folder of the key; `more` is added, an empty value removes.
    Environment Surroundings(const Environment& more = {}) const;
    Outcome Aimanager(const Arguments& arguments, const Environment& more = {},
                      const std::string& input = {});
    // Of a run with --json: its output, which must be one object or array.
    json::Document AimanagerJson(const Arguments& arguments, int exit_code = 0);

    // No key is ever in what the program prints.
    static void ExpectNoSecret(const std::string& text);

    const gateway::TemporaryFolder& folder() const { return folder_; }

  private:
    gateway::TemporaryFolder folder_;
};

bool Has(const std::string& text, const std::string& part);

}  // namespace aim::cli
