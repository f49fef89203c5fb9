/* A provider that is good for the gateway's probe and wrong in one way for the conformance suite:
 * the build defines one DEFECT_<name>. Without any it passes every check. It sends the canonical
 * request and takes an answer that has a content and a finish reason, found by a small scan. */
#define _GNU_SOURCE
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aim/abi/aim_abi.h"

#define ID "nonconforming"
#define STR(text) \
    { text, sizeof(text) - 1 }

#ifndef DEFECT_no_note
AIM_PLUGIN_NOTE(ID, "1.0.0");
#endif

static aim_str Str(const char* text) {
    aim_str view = {text, strlen(text)};
    return view;
}

static int32_t Fail(const aim_call* call, int32_t kind, int32_t status, aim_str message) {
    aim_error error;
    (void)call;
    memset(&error, 0, sizeof(error));
    error.struct_size = sizeof(error);
    error.kind = kind;
    error.upstream_status = status;
    error.retry_after_ms = -1;
#ifdef DEFECT_retry_after
    if (status == 429) error.retry_after_ms = 7; /* seconds */
#endif
    error.message = message;
#ifndef DEFECT_silent_failure
    call->sink->error(call->sink->context, &error);
#endif
    return AIM_STEP_FAILED;
}

typedef struct Session {
    char* url;
    char* body;
    size_t body_size;
    char* answer;
    size_t answer_size;
    uint32_t status;
    const aim_call* last_call;
    aim_str kept;
} Session;

static char* Copy(const char* data, size_t size, const char* more) {
    char* copy = malloc(size + strlen(more) + 1);
    if (size > 0) memcpy(copy, data, size);
    strcpy(copy + size, more);
    return copy;
}

#ifdef DEFECT_shared_state
static Session the_session;
#endif
#ifdef DEFECT_thread_local
static __thread int on_this_thread;
#endif
#if defined(DEFECT_end_speaks) || defined(DEFECT_other_thread)
static aim_sink sink_copy;
#endif

static void End(void* session) {
    Session* self = session;
    if (self == NULL) return;
#ifdef DEFECT_end_speaks
    if (sink_copy.text != NULL) sink_copy.text(sink_copy.context, 0, Str("late"));
#endif
#ifdef DEFECT_end_crashes
    if (self->status == 0 && self->url != NULL && self->last_call != NULL) abort();
#endif
#ifndef DEFECT_leak
    free(self->answer);
#endif
#ifndef DEFECT_shared_state
    free(self->url);
    free(self->body);
    free(self);
#endif
}

static int32_t Create(const aim_config* config, const aim_call* call, void** provider) {
    static char object;
    (void)config;
    (void)call;
#ifdef DEFECT_create_touches
    if (config->row_settings.size > 2) {
        *provider = &object;
        return Fail(call, AIM_ERROR_INVALID_REQUEST, 0, Str("no"));
    }
#endif
#ifdef DEFECT_exact_size
    if (config->struct_size != sizeof(aim_config))
        return Fail(call, AIM_ERROR_INTERNAL, 0, Str("another host"));
#endif
#ifdef DEFECT_provider_leak
    *provider = malloc(100);
    (void)object;
#else
    *provider = &object;
#endif
    return AIM_OK;
}
static void Destroy(void* provider) { (void)provider; }

static int32_t Begin(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** session) {
    (void)provider;
    (void)seed;
#ifdef DEFECT_refuses
    return Fail(call, AIM_ERROR_INVALID_REQUEST, 0, Str("always"));
#endif
    if ((request->flags & AIM_CHAT_STREAM) != 0)
        return Fail(call, AIM_ERROR_UNSUPPORTED, 0, Str("no streams"));
#ifdef DEFECT_unknown_field
    if (request->json.size > 0 &&
        memmem(request->json.data, (size_t)request->json.size, "kit_unknown", 11) != NULL)
        return Fail(call, AIM_ERROR_INVALID_REQUEST, 0, Str("unknown field"));
#endif
#ifdef DEFECT_tools_kind
    if ((request->flags & AIM_CHAT_HAS_TOOL_TURNS) != 0)
        return Fail(call, AIM_ERROR_OVERLOADED, 0, Str("no tools"));
#endif
#ifdef DEFECT_shared_state
    Session* self = &the_session;
    memset(self, 0, sizeof(*self));
#else
    Session* self = calloc(1, sizeof(*self));
#endif
    self->url = Copy(request->endpoint.data, (size_t)request->endpoint.size, "/chat");
#ifdef DEFECT_ignores_endpoint
    free(self->url);
    self->url = Copy("", 0, "https://api.nonconforming.example/v1/chat");
#endif
#ifdef DEFECT_plain_http
    if (strncmp(self->url, "https", 5) == 0)
        memmove(self->url + 4, self->url + 5, strlen(self->url + 5) + 1);
#endif
    self->body = Copy(request->json.data, (size_t)request->json.size, "");
    self->body_size = (size_t)request->json.size;
    self->kept = request->json;
#ifdef DEFECT_random
    static int count;
    if (++count % 2 == 0) self->url[strlen(self->url) - 1] = 'T';
#endif
    *session = self;
    return AIM_STEP_NEXT_REQUEST;
}

