// Takes out of a provider's text what looks like a key, before it becomes an error message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aim::openai {

// Words with a key's prefix (sk-, gsk_, hf_ …), the word after "Bearer", and unbroken words of 32
// or more letters and digits are replaced. The result has at most `max_bytes`, cut between
// characters.
std::string SafeText(std::string_view text, std::size_t max_bytes);

}  // namespace aim::openai
