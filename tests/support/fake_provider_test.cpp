// The fake provider is a judge of the gateway, so it is judged first: frames are valid, faults do
// what they say.
#include "tests/support/fake_provider/fake_provider.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <rapidjson/document.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/fake_provider/stored_gzip.hpp"
#include "tests/support/tls_authority.hpp"

namespace aim::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr milliseconds kPatience{10'000};

enum class Ending { kClosed, kReset, kTimedOut };

// A blocking client that knows nothing of the server's code; its reads have deadlines.
class TestClient {
  public:
    TestClient(std::uint16_t port, const std::string& trusted_pem,
               const std::string& name = "localhost") {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        if (connected_ && !trusted_pem.empty()) connected_ = StartTls(trusted_pem, name);
    }
    ~TestClient() { Close(); }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    bool connected() const { return connected_; }
    const std::string& received() const { return received_; }

    void Close() {
        ssl_.reset();
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

    void Send(const std::string& text) {
        const auto size = static_cast<int>(text.size());
        if (ssl_) {
            ASSERT_EQ(SSL_write(ssl_.get(), text.data(), size), size);
        } else {
            ASSERT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), size);
        }
    }
    void Post(const std::string& body, const std::string& headers = "") {
        Send("POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + headers +
             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    // One read; nothing when the stream ended.
    std::optional<std::size_t> ReadSome(milliseconds limit = kPatience) {
        pollfd ready{socket_, POLLIN, 0};
        if (!(ssl_ && SSL_pending(ssl_.get()) > 0) &&
            ::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) {
            ending_ = Ending::kTimedOut;
            return std::nullopt;
        }
        char buffer[16384];
        const ssize_t size = ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer)
                                  : ::recv(socket_, buffer, sizeof buffer, 0);
        if (ssl_ && size < 0 &&
            SSL_get_error(ssl_.get(), static_cast<int>(size)) == SSL_ERROR_WANT_READ)
            return 0;  // a session ticket, no data
        if (size <= 0) {
            ending_ = size < 0 && errno == ECONNRESET ? Ending::kReset : Ending::kClosed;
            return std::nullopt;
        }
        received_.append(buffer, static_cast<std::size_t>(size));
        return static_cast<std::size_t>(size);
    }
    bool ReadUntil(const std::string& mark) {
        while (received_.find(mark) == std::string::npos)
            if (!ReadSome()) return false;
        return true;
    }
    Ending ReadToEnd(milliseconds limit = kPatience) {
        while (ReadSome(limit)) {
        }
        return ending_;
    }
    // Takes one whole response with Content-Length from what was received.
    std::string TakeResponse() {
        if (!ReadUntil("\r\n\r\n")) return "";
        const std::size_t head = received_.find("\r\n\r\n") + 4;
        const std::size_t field = received_.find("content-length: ");
        if (field > head) return "";
        const std::size_t size = head + std::stoul(received_.substr(field + 16));
        while (received_.size() < size)
            if (!ReadSome()) return "";
        std::string response = received_.substr(0, size);
        received_.erase(0, size);
        return response;
    }

  private:
    struct Deleter {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };

    bool StartTls(const std::string& trusted_pem, const std::string& name) {
        context_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_clear_mode(context_.get(), SSL_MODE_AUTO_RETRY);
        BIO* bio = BIO_new_mem_buf(trusted_pem.data(), static_cast<int>(trusted_pem.size()));
        X509* authority = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority);
        X509_free(authority);
        BIO_free(bio);
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
        SSL_set1_host(ssl_.get(), name.c_str());
        SSL_set_fd(ssl_.get(), socket_);
        return SSL_connect(ssl_.get()) == 1;
    }

    int socket_ = -1;
    bool connected_ = false;
    std::unique_ptr<SSL_CTX, Deleter> context_;
    std::unique_ptr<SSL, Deleter> ssl_;
    std::string received_;
    Ending ending_ = Ending::kClosed;
};

