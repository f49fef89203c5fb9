/* What both the C and the Go half of the plugin see. */
#ifndef TEMPLATE_GO_TABLES_H
#define TEMPLATE_GO_TABLES_H

#include "aim/abi/aim_abi.h"

/* The host's function pointers, which Go cannot call by itself. */
int32_t DescribeRequest(const aim_http_builder* builder, const char* url, uint64_t url_size,
                        const void* body, uint64_t body_size);
int64_t RetryAfterSeconds(const aim_http_head* head);
void SayText(const aim_call* call, const char* text, uint64_t size);
void SayFinish(const aim_call* call, int32_t reason);
int32_t Fail(const aim_call* call, int32_t kind, int32_t status, int64_t retry_after_ms,
             const char* message, uint64_t size);

#endif /* TEMPLATE_GO_TABLES_H */
