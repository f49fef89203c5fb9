/* The version of the plugin ABI that these headers describe.
 *
 * Major: a plugin of another major is refused. Minor: tables only grow at their end, and a slot's
 * comment says since which minor it is there; a plugin says in its entry which minor it was built
 * with and which is the lowest that it can live with. 1.0 is frozen: its headers stand in
 * abi/golden/v1_0, and every provider of the tree runs on it. */
#ifndef AIM_ABI_VERSION_H
#define AIM_ABI_VERSION_H

#include "aim/abi/types.h"

#define AIM_ABI_MAJOR 1
#define AIM_ABI_MINOR 0

#endif /* AIM_ABI_VERSION_H */
