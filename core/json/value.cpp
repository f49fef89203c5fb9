#include "core/json/value.hpp"

#include <cmath>

#include "core/json/rapidjson.hpp"
#include "core/json/writer.hpp"

namespace aim::json {
namespace {

using Node = rapidjson::Value;

const Node& As(const void* node) { return *static_cast<const Node*>(node); }

std::string_view TextOf(const Node& node) { return {node.GetString(), node.GetStringLength()}; }

void Write(const Node& node, Writer& writer) {
    switch (node.GetType()) {
        case rapidjson::kNullType:
            writer.Null();
            break;
        case rapidjson::kFalseType:
        case rapidjson::kTrueType:
            writer.Bool(node.GetBool());
            break;
        case rapidjson::kStringType:
            writer.String(TextOf(node));
            break;
        case rapidjson::kNumberType:
            if (node.IsInt64()) {
                writer.Int(node.GetInt64());
            } else if (node.IsUint64()) {
                writer.UInt(node.GetUint64());
            } else {
                writer.Double(node.GetDouble());
            }
            break;
        case rapidjson::kArrayType:
            writer.BeginArray();
            for (const Node& element : node.GetArray()) Write(element, writer);
            writer.EndArray();
            break;
        case rapidjson::kObjectType:
            writer.BeginObject();
            for (const auto& member : node.GetObject()) {
                writer.Key(TextOf(member.name));
                Write(member.value, writer);
            }
            writer.EndObject();
            break;
    }
}

}  // namespace

bool Value::IsNull() const { return exists() && As(node_).IsNull(); }
bool Value::IsBool() const { return exists() && As(node_).IsBool(); }
bool Value::IsNumber() const { return exists() && As(node_).IsNumber(); }
bool Value::IsString() const { return exists() && As(node_).IsString(); }
bool Value::IsArray() const { return exists() && As(node_).IsArray(); }
bool Value::IsObject() const { return exists() && As(node_).IsObject(); }

std::optional<bool> Value::AsBool() const {
    if (!IsBool()) return std::nullopt;
    return As(node_).GetBool();
}

std::optional<std::int64_t> Value::AsInt64() const {
    if (!IsNumber()) return std::nullopt;
    const Node& node = As(node_);
    if (node.IsInt64()) return node.GetInt64();
    if (!node.IsDouble()) return std::nullopt;
    const double number = node.GetDouble();
    // 2^63 is exact as a double; the largest double below it fits.
    constexpr double kLimit = 9223372036854775808.0;
    if (number != std::floor(number) || number < -kLimit || number >= kLimit) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

std::optional<double> Value::AsDouble() const {
    if (!IsNumber()) return std::nullopt;
    return As(node_).GetDouble();
}

std::optional<std::string_view> Value::AsString() const {
    if (!IsString()) return std::nullopt;
    return TextOf(As(node_));
}

Value Value::Get(std::string_view key) const {
    if (!IsObject()) return {};
    for (const auto& member : As(node_).GetObject()) {
        if (TextOf(member.name) == key) return Value(&member.value);
    }
    return {};
}

std::size_t Value::size() const {
    if (IsArray()) return As(node_).Size();
    if (IsObject()) return As(node_).MemberCount();
    return 0;
}

Value Value::At(std::size_t position) const {
    if (position >= size()) return {};
    if (IsArray()) return Value(&*(As(node_).Begin() + position));
    return Value(&(As(node_).MemberBegin() + static_cast<std::ptrdiff_t>(position))->value);
}

std::string_view Value::KeyAt(std::size_t position) const {
    if (!IsObject() || position >= size()) return {};
    return TextOf((As(node_).MemberBegin() + static_cast<std::ptrdiff_t>(position))->name);
}

void Value::AppendJson(std::string& out) const {
    Writer writer(out);
    if (exists()) {
        Write(As(node_), writer);
    } else {
        writer.Null();
    }
}

std::string Value::ToJson() const {
    std::string out;
    AppendJson(out);
    return out;
}

}  // namespace aim::json
