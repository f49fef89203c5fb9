/* A whole chat provider in one C file, written against the header alone: it answers every prompt
 * with one text and needs no network. The tests build it several times with other ids, versions and
 * texts. */
#include <string.h>

#include "aim/abi/aim_abi.h"

#ifndef GOOD_ID
#define GOOD_ID "good"
#endif
#ifndef GOOD_VERSION
#define GOOD_VERSION "1.0.0"
#endif
#ifndef GOOD_TEXT
#define GOOD_TEXT "good answer"
#endif
#ifndef GOOD_WITHOUT_NOTE
AIM_PLUGIN_NOTE(GOOD_ID, GOOD_VERSION);
#endif

#define STR(text) \
    { text, sizeof(text) - 1 }

static const aim_host* the_host;

static void say(const char* text) {
    aim_str message = {text, 0};
    message.size = strlen(text);
    the_host->log(the_host, AIM_LOG_INFO, message);
}

static int32_t init(const aim_host* host) {
    if (the_host != NULL) return AIM_FAILED; /* nested */
    the_host = host;
    say("init " GOOD_ID " " GOOD_VERSION);
    return AIM_OK;
}

static void deinit(void) {
    say("deinit " GOOD_ID " " GOOD_VERSION);
    the_host = NULL;
}

static int objects[2]; /* provider and session need an address, not memory */

static int32_t create(const aim_config* config, const aim_call* call, void** provider) {
    (void)config;
    (void)call;
    *provider = &objects[0];
    return AIM_OK;
}

static void destroy(void* provider) { (void)provider; }

#ifdef GOOD_HTTP
static char url[256];

static int32_t begin(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** session) {
    (void)provider;
    (void)call;
    (void)seed;
    if (request->endpoint.size >= sizeof(url)) return AIM_STEP_FAILED;
    memcpy(url, request->endpoint.data, (size_t)request->endpoint.size);
    url[request->endpoint.size] = '\0';
    *session = &objects[1];
    return AIM_STEP_NEXT_REQUEST;
}
#else
static int32_t begin(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** session) {
    const aim_str text = STR(GOOD_TEXT);
    (void)provider;
    (void)request;
    (void)seed;
    *session = &objects[1];
    call->sink->text(call->sink->context, 0, text);
    call->sink->finish(call->sink->context, 0, AIM_FINISH_STOP);
    return AIM_STEP_DONE;
}

#endif

static int32_t fail(const aim_call* call) {
    aim_error error;
    memset(&error, 0, sizeof(error));
    error.struct_size = sizeof(error);
    error.kind = AIM_ERROR_INTERNAL;
    error.retry_after_ms = -1;
    call->sink->error(call->sink->context, &error);
    return AIM_STEP_FAILED;
}

static int32_t next_request(void* session, const aim_call* call, const aim_http_builder* builder) {
    (void)session;
#ifdef GOOD_HTTP
    const aim_str target = {url, strlen(url)};
    (void)call;
    return builder->url(builder->context, target);
#else
    (void)builder;
    return fail(call);
#endif
}
static int32_t on_head(void* session, const aim_call* call, const aim_http_head* head) {
    (void)session;
    (void)head;
    return fail(call);
}
static int32_t on_data(void* session, const aim_call* call, const aim_http_data* data) {
    (void)session;
    (void)data;
    return fail(call);
}
static int32_t on_end(void* session, const aim_call* call, int32_t how) {
    (void)session;
    (void)how;
    return fail(call);
}
static int32_t on_wake(void* session, const aim_call* call) {
    (void)session;
    return fail(call);
}
static void end(void* session) { (void)session; }

static const aim_session_functions session_functions = {
    sizeof(aim_session_functions), 0, next_request, on_head, on_data, on_end, on_wake, end};

static const aim_chat chat = {sizeof(aim_chat), 0, create, destroy, begin, &session_functions};

static aim_str get_alias(uint32_t i) {
    const aim_str alias = STR(GOOD_ID ".Example");
    (void)i;
    return alias;
}

static const aim_setting key = {sizeof(aim_setting),
                                AIM_SETTING_SECRET | AIM_SETTING_REQUIRED,
                                STR("GOOD_API_KEY"),
                                STR("The key."),
                                {NULL, 0}};

static const aim_setting* get_setting(uint32_t i) {
    (void)i;
    return &key;
}
static aim_str get_host(uint32_t i) {
    const aim_str host = STR(".good.example");
    (void)i;
    return host;
}
static aim_str get_capability(uint32_t i) {
    const aim_str capability = STR("stream");
    (void)i;
    return capability;
}

static const aim_descriptor descriptor = {sizeof(aim_descriptor),
                                          0,
                                          STR(GOOD_ID),
                                          STR("Good"),
                                          STR("tests"),
                                          STR(GOOD_VERSION),
                                          STR("https://api.good.example/v1"),
                                          1,
                                          1,
                                          1,
                                          1,
                                          get_alias,
                                          get_setting,
                                          get_host,
                                          get_capability,
                                          STR("{}")};

static const void* get_interface(const char* id) {
    if (strcmp(id, AIM_DESCRIPTOR_ID) == 0) return &descriptor;
    if (strcmp(id, AIM_CHAT_ID) == 0) return &chat;
    return NULL;
}

static const aim_entry entry = {sizeof(aim_entry), AIM_ABI_MAJOR, AIM_ABI_MINOR, 0,
                                {0, 0, 0},         init,          deinit,        get_interface};

const aim_entry* aim_plugin_entry(void) { return &entry; }
