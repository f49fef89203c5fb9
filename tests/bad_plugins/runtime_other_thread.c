/* Answers from a thread of its own while the call waits for it. */
#include <pthread.h>

#include "aim/abi/aim_abi.h"

static void* speak(void* sink);

#define F_ID "runtime_other_thread"
#define R_MISBEHAVE                                                  \
    pthread_t thread;                                                \
    pthread_create(&thread, NULL, speak, (void*)(size_t)call->sink); \
    pthread_join(thread, NULL);
#include "runtime.h"

static void* speak(void* sink) {
    r_text((const aim_sink*)sink, "from elsewhere");
    return NULL;
}
