// Throws out of create, for a row whose settings say "misbehave".
#include <stdexcept>
#include <string_view>

#define F_ID "runtime_create_throws"
#define F_CREATE                                                               \
    if (std::string_view(config->row_settings.data, config->row_settings.size) \
            .find("misbehave") != std::string_view::npos)                      \
        throw std::runtime_error("out of create");
#define R_MISBEHAVE
#include "runtime.h"