static int32_t NextRequest(void* session, const aim_call* call, const aim_http_builder* builder) {
    Session* self = session;
    int32_t status = builder->url(builder->context, Str(self->url));
    aim_bytes body = {(const uint8_t*)self->body, self->body_size};
    (void)call;
#ifdef DEFECT_keeps_view
    body.data = (const uint8_t*)self->kept.data;
#endif
#ifdef DEFECT_thread_local
    on_this_thread = 1;
#endif
    status |= builder->header(builder->context, Str("content-type"), Str("application/json"));
#ifdef DEFECT_unknown_slot
    status |= builder->header(builder->context, Str("authorization"), Str("Bearer {OTHER_KEY}"));
#else
    status |= builder->header(builder->context, Str("authorization"),
                              Str("Bearer {NONCONFORMING_API_KEY}"));
#endif
#ifdef DEFECT_own_length
    builder->header(builder->context, Str("content-length"), Str("0"));
#endif
#ifdef DEFECT_leaks_secret
    const char* key = getenv("NONCONFORMING_API_KEY");
    if (key != NULL) status |= builder->header(builder->context, Str("x-key"), Str(key));
#endif
#ifdef DEFECT_body_no_json
    body.size -= 1;
#endif
    status |= builder->body(builder->context, body);
    status |= builder->framing(builder->context, AIM_FRAMING_WHOLE);
    return status == AIM_OK ? AIM_OK : Fail(call, AIM_ERROR_INTERNAL, 0, Str("refused"));
}

static int32_t OnHead(void* session, const aim_call* call, const aim_http_head* head) {
    Session* self = session;
    (void)call;
    self->status = head->status;
#ifdef DEFECT_end_crashes
    self->last_call = call;
    self->status = 0;
#endif
#ifdef DEFECT_reads_beyond
    if (((const volatile char*)call->sink)[call->sink->struct_size] == 'x')
        return AIM_STEP_CONTINUE;
#endif
    return AIM_STEP_CONTINUE;
}

static int32_t OnData(void* session, const aim_call* call, const aim_http_data* data) {
    Session* self = session;
    (void)call;
#ifdef DEFECT_crash_on_bytes
    for (uint64_t i = 0; i < data->bytes.size; ++i) {
        if (data->bytes.data[i] == 0xFF) abort();
    }
#endif
    free(self->answer);
    self->answer = Copy((const char*)data->bytes.data, (size_t)data->bytes.size, "");
    self->answer_size = (size_t)data->bytes.size;
#ifdef DEFECT_illegal_step
    return 7;
#endif
#ifdef DEFECT_hangs
    for (volatile int forever = 1; forever != 0;) {
    }
#endif
#ifdef DEFECT_slow
    struct timespec now;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while (now.tv_nsec / 1000000 % 900 < 600);
#endif
    return AIM_STEP_CONTINUE;
}

static int32_t KindOf(uint32_t status) {
#ifdef DEFECT_status
    if (status == 429) return AIM_ERROR_INVALID_REQUEST;
#endif
#ifdef DEFECT_error_page
    if (status == 502) return AIM_ERROR_PROTOCOL_ERROR;
#endif
    switch (status) {
        case 401:
            return AIM_ERROR_UNAUTHENTICATED;
        case 402:
            return AIM_ERROR_QUOTA_EXHAUSTED;
        case 403:
            return AIM_ERROR_FORBIDDEN;
        case 404:
            return AIM_ERROR_MODEL_NOT_FOUND;
        case 408:
        case 504:
            return AIM_ERROR_UPSTREAM_TIMEOUT;
        case 429:
            return AIM_ERROR_RATE_LIMITED;
        case 503:
        case 529:
            return AIM_ERROR_OVERLOADED;
        default:
            return status >= 500 ? AIM_ERROR_UPSTREAM_FAILURE : AIM_ERROR_INVALID_REQUEST;
    }
}

