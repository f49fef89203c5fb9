#pragma once

// RapidJSON as this folder uses it. Its in-place parser goes through strings 16 bytes a step where
// the processor can; it may read (never write) up to 15 bytes behind the text's NUL.
#if defined(__SSE2__) && !defined(RAPIDJSON_SSE2)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON) && !defined(RAPIDJSON_NEON)
#define RAPIDJSON_NEON
#endif

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>