std::string ChatBody(const std::string& model, bool stream = false,
                     const std::string& text = "hello") {
    return R"({"model":")" + model + R"(","stream":)" + (stream ? "true" : "false") +
           R"(,"messages":[{"role":"user","content":")" + text + "\"}]}";
}

std::string BodyOf(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

// Removes the chunked framing; nothing when it is broken or has no end.
std::optional<std::string> Unchunk(const std::string& response) {
    std::string_view rest = std::string_view(response).substr(response.find("\r\n\r\n") + 4);
    std::string body;
    while (true) {
        const std::size_t line = rest.find("\r\n");
        if (line == std::string_view::npos) return std::nullopt;
        const std::size_t size = std::stoul(std::string(rest.substr(0, line)), nullptr, 16);
        rest.remove_prefix(line + 2);
        if (rest.size() < size + 2 || rest.substr(size, 2) != "\r\n") return std::nullopt;
        body += rest.substr(0, size);
        rest.remove_prefix(size + 2);
        if (size == 0) return rest.empty() ? std::optional(body) : std::nullopt;
    }
}

// The data of each event; every event must be a single data line.
std::vector<std::string> Events(const std::string& body, const std::string& line_end = "\n",
                                const std::string& prefix = "data: ") {
    std::vector<std::string> events;
    std::size_t at = 0;
    const std::string separator = line_end + line_end;
    while (at < body.size()) {
        const std::size_t end = body.find(separator, at);
        EXPECT_NE(end, std::string::npos) << "an event without its blank line: " << body.substr(at);
        if (end == std::string::npos) break;
        const std::string line = body.substr(at, end - at);
        EXPECT_EQ(line.find(line_end), std::string::npos);
        EXPECT_THAT(line, StartsWith(prefix));
        events.push_back(line.substr(prefix.size()));
        at = end + separator.size();
    }
    return events;
}

struct Stream {
    std::string text;
    std::string finish_reason;
    std::size_t deltas = 0;
    std::size_t usages = 0;
    bool done = false;
    bool has_error = false;
};

Stream ReadStream(const std::vector<std::string>& events) {
    Stream stream;
    for (const std::string& event : events) {
        if (event == "[DONE]") {
            stream.done = true;
            continue;
        }
        rapidjson::Document chunk;
        chunk.Parse(event.data(), event.size());
        EXPECT_FALSE(chunk.HasParseError()) << event;
        if (chunk.HasParseError()) continue;
        if (chunk.HasMember("error")) {
            stream.has_error = true;
            continue;
        }
        EXPECT_STREQ(chunk["object"].GetString(), "chat.completion.chunk");
        if (chunk.HasMember("usage")) ++stream.usages;
        for (const auto& choice : chunk["choices"].GetArray()) {
            const auto content = choice["delta"].FindMember("content");
            if (content != choice["delta"].MemberEnd() && content->value.IsString() &&
                content->value.GetStringLength() > 0) {
                stream.text += content->value.GetString();
                ++stream.deltas;
            }
            if (choice["finish_reason"].IsString())
                stream.finish_reason = choice["finish_reason"].GetString();
        }
    }
    return stream;
}

// Every server test runs over plain TCP and over TLS.
class FakeProviderTest : public ::testing::TestWithParam<bool> {
  protected:
    FakeProviderTest() {
        ServerOptions options;
        if (GetParam()) {
            const TlsCertificate leaf = authority_.Issue();
            options.certificate_pem = leaf.certificate_pem;
            options.key_pem = leaf.key_pem;
        }
        provider_ = std::make_unique<FakeProvider>(options);
    }
    std::unique_ptr<TestClient> Connect() {
        auto client = std::make_unique<TestClient>(provider_->port(), TrustedPem());
        EXPECT_TRUE(client->connected());
        return client;
    }
    std::string TrustedPem() const { return GetParam() ? authority_.certificate_pem() : ""; }

    // The whole answer to one request whose connection is closed by the server in the end.
    std::string Ask(const std::string& model, bool stream, const std::string& headers = "") {
        const auto client = Connect();
        client->Post(ChatBody(model, stream), "Connection: close\r\n" + headers);
        ending_ = client->ReadToEnd();
        return client->received();
    }
    std::string AskStream(const std::string& model) {
        const auto body = Unchunk(Ask(model, true));
        EXPECT_TRUE(body.has_value()) << "bad chunked framing";
        return body.value_or("");
    }

    const TlsAuthority authority_;
    std::unique_ptr<FakeProvider> provider_;
    Ending ending_ = Ending::kTimedOut;
};

INSTANTIATE_TEST_SUITE_P(Transports, FakeProviderTest, ::testing::Bool(),
                         [](const auto& run) { return run.param ? "Tls" : "Plain"; });

TEST_P(FakeProviderTest, EchoesTheLastUserMessage) {
    const std::string response = Ask("any", false);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(response, HasSubstr("x-ratelimit-reset-requests: 2m59.56s\r\n"));
    rapidjson::Document body;
    body.Parse(BodyOf(response).c_str());
    ASSERT_FALSE(body.HasParseError());
    EXPECT_STREQ(body["choices"][0]["message"]["content"].GetString(), "echo: hello");
    EXPECT_STREQ(body["choices"][0]["finish_reason"].GetString(), "stop");
    EXPECT_STREQ(body["model"].GetString(), "any");
    EXPECT_EQ(
        body["usage"]["total_tokens"].GetInt(),
        body["usage"]["prompt_tokens"].GetInt() + body["usage"]["completion_tokens"].GetInt());
    EXPECT_TRUE(body["x_groq"].HasMember("id"));
}

TEST_P(FakeProviderTest, StreamsValidFrames) {
    const Stream stream = ReadStream(Events(AskStream("any")));
    EXPECT_EQ(stream.text, "echo: hello");
    EXPECT_EQ(stream.finish_reason, "stop");
    EXPECT_EQ(stream.usages, 1u);
    EXPECT_TRUE(stream.done);
}

TEST_P(FakeProviderTest, SendsAsManyDeltasAsAsked) {
    provider_->Script("m", R"({"chunks":64})");
    EXPECT_EQ(ReadStream(Events(AskStream("m"))).deltas, 64u);
}

TEST_P(FakeProviderTest, PlaysTheStepsInOrderAndThenTheDefault) {
    provider_->Script("m", R"([{"status":429,"headers":{"retry-after":"2"}},{"text":"second"}])",
                      false);
    const std::string first = Ask("m", false);
    EXPECT_THAT(first, StartsWith("HTTP/1.1 429 "));
    EXPECT_THAT(first, HasSubstr("\r\nretry-after: 2\r\n"));
    EXPECT_THAT(first, HasSubstr("rate_limit_exceeded"));
    EXPECT_THAT(Ask("m", false), HasSubstr("\"second\""));
    EXPECT_THAT(Ask("m", false), HasSubstr("echo: hello"));
}

TEST_P(FakeProviderTest, RepeatsTheLastStepAndLeavesOtherModelsAlone) {
    provider_->Script("m", R"([{"status":500},{"status":503}])");
    for (const char* expected : {"HTTP/1.1 500 ", "HTTP/1.1 503 ", "HTTP/1.1 503 "})
        EXPECT_THAT(Ask("m", false), StartsWith(expected));
    EXPECT_THAT(Ask("other", false), StartsWith("HTTP/1.1 200 "));
}

TEST_P(FakeProviderTest, IsScriptedByAHeader) {
    EXPECT_THAT(Ask("m", false, "X-Fake-Script: {\"status\":418,\"body\":\"tea\"}\r\n"),
                HasSubstr("HTTP/1.1 418 "));
    EXPECT_THAT(Ask("m", false, "X-Fake-Script: 502-html\r\n"), HasSubstr("<html>"));
    EXPECT_THAT(Ask("m", false, "X-Fake-Script: no such thing\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_P(FakeProviderTest, IsScriptedOverTheControlApi) {
    const auto client = Connect();
    const auto post = [&client](const std::string& path, const std::string& body) {
        client->Send("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
        return client->TakeResponse();
    };
    EXPECT_THAT(
        post("/__control/script", R"({"match":{"model":"m"},"steps":[{"text":"scripted"}]})"),
        StartsWith("HTTP/1.1 200 "));
    client->Post(ChatBody("m"));
    EXPECT_THAT(client->TakeResponse(), HasSubstr("scripted"));
    client->Send("GET /__control/requests HTTP/1.1\r\nHost: x\r\n\r\n");
    rapidjson::Document log;
    log.Parse(BodyOf(client->TakeResponse()).c_str());
    ASSERT_FALSE(log.HasParseError());
    ASSERT_EQ(log["requests"].Size(), 1u);
    EXPECT_STREQ(log["requests"][0]["path"].GetString(), "/openai/v1/chat/completions");
    EXPECT_STREQ(log["requests"][0]["headers"]["host"].GetString(), "localhost");
    EXPECT_TRUE(log["requests"][0]["answered"].GetBool());
    EXPECT_THAT(post("/__control/script", R"({"steps":[{"chunkz":1}]})"), HasSubstr("chunkz"));
    EXPECT_THAT(post("/__control/reset", ""), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(provider_->Requests().empty());
}

TEST_P(FakeProviderTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
    const auto client = Connect();
    std::string both;
    for (const char* text : {"one", "two"}) {
        const std::string body = ChatBody("m", false, text);
        both += "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    client->Send(both);
    EXPECT_THAT(client->TakeResponse(), HasSubstr("echo: one"));
    EXPECT_THAT(client->TakeResponse(), HasSubstr("echo: two"));
    const auto requests = provider_->Requests();
    ASSERT_EQ(requests.size(), 2u);
    EXPECT_EQ(requests[0].connection_id, requests[1].connection_id);
}

TEST_P(FakeProviderTest, ReadsChunkedRequestsByteByByte) {
    const auto client = Connect();
    const std::string body = ChatBody("m");
    char size[16];
    std::snprintf(size, sizeof size, "%zx", body.size());
    const std::string request =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
        std::string(size) + "\r\n" + body + "\r\n0\r\n\r\n";
    for (const char byte : request) client->Send(std::string(1, byte));
    EXPECT_THAT(client->TakeResponse(), HasSubstr("echo: hello"));
}

TEST_P(FakeProviderTest, SendsTheInterimResponseWhenExpected) {
    const auto client = Connect();
    const std::string body = ChatBody("m");
    client->Send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        "Connection: close\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n");
    ASSERT_TRUE(client->ReadUntil("HTTP/1.1 100 Continue\r\n\r\n"));
    client->Send(body);
    client->ReadToEnd();
    EXPECT_THAT(client->received(), HasSubstr("echo: hello"));
}

TEST_P(FakeProviderTest, DelaysHeadFirstByteAndChunks) {
    provider_->Script("m", R"({"text":"a b c","delay_before_head_ms":60,)"
                           R"("delay_before_first_byte_ms":60,"chunk_delay_ms":30})");
    const auto client = Connect();
    const auto start = steady_clock::now();
    client->Post(ChatBody("m", true), "Connection: close\r\n");
    ASSERT_TRUE(client->ReadUntil("\r\n\r\n"));
    EXPECT_GE(steady_clock::now() - start, milliseconds(60));
    EXPECT_THAT(client->received(), Not(HasSubstr("data:")));
    ASSERT_TRUE(client->ReadUntil("data:"));
    EXPECT_GE(steady_clock::now() - start, milliseconds(120));
    EXPECT_EQ(client->ReadToEnd(), Ending::kClosed);
    EXPECT_GE(steady_clock::now() - start, milliseconds(210));
    EXPECT_EQ(ReadStream(Events(*Unchunk(client->received()))).text, "a b c");
}

TEST_P(FakeProviderTest, CutsAfterDeltasWithoutTerminator) {
    const std::string response = Ask("fake/cut", true);
    EXPECT_EQ(ending_, Ending::kClosed);
    EXPECT_FALSE(Unchunk(response).has_value());
    EXPECT_THAT(response, HasSubstr("\"content\":\" b\""));
    EXPECT_THAT(response, Not(HasSubstr("\"content\":\" c\"")));
    EXPECT_THAT(response, Not(HasSubstr("[DONE]")));
}

TEST_P(FakeProviderTest, CutsAfterBytesOfADeclaredLength) {
    provider_->Script("m", R"({"cut_after_bytes":10})");
    const std::string response = Ask("m", false);
    EXPECT_EQ(ending_, Ending::kClosed);
    EXPECT_EQ(BodyOf(response).size(), 10u);
    EXPECT_THAT(response, Not(HasSubstr("content-length: 10\r\n")));
}

TEST_P(FakeProviderTest, ResetsBeforeTheHeadAndInTheMiddle) {
    EXPECT_EQ(Ask("fake/reset", false), "");
    EXPECT_EQ(ending_, Ending::kReset);
    const auto client = Connect();
    client->Post(ChatBody("fake/reset-mid-stream", true));
    EXPECT_EQ(client->ReadToEnd(), Ending::kReset);
}

TEST_P(FakeProviderTest, ClosesBeforeTheHead) {
    EXPECT_EQ(Ask("fake/cut-before-head", true), "");
    EXPECT_EQ(ending_, Ending::kClosed);
}

TEST_P(FakeProviderTest, PutsErrorsIntoAStreamOfStatus200) {
    const auto first = Events(AskStream("fake/error-in-200"));
    ASSERT_EQ(first.size(), 1u);
    EXPECT_TRUE(ReadStream(first).has_error);
    const Stream later = ReadStream(Events(AskStream("fake/error-mid-stream")));
    EXPECT_TRUE(later.has_error);
    EXPECT_EQ(later.deltas, 2u);
    EXPECT_FALSE(later.done);
}

TEST_P(FakeProviderTest, SendsGarbage) {
    const auto events = Events(AskStream("fake/garbage"));
    ASSERT_EQ(events.size(), 1u);
    rapidjson::Document document;
    EXPECT_TRUE(document.Parse(events[0].c_str()).HasParseError());
    EXPECT_TRUE(document.Parse(BodyOf(Ask("fake/garbage", false)).c_str()).HasParseError());
    EXPECT_THAT(Ask("fake/garbage-head", false), Not(StartsWith("HTTP/")));
}

TEST_P(FakeProviderTest, VariesTheFraming) {
    EXPECT_EQ(ReadStream(Events(AskStream("fake/crlf"), "\r\n")).text, "a b c d");
    EXPECT_EQ(ReadStream(Events(AskStream("fake/no-space"), "\n", "data:")).text, "a b c d");
    provider_->Script("cr", R"({"text":"a b","lone_cr":true})");
    EXPECT_EQ(ReadStream(Events(AskStream("cr"), "\r")).text, "a b");
    const std::string commented = AskStream("fake/comments");
    EXPECT_THAT(commented, StartsWith(": keep-alive\n\ndata: "));
    EXPECT_THAT(commented, HasSubstr("\n\n: keep-alive\n\ndata: "));
}

TEST_P(FakeProviderTest, WritesOneByteAtATime) {
    const auto client = Connect();
    client->Post(ChatBody("fake/split", true), "Connection: close\r\n");
    while (const auto size = client->ReadSome()) {
        // A kernel may join what was written to a plain socket; a TLS record stays what it was.
        if (GetParam()) ASSERT_LE(*size, 1u);
    }
    EXPECT_EQ(ReadStream(Events(*Unchunk(client->received()))).text, "Привет, мир — ok 🙂");
}

TEST_P(FakeProviderTest, SpacesItsSmallWrites) {
    provider_->Script("m", R"({"raw_response":"abcdefghijk","split":2,"split_delay_ms":4})");
    const auto start = steady_clock::now();
    EXPECT_EQ(Ask("m", false), "abcdefghijk");
    EXPECT_GE(steady_clock::now() - start, milliseconds(20));  // six writes, five gaps
}

TEST_P(FakeProviderTest, StallsAndNoticesThatTheClientLeft) {
    const auto client = Connect();
    client->Post(ChatBody("fake/stall", true));
    ASSERT_TRUE(client->ReadUntil("\"content\":\" b\""));
    EXPECT_EQ(client->ReadToEnd(milliseconds(50)), Ending::kTimedOut);
    EXPECT_FALSE(provider_->Requests().at(0).client_closed_after_ms.has_value());
    client->Close();
    ASSERT_TRUE(provider_->WaitFor(
        [](const auto& requests) { return requests.at(0).client_closed_after_ms.has_value(); }));
    EXPECT_GE(*provider_->Requests().at(0).client_closed_after_ms, 50);
    EXPECT_FALSE(provider_->Requests().at(0).answered);
}

TEST_P(FakeProviderTest, NeverAnswersAndNoticesThatTheClientLeft) {
    const auto client = Connect();
    client->Post(ChatBody("fake/never-answer"));
    ASSERT_TRUE(provider_->WaitForRequests(1));
    EXPECT_EQ(client->ReadToEnd(milliseconds(50)), Ending::kTimedOut);
    client->Close();
    EXPECT_TRUE(provider_->WaitFor(
        [](const auto& requests) { return requests.at(0).client_closed_after_ms.has_value(); }));
}

TEST_P(FakeProviderTest, CommentsForEver) {
    provider_->Script("m", R"({"endless_comments":true,"chunk_delay_ms":1})");
    const auto client = Connect();
    client->Post(ChatBody("m", true));
    const auto comments = [&client] {
        std::size_t count = 0;
        for (std::size_t at = 0;
             (at = client->received().find(": keep-alive", at)) != std::string::npos; ++at)
            ++count;
        return count;
    };
    while (comments() < 20) ASSERT_TRUE(client->ReadSome());
    EXPECT_THAT(client->received(), Not(HasSubstr("data:")));
}

TEST_P(FakeProviderTest, SendsHugeLines) {
    const Stream stream = ReadStream(Events(AskStream("fake/huge-line")));
    EXPECT_EQ(stream.text.size(), 1'200'000u);
    EXPECT_TRUE(stream.done);
}

TEST_P(FakeProviderTest, PlacesUsageWhereAsked) {
    EXPECT_EQ(ReadStream(Events(AskStream("fake/usage-none"))).usages, 0u);
    const auto events = Events(AskStream("fake/usage-extra"));
    EXPECT_EQ(ReadStream(events).usages, 1u);
    EXPECT_THAT(events.at(events.size() - 2), HasSubstr("\"choices\":[],\"usage\""));
}

TEST_P(FakeProviderTest, SendsRawBytesAndForeignTypes) {
    provider_->Script("raw", R"({"raw":"data: {\n\n","content_type":"text/plain"})");
    const std::string raw = Ask("raw", true);
    EXPECT_EQ(BodyOf(raw), "data: {\n\n");
    EXPECT_THAT(raw, HasSubstr("content-type: text/plain\r\n"));
    provider_->Script("whole", R"({"raw_response_base64":"AAEC/w=="})");
    EXPECT_EQ(Ask("whole", false), std::string("\x00\x01\x02\xff", 4));
    provider_->Script("lie", R"({"body":"12345","content_length":9})");
    const std::string lie = Ask("lie", false);
    EXPECT_THAT(lie, HasSubstr("content-length: 9\r\n"));
    EXPECT_EQ(BodyOf(lie), "12345");
}

TEST_P(FakeProviderTest, SendsToolCallsWholeAndFragmented) {
    const auto whole = Events(AskStream("fake/tool-call"));
    ASSERT_EQ(whole.size(), 4u);
    rapidjson::Document chunk;
    chunk.Parse(whole[1].c_str());
    const auto& call = chunk["choices"][0]["delta"]["tool_calls"][0];
    EXPECT_STREQ(call["function"]["name"].GetString(), "weather");
    EXPECT_STREQ(call["function"]["arguments"].GetString(), R"({"city":"Oslo"})");

    std::string arguments[2];
    for (const std::string& event : Events(AskStream("fake/tool-calls-fragmented"))) {
        if (event == "[DONE]") continue;
        chunk.Parse(event.c_str());
        const auto& delta = chunk["choices"][0]["delta"];
        if (!delta.HasMember("tool_calls")) continue;
        const auto& part = delta["tool_calls"][0];
        arguments[part["index"].GetInt()] += part["function"]["arguments"].GetString();
    }
    EXPECT_EQ(arguments[0], R"({"city":"Oslo"})");
    EXPECT_EQ(arguments[1], R"({"zone":"UTC"})");
    EXPECT_THAT(Ask("fake/tool-call", false), HasSubstr("\"finish_reason\":\"tool_calls\""));
}

TEST_P(FakeProviderTest, AnswersTheBenchmarkWith600Bytes) {
    const std::string response = Ask("bench-anything", false);
    EXPECT_EQ(BodyOf(response).size(), 600u);
    rapidjson::Document body;
    EXPECT_FALSE(body.Parse(BodyOf(response).c_str()).HasParseError());
    EXPECT_EQ(ReadStream(Events(AskStream("bench"))).deltas, 64u);
    provider_->Script("bench", R"({"status":503})");
    EXPECT_THAT(Ask("bench", false), StartsWith("HTTP/1.1 503 "));
}

TEST_P(FakeProviderTest, GivesTheBenchmarksNonceBack) {
    const auto ask = [this](const std::string& prompt, bool stream) {
        const auto client = Connect();
        client->Post(std::string(R"({"model":"bench","stream":)") + (stream ? "true" : "false") +
                         R"(,"messages":[{"role":"user","content":")" + prompt + "\"}]}",
                     stream ? "Connection: close\r\n" : "");
        if (!stream) return client->TakeResponse();
        client->ReadToEnd();
        return Unchunk(client->received()).value_or("");
    };
    for (const bool stream : {false, true}) {
        EXPECT_THAT(ask("nonce [0a1b2c3d] Hello", stream), HasSubstr("[0a1b2c3d]"));
        EXPECT_THAT(ask("nonce [ffffffff] Hello", stream), HasSubstr("[ffffffff]"));
        EXPECT_THAT(ask("nonce [ffffffff] Hello", stream), Not(HasSubstr("0a1b2c3d")));
        EXPECT_THAT(ask("Hello", stream), HasSubstr("[........]"));
    }
    EXPECT_EQ(ReadStream(Events(ask("nonce [89abcdef]", true))).text.substr(0, 20),
              "[89abcdef]token 001 ");
    provider_->Script("bench", R"({"text":"[........]token 001 ","chunks":2})");
    EXPECT_EQ(ReadStream(Events(ask("nonce [76543210]", true))).text, "[76543210]token 001 ");
}

TEST_P(FakeProviderTest, ListsModelsAndRefusesBadRequests) {
    const auto client = Connect();
    const auto get = [&client](const std::string& line, const std::string& body = "") {
        client->Send(line + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
        return client->TakeResponse();
    };
    EXPECT_THAT(get("GET /openai/v1/models"), HasSubstr("llama-3.1-8b-instant"));
    EXPECT_THAT(get("GET /openai/v1/models/openai/gpt-oss-20b"),
                HasSubstr("\"openai/gpt-oss-20b\""));
    EXPECT_THAT(get("GET /openai/v1/models/none"), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(get("GET /nothing"), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(get("GET /v1/chat/completions"), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(get("POST /v1/chat/completions", "{"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(get("POST /v1/chat/completions", R"({"model":"m"})"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(get("POST /v1/chat/completions", std::string(100'000, '[')),
                StartsWith("HTTP/1.1 400 "));
    client->Send("not http at all\r\n\r\n");
    EXPECT_EQ(client->ReadToEnd(), Ending::kClosed);
}

TEST_P(FakeProviderTest, EveryScenarioEndsOrGoesSilent) {
    for (const std::string& name : NamedScenarios()) {
        const auto client = Connect();
        client->Post(ChatBody("fake/" + name, true), "Connection: close\r\n");
        if (name == "endless-comments" || name == "stall" || name == "never-answer") continue;
        EXPECT_NE(client->ReadToEnd(), Ending::kTimedOut) << name;
    }
}

TEST(FakeProviderOptionsTest, ServesFromSeveralThreadsAndChecksTheKey) {
    ServerOptions options;
    options.threads = 2;
    options.required_key = "secret";
    FakeProvider provider(options);
    for (int i = 0; i < 16; ++i) {
        TestClient client(provider.port(), "");
        client.Post(ChatBody("bench"), "Authorization: Bearer secret\r\n");
        EXPECT_THAT(client.TakeResponse(), StartsWith("HTTP/1.1 200 "));
        client.Post(ChatBody("bench"));
        EXPECT_THAT(client.TakeResponse(), StartsWith("HTTP/1.1 401 "));
    }
    EXPECT_EQ(provider.Counters().connections_total, 16u);
}

TEST(FakeProviderOptionsTest, RefusesBadScriptsAndCertificates) {
    FakeProvider provider;
    EXPECT_THROW(provider.Script("m", R"({"statuz":200})"), std::invalid_argument);
    EXPECT_THROW(provider.Script("m", R"({"status":"200"})"), std::invalid_argument);
    EXPECT_THROW(provider.Script("m", "[]"), std::invalid_argument);
    ServerOptions options;
    options.certificate_pem = "no certificate";
    options.key_pem = "no key";
    EXPECT_THROW(FakeProvider{options}, std::runtime_error);
}

TEST(TlsAuthorityTest, MakesGoodExpiredAndForeignCertificates) {
    const TlsAuthority authority;
    const TlsAuthority stranger("Stranger");
    const auto connects = [](const TlsAuthority& issuer, const TlsLeafRequest& request,
                             const TlsAuthority& trusted, const std::string& name) {
        ServerOptions options;
        const TlsCertificate leaf = issuer.Issue(request);
        options.certificate_pem = leaf.certificate_pem;
        options.key_pem = leaf.key_pem;
        const FakeProvider provider(options);
        return TestClient(provider.port(), trusted.certificate_pem(), name).connected();
    };
    TlsLeafRequest named;
    named.names = {"api.example.test"};
    TlsLeafRequest expired;
    expired.valid_from = std::chrono::hours(-48);
    expired.valid_until = std::chrono::hours(-24);
    TlsLeafRequest future;
    future.valid_from = std::chrono::hours(24);
    future.valid_until = std::chrono::hours(48);
    EXPECT_TRUE(connects(authority, {}, authority, "localhost"));
    EXPECT_TRUE(connects(authority, named, authority, "api.example.test"));
    EXPECT_FALSE(connects(authority, named, authority, "localhost"));
    EXPECT_FALSE(connects(authority, expired, authority, "localhost"));
    EXPECT_FALSE(connects(authority, future, authority, "localhost"));
    EXPECT_FALSE(connects(stranger, {}, authority, "localhost"));
}

TEST(AnswerPlanTest, SplitsNoCharacter) {
    ScriptStep step;
    step.text = "Привет 🙂 мир";
    step.chunks = 7;
    ChatRequest request;
    request.stream = true;
    std::size_t deltas = 0;
    for (const StreamChunk& chunk : CompletionChunks(step, request)) {
        rapidjson::Document document;
        EXPECT_FALSE(document.Parse<rapidjson::kParseValidateEncodingFlag>(chunk.json.c_str())
                         .HasParseError());
        deltas += chunk.counts ? 1 : 0;
    }
    EXPECT_EQ(deltas, 7u);
}

TEST(AnswerPlanTest, WritesGzipThatStartsAndEndsAsTheFormatSays) {
    StoredGzip gzip;
    const std::string file = gzip.Begin() + gzip.Add("123456789") + gzip.End();
    EXPECT_THAT(file, StartsWith("\x1f\x8b\x08"));
    // The check value of CRC-32 for these nine digits is cbf43926.
    EXPECT_EQ(file.substr(file.size() - 8), std::string("\x26\x39\xf4\xcb\x09\0\0\0", 8));
}

}  // namespace
}  // namespace aim::testing