#ifdef DEFECT_other_thread
static void* SpeakElsewhere(void* unused) {
    sink_copy.text(sink_copy.context, 0, Str("elsewhere"));
    return unused;
}
#endif

static int32_t OnEnd(void* session, const aim_call* call, int32_t how) {
    Session* self = session;
    const aim_sink* sink = call->sink;
    void* context = sink->context;
    const char* text = NULL;
    const char* end = NULL;
#ifdef DEFECT_end_speaks
    sink_copy = *sink;
#endif
    if (self->status < 200 || self->status > 299) {
        aim_str message = STR("refused");
#ifdef DEFECT_echoes_errors
        message.data = self->answer;
        message.size = self->answer_size;
#endif
        return Fail(call, KindOf(self->status), (int32_t)self->status, message);
    }
#ifdef DEFECT_takes_cut
    if (how != AIM_END_COMPLETE && how != AIM_END_TRUNCATED)
        return Fail(call, AIM_ERROR_UPSTREAM_FAILURE, 0, Str("cut"));
    if (self->answer_size == 0 && how != AIM_END_TRUNCATED)
        return Fail(call, AIM_ERROR_PROTOCOL_ERROR, 200, Str("empty"));
    if (how == AIM_END_TRUNCATED) {
        sink->finish(context, 0, AIM_FINISH_STOP);
        return AIM_STEP_DONE;
    }
#elif defined(DEFECT_takes_unknown_ending)
    if (how == AIM_END_TRUNCATED) return Fail(call, AIM_ERROR_UPSTREAM_FAILURE, 0, Str("cut"));
    if (how != AIM_END_COMPLETE) {
        sink->finish(context, 0, AIM_FINISH_STOP);
        return AIM_STEP_DONE;
    }
#else
    if (how != AIM_END_COMPLETE) return Fail(call, AIM_ERROR_UPSTREAM_FAILURE, 0, Str("cut"));
#endif
#ifdef DEFECT_takes_empty
    if (self->answer_size == 0) {
        sink->finish(context, 0, AIM_FINISH_STOP);
        return AIM_STEP_DONE;
    }
#endif
#ifdef DEFECT_takes_error
    if (self->answer != NULL && strncmp(self->answer, "{\"error\":{", 10) == 0) {
        sink->finish(context, 0, AIM_FINISH_STOP);
        return AIM_STEP_DONE;
    }
#endif
#ifdef DEFECT_deep_recursion
    if (self->answer_size > 100000 && self->answer[0] == '[') abort();
#endif
#ifdef DEFECT_huge_line
    if (self->answer_size > 4000000) abort();
#endif
    if (self->answer != NULL) text = strstr(self->answer, "\"content\":\"");
    if (text != NULL) end = strchr(text += 11, '"');
    if (end == NULL || strstr(text, "\"finish_reason\":\"") == NULL)
        return Fail(call, AIM_ERROR_PROTOCOL_ERROR, 200, Str("no text"));
    aim_str answer = {text, (uint64_t)(end - text)};
#ifdef DEFECT_text_not_utf8
    answer.size = 3; /* in the middle of a character */
    sink->text(context, 0, answer);
    answer.data = "x";
    answer.size = 1;
#endif
#ifdef DEFECT_thread_local
    if (on_this_thread == 0) return Fail(call, AIM_ERROR_INTERNAL, 0, Str("another thread"));
#endif
    sink->text(context, 0, answer);
#ifdef DEFECT_usage_shrinks
    aim_usage usage;
    memset(&usage, 0, sizeof(usage));
    usage.struct_size = sizeof(usage);
    usage.prompt_tokens = 9;
    sink->usage(context, &usage);
    usage.prompt_tokens = 4;
    sink->usage(context, &usage);
#endif
#ifdef DEFECT_tool_gap
    sink->tool_call(context, 0, 1, Str("call_1"), Str("f"), Str("{}"));
#endif
#ifdef DEFECT_extra_no_json
    sink->extra(context, AIM_SCOPE_RESPONSE, 0, 0, Str("x"), Str("{x"));
#endif
#ifdef DEFECT_other_thread
    pthread_t thread;
    sink_copy = *sink;
    pthread_create(&thread, NULL, SpeakElsewhere, NULL);
    pthread_join(thread, NULL);
#endif
#ifdef DEFECT_wait_without_time
    return AIM_STEP_WAIT;
#endif
#ifdef DEFECT_request_loop
    return AIM_STEP_NEXT_REQUEST;
#endif
#ifndef DEFECT_no_finish
    sink->finish(context, 0, AIM_FINISH_STOP);
#endif
#ifdef DEFECT_two_finishes
    sink->finish(context, 0, AIM_FINISH_LENGTH);
#endif
    return AIM_STEP_DONE;
}

