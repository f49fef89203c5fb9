/* Interface "aim.descriptor/1": who a plugin is and what it needs. Every plugin has it. */
#ifndef AIM_ABI_DESCRIPTOR_H
#define AIM_ABI_DESCRIPTOR_H

#include "aim/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIM_DESCRIPTOR_ID "aim.descriptor/1"

#define AIM_SETTING_SECRET 1u /* a key: stays in the host, reaches the wire through a slot only */
#define AIM_SETTING_REQUIRED \
    2u /* without a value the provider's models are listed as not configured */

/* One setting that the operator gives. Its name is also the name of the environment variable. */
typedef struct aim_setting {
    uint32_t struct_size;
    uint32_t flags;        /* AIM_SETTING_… */
    aim_str name;          /* upper case letters, digits and '_': "GROQ_API_KEY" */
    aim_str description;   /* one English sentence */
    aim_str default_value; /* empty = none; a secret has none */
} aim_setting;

/* All strings are static. Lists are read by count and get(i), i < count; get never returns null for
 * such i. */
typedef struct aim_descriptor {
    uint32_t struct_size;
    uint32_t reserved;
    aim_str provider_id; /* lower case letters, digits, '_' and '-', at most 64: "groq". Matches the
                            `provider` column, ignoring case */
    aim_str display_name; /* "Groq" */
    aim_str vendor;       /* who wrote the plugin */
    aim_str version; /* of the plugin, MAJOR.MINOR.PATCH in digits: of two files with one id the
                        higher is used */

    /* The base URL up to the version ("https://api.groq.com/openai/v1") for rows without an
     * endpoint; may be empty. */
    aim_str default_endpoint;

    /* Other spellings of the provider column ("Together.ai"), ignoring case. */
    uint32_t alias_count;
    uint32_t setting_count;
    uint32_t host_count;
    uint32_t capability_count;
    aim_str (*alias)(uint32_t i);
    const aim_setting* (*setting)(uint32_t i);

    /* Host names that a secret from the environment may be sent to: "api.groq.com", or ".groq.com"
     * for every name below. */
    aim_str (*host)(uint32_t i);

    /* What the plugin can do, in the words of a model row: stream, tools, json_schema, vision,
     * embeddings. */
    aim_str (*capability)(uint32_t i);

    /* A JSON Schema (draft 2020-12) of the plugin's own settings of a model row; empty = it has
     * none. */
    aim_str row_settings_schema;
} aim_descriptor;

#ifdef __cplusplus
}
#endif

#endif /* AIM_ABI_DESCRIPTOR_H */
