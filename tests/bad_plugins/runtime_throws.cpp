// Throws out of a C function.
#include <stdexcept>

#define F_ID "runtime_throws"
#define R_MISBEHAVE throw std::runtime_error("out of begin");
#define R_ANSWER
#include "runtime.h"
