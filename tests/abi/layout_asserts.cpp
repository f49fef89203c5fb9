// The same asserts, compiled as C++: both languages must see one layout.
#include "layout_asserts.c"  // NOLINT(bugprone-suspicious-include)
