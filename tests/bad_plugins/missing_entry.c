/* Exports nothing. */
#include "aim/abi/aim_abi.h"

int fixture_without_entry(void);
int fixture_without_entry(void) { return AIM_ABI_MAJOR; }
