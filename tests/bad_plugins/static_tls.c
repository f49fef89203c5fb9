/* Uses static thread-local storage. */
static __thread int counter __attribute__((tls_model("initial-exec")));
#define F_INIT ++counter;
#include "fixture.h"
