#include "plugins/mock/embeddings.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "aim/sdk/json.hpp"
#include "plugins/mock/plan.hpp"
#include "plugins/mock/words.hpp"

namespace aim::mock {
namespace {

constexpr std::uint64_t kFnvBasis = 0xCBF29CE484222325ULL;
constexpr std::uint64_t kFnvPrime = 0x100000001B3ULL;

// Each word adds to a few places that its hash names, up or down.
void AddWord(std::uint64_t hash, std::vector<float>& vector) {
    constexpr int kPlaces = 4;
    for (int i = 0; i < kPlaces; ++i) {
        hash = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9ULL;
        hash ^= hash >> 32;
        vector[static_cast<std::size_t>(hash % vector.size())] +=
            (hash >> 60 & 1) != 0 ? 1.0F : -1.0F;
    }
}

// The inputs of a request whose texts the host does not have: token ids as they stand in the JSON.
std::vector<std::string> ReadTokenInputs(const sdk::EmbeddingsRequest& request) {
    std::vector<std::string> inputs;
    sdk::JsonDocument document;
    if (!document.Parse(request.Json())) {
        return inputs;
    }
    const auto words = [](sdk::JsonValue list) {
        std::string text;
        for (const sdk::JsonValue id : list) {
            text.append(id.Raw()).push_back(' ');
        }
        return text;
    };
    const sdk::JsonValue input = document.Root()["input"];
    const bool nested = input.IsArray() && !input.Empty() && (*input.begin()).IsArray();
    if (!nested) {
        inputs.push_back(words(input));
        return inputs;
    }
    for (const sdk::JsonValue list : input) {
        inputs.push_back(words(list));
    }
    return inputs;
}

// Latency, then all vectors at once or the planned failure.
class EmbeddingsSession final : public sdk::Session {
  public:
    EmbeddingsSession(const Settings& settings, std::vector<std::string> inputs,
                      std::uint32_t dimensions, std::uint64_t seed)
        : error_kind_(settings.error_kind), inputs_(std::move(inputs)), dimensions_(dimensions) {
        Draws draws(seed);
        fails_ = draws.Unit() < settings.error_rate;
        const double jitter = draws.Unit() * (static_cast<double>(settings.jitter_ms) + 1);
        remaining_ms_ = settings.latency_ms + static_cast<std::uint64_t>(jitter);
    }

    sdk::Step Begin(const sdk::Call& call) override { return Go(call); }
    sdk::Step Wake(const sdk::Call& call) override { return Go(call); }

    // The host never gets as far: the session asks for no request.
    bool Next(const sdk::Call& call, sdk::HttpRequest&) override {
        Unasked(call);
        return false;
    }
    sdk::Step Head(const sdk::Call& call, const sdk::HttpHead&) override { return Unasked(call); }
    sdk::Step Data(const sdk::Call& call, const sdk::HttpData&) override { return Unasked(call); }
    sdk::Step End(const sdk::Call& call, sdk::Ending) override { return Unasked(call); }

  private:
    static sdk::Step Unasked(const sdk::Call& call) {
        return call.Fail({sdk::ErrorKind::kInternal, "the mock sends no requests", {}, {}});
    }

    sdk::Step Go(const sdk::Call& call) {
        if (remaining_ms_ > 0) {
            const std::uint64_t piece = std::min(remaining_ms_, kLongestWaitMs);
            remaining_ms_ -= piece;
            return call.WaitFor(piece);
        }
        if (fails_) {
            return call.Fail({error_kind_,
                              "the mock was told to fail (error_rate)",
                              "mock_error",
                              {},
                              StatusOf(error_kind_)});
        }
        sdk::Usage usage;
        usage.prompt_tokens = 0;
        std::uint32_t index = 0;
        for (const std::string& input : inputs_) {
            const std::vector<float> vector = MakeVector(input, dimensions_);
            if (!sdk::EmitEmbedding(call.out, index++, vector.data(), vector.size())) {
                return call.Fail(
                    {sdk::ErrorKind::kUnsupported, "the host takes no vectors", {}, {}});
            }
            usage.prompt_tokens += CountWords(input);
        }
        usage.total_tokens = usage.prompt_tokens;
        call.out.Usage(usage);
        return sdk::Step::kDone;
    }

    sdk::ErrorKind error_kind_;
    std::vector<std::string> inputs_;
    std::uint32_t dimensions_;
    bool fails_ = false;
    std::uint64_t remaining_ms_ = 0;
};

}  // namespace

std::vector<float> MakeVector(std::string_view text, std::uint32_t dimensions) {
    std::vector<float> vector(std::max<std::uint32_t>(dimensions, 1));
    std::uint64_t hash = kFnvBasis;
    bool inside = false;
    for (const char c : text) {
        if (IsSpace(c)) {
            if (inside) AddWord(hash, vector);
            inside = false;
            hash = kFnvBasis;
            continue;
        }
        inside = true;
        hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
    }
    if (inside) AddWord(hash, vector);
    double square = 0;
    for (const float value : vector) {
        square += static_cast<double>(value) * static_cast<double>(value);
    }
    if (square <= 0) {  // no words, or words that cancel each other out
        vector.front() = 1;
        return vector;
    }
    const double length = std::sqrt(square);
    for (float& value : vector) {
        value = static_cast<float>(static_cast<double>(value) / length);
    }
    return vector;
}

std::unique_ptr<EmbeddingsProvider> EmbeddingsProvider::Create(const sdk::Call& call,
                                                               const sdk::Config& config) {
    std::optional<Settings> settings = ParseSettings(call, config.RowSettings());
    return settings ? std::make_unique<EmbeddingsProvider>(*std::move(settings)) : nullptr;
}

std::unique_ptr<sdk::Session> EmbeddingsProvider::Start(const sdk::Call& call,
                                                        const sdk::EmbeddingsRequest& request,
                                                        std::uint64_t seed) const {
    constexpr std::int64_t kMost = 65'536;
    const std::int64_t dimensions = request.Dimensions().value_or(kDefaultDimensions);
    if (dimensions < 1 || dimensions > kMost) {
        call.Fail({sdk::ErrorKind::kUnsupported, "the mock has 1 to 65536 dimensions",
                   "unsupported", "dimensions"});
        return nullptr;
    }
    std::vector<std::string> inputs;
    if (request.HasTokens()) {
        inputs = ReadTokenInputs(request);
    } else {
        for (std::uint32_t i = 0; i < request.InputCount(); ++i) {
            inputs.emplace_back(request.Input(i).value_or(""));
        }
    }
    std::uint64_t draws = seed;
    if (settings_.seed) {
        draws = *settings_.seed * 0x9E3779B97F4A7C15ULL;
        for (const std::string& input : inputs) {
            for (const char c : input) draws = (draws ^ static_cast<unsigned char>(c)) * kFnvPrime;
        }
    }
    return std::make_unique<EmbeddingsSession>(settings_, std::move(inputs),
                                               static_cast<std::uint32_t>(dimensions), draws);
}

}  // namespace aim::mock
