/* Everything of the stable plugin ABI. A draft of what may come lies in aim/abi/draft/ while there
 * is one, and is included by those who want it. */
#ifndef AIM_ABI_H
#define AIM_ABI_H

#include "aim/abi/chat_request.h"
#include "aim/abi/descriptor.h"
#include "aim/abi/entry.h"
#include "aim/abi/export.h"
#include "aim/abi/ext/embeddings.h"
#include "aim/abi/ext/models.h"
#include "aim/abi/host.h"
#include "aim/abi/http_builder.h"
#include "aim/abi/provider.h"
#include "aim/abi/sink.h"
#include "aim/abi/status.h"
#include "aim/abi/types.h"
#include "aim/abi/version.h"

#endif /* AIM_ABI_H */
