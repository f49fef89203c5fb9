#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aim::http {

// Headers in the order of their arrival; names compare without case. All text lies in one buffer
// that Clear() keeps, so that a connection's second request allocates nothing. Views handed out
// hold until the map is changed.
class HeaderMap {
  public:
    struct Field {
        std::string_view name;
        std::string_view value;
    };

    // Appends, also when the name is there already. The caller has checked that neither holds a
    // line end; neither is a view into this map.
    void Add(std::string_view name, std::string_view value);

    // Replaces every field of this name by one.
    void Set(std::string_view name, std::string_view value);
    void Remove(std::string_view name);
    void Clear();

    // The first value of this name, or an empty view with data() == nullptr.
    std::string_view Find(std::string_view name) const;
    bool Has(std::string_view name) const { return Find(name).data() != nullptr; }

    std::size_t size() const { return spans_.size(); }
    bool empty() const { return spans_.empty(); }
    Field operator[](std::size_t i) const;

  private:
    struct Span {
        std::uint32_t name_at;
        std::uint32_t name_size;
        std::uint32_t value_at;
        std::uint32_t value_size;
    };

    std::string text_;
    std::vector<Span> spans_;
};

// ASCII only, as HTTP's names are.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// True when the comma-separated list `value` has `token` as an element, without case ("keep-alive,
// Upgrade").
bool ListHasToken(std::string_view value, std::string_view token);

}  // namespace aim::http
