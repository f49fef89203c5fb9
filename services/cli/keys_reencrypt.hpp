#pragma once

#include "services/cli/remote_flags.hpp"

namespace aim::cli {

// `keys reencrypt`: every model's own key that is stored under MASTER_KEY_PREVIOUS is stored under
// MASTER_KEY instead. The keys are decrypted in this process only. kExitRefused when one of them
// could not be.
int ReencryptKeys(const RemoteFlags& flags);

}  // namespace aim::cli
