#pragma once

namespace aim::health_worker {

// The whole process: configuration, signals, start, wait, drain. Returns the exit status.
int RunProcess();

}  // namespace aim::health_worker