static int32_t OnWake(void* session, const aim_call* call) {
    (void)session;
    return Fail(call, AIM_ERROR_INTERNAL, 0, Str("never waits"));
}

/* The probe initialises twice. */
static int inits;
static int32_t Init(const aim_host* host) {
    (void)host;
    ++inits;
#ifdef DEFECT_init_thrice
    if (inits > 2) return AIM_FAILED;
#endif
#ifdef DEFECT_prints
    if (write(STDOUT_FILENO, "hello\n", 6) < 0) return AIM_FAILED;
#endif
#ifdef DEFECT_changes_mask
    umask(0);
#endif
#ifdef DEFECT_keeps_file
    if (dup(0) < 0) return AIM_FAILED;
#endif
    return AIM_OK;
}
static void Deinit(void) {}

static const aim_setting kKey = {sizeof(aim_setting),
                                 AIM_SETTING_SECRET,
                                 STR("NONCONFORMING_API_KEY"),
                                 STR("The key."),
                                 {NULL, 0}};
static const aim_setting* Setting(uint32_t i) {
    (void)i;
    return &kKey;
}
static aim_str Host(uint32_t i) {
    const aim_str host = STR("api.nonconforming.example");
    (void)i;
    return host;
}
static aim_str Capability(uint32_t i) {
    (void)i;
#ifdef DEFECT_capability
    return Str("telepathy");
#else
    return Str("tools");
#endif
}

static const aim_session_functions kSession = {
    sizeof(aim_session_functions), 0, NextRequest, OnHead, OnData, OnEnd, OnWake, End};
static const aim_chat kChat = {sizeof(aim_chat), 0, Create, Destroy, Begin, &kSession};
static const aim_descriptor kDescriptor = {sizeof(aim_descriptor),
                                           0,
                                           STR(ID),
                                           STR("Nonconforming"),
                                           STR("tests"),
                                           STR("1.0.0"),
#ifdef DEFECT_foreign_default
                                           STR("https://elsewhere.example/v1"),
#else
                                           STR("https://api.nonconforming.example/v1"),
#endif
                                           0,
                                           1,
#ifdef DEFECT_no_hosts
                                           0,
#else
                                           1,
#endif
                                           1,
                                           NULL,
                                           Setting,
                                           Host,
                                           Capability,
#ifdef DEFECT_schema
                                           STR("{\"type\":")};
#else
                                           STR("{\"type\":\"object\"}")};
#endif

static const void* GetInterface(const char* id) {
    if (strcmp(id, AIM_DESCRIPTOR_ID) == 0) return &kDescriptor;
#ifdef DEFECT_ignores_case
    if (strcasecmp(id, AIM_CHAT_ID) == 0) return &kChat;
#endif
#ifdef DEFECT_guesses_ids
    if (strcmp(id, "com.example.batch/1") == 0) return &kChat;
#endif
#ifdef DEFECT_tables_move
    static aim_chat copies[8];
    static int next;
    copies[++next % 8] = kChat;
    if (strcmp(id, AIM_CHAT_ID) == 0) return &copies[next % 8];
#endif
    return strcmp(id, AIM_CHAT_ID) == 0 ? &kChat : NULL;
}

static const aim_entry kEntry = {sizeof(aim_entry),
                                 AIM_ABI_MAJOR,
                                 AIM_ABI_MINOR,
                                 0,
#ifdef DEFECT_reserved
                                 {1, 0, 0},
#else
                                 {0, 0, 0},
#endif
                                 Init,
                                 Deinit,
                                 GetInterface};

#ifdef DEFECT_slow_load
__attribute__((constructor)) static void WorkHard(void) {
    struct timespec now;
    do {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec == 0 && now.tv_nsec < 400000000);
}
#endif
#ifdef DEFECT_changes_locale
__attribute__((constructor)) static void ChangeLocale(void) { setlocale(LC_ALL, "C.UTF-8"); }
#endif
#ifdef DEFECT_dies_at_the_end
__attribute__((destructor)) static void Die(void) { abort(); }
#endif

AIM_EXPORT const aim_entry* aim_plugin_entry(void) {
#ifdef DEFECT_entry_moves
    static aim_entry copies[2];
    static int next;
    copies[++next % 2] = kEntry;
    return &copies[next % 2];
#else
    return &kEntry;
#endif
}
