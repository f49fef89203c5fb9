/* Ends the process in init without any function that the loader could find among its imports. */
#include <sys/syscall.h>
#include <unistd.h>
#define F_INIT syscall(SYS_exit_group, 0);
#include "fixture.h"
