#pragma once

#include <sys/types.h>

namespace aim::data_api::database {

// A server process of PostgreSQL ("backend") on this machine gets a lower priority, so that it does
// not keep a core from a thread with a prompt. No prompt waits for the database, but on Linux a
// thread that wakes up while a backend runs may wait until the next tick (4 ms at 250 Hz) when both
// count the same.
//
// `nice` alone would not do: each backend leads a session, and where sched(7)'s autogroup is on,
// sessions share the processor first and nice values only count inside each. So both are set.
enum class Lowered {
    kDone,     // or it was as low before
    kNotOurs,  // another machine's or container's, or another user's: left alone
    kLater,    // the kernel takes ten such changes a second from a common user: try again
};

// `socket` is a connection's, `backend` the process id that the server says (PQbackendPID). An id
// alone may be another machine's or container's, and mean some other process here. So only a child
// of the process that listens at the other end of a Unix socket is touched. `nice` 0 to 19.
// Never fails, blocks for no time worth naming; any thread.
Lowered LowerBackendPriority(int socket, pid_t backend, int nice);

}  // namespace aim::data_api::database
