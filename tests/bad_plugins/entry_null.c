/* Its entry function returns null. */
#define F_ENTRY \
    if (f_entry.struct_size != 0) return NULL;
#include "fixture.h"
