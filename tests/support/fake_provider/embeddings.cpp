#include "tests/support/fake_provider/embeddings.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

#include <rapidjson/document.h>

namespace aim::testing {
namespace {

using Vector = std::vector<float>;

Vector VectorOf(std::size_t length, std::size_t dimensions) {
    Vector vector(dimensions, 1.0F);
    vector.front() = static_cast<float>(length);
    return vector;
}

std::string Numbers(const Vector& vector) {
    std::string text;
    for (const float value : vector)
        text += (text.empty() ? "[" : ",") + std::to_string(static_cast<int>(value));
    return text + "]";
}

std::string Base64(const Vector& vector) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes(vector.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), vector.data(), bytes.size());  // this machine is little-endian, too
    std::string text = "\"";
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto byte =
                at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U;
            group = group << 8 | byte;
        }
        for (std::size_t i = 0; i < 4; ++i)
            text += at + i > bytes.size() ? '=' : kAlphabet[group >> (18 - 6 * i) & 63];
    }
    return text + "\"";
}

std::string OpenAiBody(const rapidjson::Document& request, const std::string& model) {
    const auto& input = request["input"];
    std::vector<std::size_t> lengths;
    if (input.IsString()) {
        lengths.push_back(input.GetStringLength());
    } else if (input.IsArray() && !input.Empty() && input[0].IsNumber()) {
        lengths.push_back(input.Size());
    } else if (input.IsArray()) {
        for (const auto& item : input.GetArray())
            lengths.push_back(item.IsString() ? item.GetStringLength() : item.Size());
    }
    std::size_t dimensions = 3;
    for (const char* name : {"dimensions", "output_dimension"})
        if (request.HasMember(name)) dimensions = request[name].GetUint();
    const bool base64 = request.HasMember("encoding_format") &&
                        std::string_view(request["encoding_format"].GetString()) == "base64";
    std::string data;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const Vector vector = VectorOf(lengths[i], dimensions);
        data += std::string(i == 0 ? "" : ",") + R"({"object":"embedding","index":)" +
                std::to_string(i) + R"(,"embedding":)" +
                (base64 ? Base64(vector) : Numbers(vector)) + "}";
    }
    const std::string tokens = std::to_string(7 * lengths.size());
    return R"({"object":"list","data":[)" + data + R"(],"model":")" + model +
           R"(","usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}}";
}

std::string GeminiBody(const rapidjson::Document& request) {
    std::string list;
    for (const auto& item : request["requests"].GetArray()) {
        const auto& text = item["content"]["parts"][0]["text"];
        const std::size_t dimensions =
            item.HasMember("outputDimensionality") ? item["outputDimensionality"].GetUint() : 3;
        list += (list.empty() ? "" : ",") + std::string(R"({"values":)") +
                Numbers(VectorOf(text.GetStringLength(), dimensions)) + "}";
    }
    return R"({"embeddings":[)" + list + "]}";
}

std::string CloudflareBody(const rapidjson::Document& request) {
    std::string list;
    for (const auto& text : request["text"].GetArray())
        list += (list.empty() ? "" : ",") + Numbers(VectorOf(text.GetStringLength(), 3));
    return R"({"result":{"data":[)" + list + R"(]},"success":true,"errors":[],"messages":[]})";
}

}  // namespace

std::optional<EmbeddingsCall> ReadEmbeddingsCall(std::string_view path, std::string_view body) {
    constexpr std::string_view kGemini = ":batchEmbedContents";
    constexpr std::string_view kRun = "/ai/run/";
    const bool openai = path.ends_with("/embeddings");
    const bool gemini = path.ends_with(kGemini);
    const std::size_t run = path.find(kRun);
    if (!openai && !gemini && run == path.npos) return std::nullopt;
    rapidjson::Document request;
    request.Parse(body.data(), body.size());
    if (request.HasParseError() || !request.IsObject()) return std::nullopt;
    EmbeddingsCall call;
    if (openai && request.HasMember("model") && request["model"].IsString() &&
        request.HasMember("input")) {
        call.model = request["model"].GetString();
        call.body = OpenAiBody(request, call.model);
        return call;
    }
    if (gemini && request.HasMember("requests") && request["requests"].IsArray()) {
        const std::string_view name = path.substr(0, path.size() - kGemini.size());
        call.model = name.substr(name.rfind('/') + 1);
        call.body = GeminiBody(request);
        return call;
    }
    if (run != path.npos && request.HasMember("text") && request["text"].IsArray()) {
        call.model = path.substr(run + kRun.size());
        call.body = CloudflareBody(request);
        return call;
    }
    return std::nullopt;
}

}  // namespace aim::testing
