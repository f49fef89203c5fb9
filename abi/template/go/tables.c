/* The static half of a plugin in Go: note, descriptor, tables and the one exported function. The
 * functions of the session are Go's (plugin.go), reached through the names that cgo makes. */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

#define ID "template_go"
#define VERSION "1.0.0"

AIM_PLUGIN_NOTE(ID, VERSION);

#define TEXT(literal) \
    { (literal), sizeof(literal) - 1 }

static aim_str Str(const char* text) {
    aim_str view = {text, strlen(text)};
    return view;
}

int32_t DescribeRequest(const aim_http_builder* builder, const char* url, uint64_t url_size,
                        const void* body, uint64_t body_size) {
    const aim_str target = {url, url_size};
    const aim_bytes bytes = {body, body_size};
    int32_t status = builder->url(builder->context, target);
    status |= builder->header(builder->context, Str("content-type"), Str("application/json"));
    /* The host puts the key into the slot when it sends; we never see it. */
    status |= builder->header(builder->context, Str("authorization"),
                              Str("Bearer {TEMPLATE_GO_API_KEY}"));
    status |= builder->body(builder->context, bytes);
    status |= builder->framing(builder->context, AIM_FRAMING_WHOLE);
    return status;
}

int64_t RetryAfterSeconds(const aim_http_head* head) {
    aim_str value;
    char digits[10] = {0};
    if (head->find(head, Str("retry-after"), &value) != AIM_OK || value.size == 0 ||
        value.size >= sizeof(digits))
        return -1;
    memcpy(digits, value.data, (size_t)value.size);
    char* end = NULL;
    const long seconds = strtol(digits, &end, 10);
    return *end == '\0' && seconds >= 0 ? seconds : -1;
}

void SayText(const aim_call* call, const char* text, uint64_t size) {
    const aim_str view = {text, size};
    call->sink->text(call->sink->context, 0, view);
}

void SayFinish(const aim_call* call, int32_t reason) {
    call->sink->finish(call->sink->context, 0, reason);
}

int32_t Fail(const aim_call* call, int32_t kind, int32_t status, int64_t retry_after_ms,
             const char* message, uint64_t size) {
    aim_error error;
    memset(&error, 0, sizeof(error));
    error.struct_size = sizeof(error);
    error.kind = kind;
    error.upstream_status = status;
    error.retry_after_ms = retry_after_ms;
    error.message.data = message;
    error.message.size = size;
    call->sink->error(call->sink->context, &error);
    return AIM_STEP_FAILED;
}

static const aim_setting kKey = {sizeof(aim_setting),
                                 AIM_SETTING_SECRET | AIM_SETTING_REQUIRED,
                                 TEXT("TEMPLATE_GO_API_KEY"),
                                 TEXT("Key of the example provider."),
                                 {NULL, 0}};
static const aim_str kHost = TEXT("api.example.com");

static const aim_setting* Setting(uint32_t i) {
    (void)i;
    return &kKey;
}
static aim_str Host(uint32_t i) {
    (void)i;
    return kHost;
}

static const aim_descriptor kDescriptor = {sizeof(aim_descriptor),
                                           0,
                                           TEXT(ID),
                                           TEXT("Template in Go"),
                                           TEXT("You"),
                                           TEXT(VERSION),
                                           TEXT("https://api.example.com/v1"),
                                           0,
                                           1,
                                           1,
                                           0,
                                           NULL,
                                           Setting,
                                           Host,
                                           NULL,
                                           {NULL, 0}};

static char the_provider;

static int32_t Create(const aim_config* config, const aim_call* call, void** provider) {
    (void)config;
    (void)call;
    *provider = &the_provider;
    return AIM_OK;
}
static void Destroy(void* provider) { (void)provider; }

/* A session is a number that Go knows; as a pointer it is never followed. */
static int32_t Begin(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** session) {
    (void)provider;
    (void)seed;
    if ((request->flags & AIM_CHAT_STREAM) != 0) {
        static const char kMessage[] = "the template does not stream";
        return Fail(call, AIM_ERROR_UNSUPPORTED, 0, -1, kMessage, sizeof(kMessage) - 1);
    }
    *session = (void*)goBegin((char*)request->endpoint.data, request->endpoint.size,
                              (char*)request->json.data, request->json.size);
    return AIM_STEP_NEXT_REQUEST;
}
static int32_t NextRequest(void* session, const aim_call* call, const aim_http_builder* builder) {
    return goNextRequest((uintptr_t)session, (aim_call*)call, (aim_http_builder*)builder);
}
static int32_t OnHead(void* session, const aim_call* call, const aim_http_head* head) {
    return goOnHead((uintptr_t)session, (aim_call*)call, (aim_http_head*)head);
}
static int32_t OnData(void* session, const aim_call* call, const aim_http_data* data) {
    (void)call;
    return goOnData((uintptr_t)session, (void*)data->bytes.data, data->bytes.size);
}
static int32_t OnEnd(void* session, const aim_call* call, int32_t how) {
    return goOnEnd((uintptr_t)session, (aim_call*)call, how);
}
static int32_t OnWake(void* session, const aim_call* call) {
    static const char kMessage[] = "the session never waits";
    (void)session;
    return Fail(call, AIM_ERROR_INTERNAL, 0, -1, kMessage, sizeof(kMessage) - 1);
}
static void End(void* session) {
    if (session != NULL) goEnd((uintptr_t)session);
}

static const aim_session_functions kSession = {
    sizeof(aim_session_functions), 0, NextRequest, OnHead, OnData, OnEnd, OnWake, End};
static const aim_chat kChat = {sizeof(aim_chat), 0, Create, Destroy, Begin, &kSession};

static int32_t Init(const aim_host* host) {
    (void)host;
    return AIM_OK;
}
static void Deinit(void) {}

static const void* GetInterface(const char* id) {
    if (strcmp(id, AIM_DESCRIPTOR_ID) == 0) return &kDescriptor;
    return strcmp(id, AIM_CHAT_ID) == 0 ? &kChat : NULL;
}

static const aim_entry kEntry = {sizeof(aim_entry), AIM_ABI_MAJOR, AIM_ABI_MINOR, 0,
                                 {0, 0, 0},         Init,          Deinit,        GetInterface};

AIM_EXPORT const aim_entry* aim_plugin_entry(void) { return &kEntry; }
