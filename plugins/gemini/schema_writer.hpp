// JSON Schema in the subset of OpenAPI 3.0 that Gemini's `parameters` and `responseSchema` take:
// unknown keywords are left out, a list of types becomes `nullable` or `anyOf`, local references
// are put in place, `const` becomes `enum`.
#pragma once

#include <string>

#include "aim/sdk/json.hpp"

namespace aim::gemini {

// Appends the schema's text. A reference into itself is cut off as an object of any shape.
void AppendOpenApiSchema(sdk::JsonValue schema, std::string& out);

}  // namespace aim::gemini
