/* A provider that sends the canonical request to the row's endpoint and answers with nothing but
 * its own version: "[" where the session began, the version for each event of the stream (or once
 * for a whole answer), and "]" when it ends. Built in several versions: an answer in which two of
 * them meet shows that a session changed its plugin. */
#include <stdlib.h>
#include <string.h>

#include "aim/abi/aim_abi.h"

#ifndef STAMP
#define STAMP "1.0.0"
#endif
#define ID "stamp"
AIM_PLUGIN_NOTE(ID, STAMP);

#define STR(text) \
    { text, sizeof(text) - 1 }

typedef struct session {
    int streams;
    size_t url_size, body_size;
    char bytes[]; /* the URL, then the body */
} session;

static void say(const aim_call* call, const char* text) {
    aim_str piece = {text, 0};
    piece.size = strlen(text);
    call->sink->text(call->sink->context, 0, piece);
}

static int32_t fail(const aim_call* call, int32_t kind, const char* text) {
    aim_error error;
    memset(&error, 0, sizeof(error));
    error.struct_size = sizeof(error);
    error.kind = kind;
    error.retry_after_ms = -1;
    error.message.data = text;
    error.message.size = strlen(text);
    call->sink->error(call->sink->context, &error);
    return AIM_STEP_FAILED;
}

static int32_t finish(const aim_call* call) {
    say(call, STAMP "]");
    call->sink->finish(call->sink->context, 0, AIM_FINISH_STOP);
    return AIM_STEP_DONE;
}

static int32_t create(const aim_config* config, const aim_call* call, void** provider) {
    static int object;
    (void)config;
    (void)call;
    *provider = &object;
    return AIM_OK;
}
static void destroy(void* provider) { (void)provider; }

static int32_t begin(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** out) {
    static const char path[] = "/chat/completions";
    const size_t endpoint = (size_t)request->endpoint.size;
    const size_t json = (size_t)request->json.size;
    session* self = malloc(sizeof(*self) + endpoint + sizeof(path) + json);
    (void)provider;
    (void)seed;
    if (self == NULL) return fail(call, AIM_ERROR_INTERNAL, "no memory");
    self->streams = (request->flags & AIM_CHAT_STREAM) != 0;
    self->url_size = endpoint + sizeof(path) - 1;
    self->body_size = json;
    memcpy(self->bytes, request->endpoint.data, endpoint);
    memcpy(self->bytes + endpoint, path, sizeof(path) - 1);
    memcpy(self->bytes + self->url_size, request->json.data, json);
    *out = self;
    return AIM_STEP_NEXT_REQUEST;
}

static int32_t next_request(void* session_, const aim_call* call, const aim_http_builder* builder) {
    const session* self = session_;
    const aim_str url = {self->bytes, self->url_size};
    const aim_bytes body = {(const uint8_t*)self->bytes + self->url_size, self->body_size};
    const aim_str type = STR("content-type");
    const aim_str json = STR("application/json");
    int32_t status = builder->url(builder->context, url);
    status |= builder->header(builder->context, type, json);
    status |= builder->body(builder->context, body);
    status |=
        builder->framing(builder->context, self->streams ? AIM_FRAMING_SSE : AIM_FRAMING_WHOLE);
    return status == AIM_OK ? AIM_OK : fail(call, AIM_ERROR_INTERNAL, "the request was refused");
}

static int32_t on_head(void* session_, const aim_call* call, const aim_http_head* head) {
    (void)session_;
    if (head->status != 200) return fail(call, AIM_ERROR_UPSTREAM_FAILURE, "not 200");
    say(call, "[" STAMP);
    return AIM_STEP_CONTINUE;
}
static int32_t on_data(void* session_, const aim_call* call, const aim_http_data* data) {
    const session* self = session_;
    if (self->streams && data->bytes.size == 6 && memcmp(data->bytes.data, "[DONE]", 6) == 0)
        return finish(call);
    say(call, " " STAMP " ");
    return AIM_STEP_CONTINUE;
}
static int32_t on_end(void* session_, const aim_call* call, int32_t how) {
    const session* self = session_;
    if (how != AIM_END_COMPLETE || self->streams)
        return fail(call, AIM_ERROR_UPSTREAM_FAILURE, "the answer broke off");
    return finish(call);
}
static int32_t on_wake(void* session_, const aim_call* call) {
    (void)session_;
    return fail(call, AIM_ERROR_INTERNAL, "it never waits");
}
static void end(void* session_) { free(session_); }

static const aim_session_functions functions = {
    sizeof(aim_session_functions), 0, next_request, on_head, on_data, on_end, on_wake, end};
static const aim_chat chat = {sizeof(aim_chat), 0, create, destroy, begin, &functions};

static const aim_setting region = {
    sizeof(aim_setting), 0, STR("STAMP_REGION"), STR("Where."), {NULL, 0}};
static const aim_setting token = {
    sizeof(aim_setting), AIM_SETTING_SECRET, STR("STAMP_TOKEN"), STR("A token."), {NULL, 0}};
static const aim_setting* get_setting(uint32_t i) { return i == 0 ? &region : &token; }
static aim_str get_capability(uint32_t i) {
    const aim_str capability = STR("stream");
    (void)i;
    return capability;
}
static aim_str get_host(uint32_t i) {
    const aim_str host = STR("api.stamp.example");
    (void)i;
    return host;
}

static const aim_descriptor descriptor = {sizeof(aim_descriptor),
                                          0,
                                          STR(ID),
                                          STR("Stamp"),
                                          STR("tests"),
                                          STR(STAMP),
                                          STR("https://api.stamp.example/v1"),
                                          0,
                                          2,
                                          1,
                                          1,
                                          NULL,
                                          get_setting,
                                          get_host,
                                          get_capability,
                                          {NULL, 0}};

static int32_t init(const aim_host* host) {
    (void)host;
    return AIM_OK;
}
static void deinit(void) {}
static const void* get_interface(const char* id) {
    if (strcmp(id, AIM_DESCRIPTOR_ID) == 0) return &descriptor;
    return strcmp(id, AIM_CHAT_ID) == 0 ? &chat : NULL;
}
static const aim_entry entry = {sizeof(aim_entry), AIM_ABI_MAJOR, AIM_ABI_MINOR, 0,
                                {0, 0, 0},         init,          deinit,        get_interface};
const aim_entry* aim_plugin_entry(void) { return &entry; }
