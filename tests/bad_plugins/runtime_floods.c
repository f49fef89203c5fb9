/* Puts out 64 MiB of text for one small question. */
static char noise[1 << 20];

#define F_ID "runtime_floods"
#define R_MISBEHAVE                        \
    memset(noise, 'x', sizeof(noise) - 1); \
    for (int i = 0; i < 64; ++i) r_text(call->sink, noise);
#include "runtime.h"
