/* A complete provider plugin in C, without a JSON parser and without any library but libc's memory
 * and strings:
 *
 *     cc -std=c11 -shared -fPIC -fvisibility=hidden -I abi/include -o template_c.so plugin.c
 *
 * It speaks the OpenAI dialect's whole answers: it sends the canonical request as it stands and
 * finds the answer's text and finish reason by a small scan. Copy it, rename `template_c` and fill
 * in your provider. Every function says what the host expects of it; abi/docs/plugin_guide.md walks
 * through the file. */
#include <stdlib.h>
#include <string.h>

#include "aim/abi/aim_abi.h"

/* ---- who we are: the note in the file and the descriptor must tell the same ---- */

#define ID "template_c"
#define VERSION "1.0.0"

AIM_PLUGIN_NOTE(ID, VERSION);

#define TEXT(literal) \
    { (literal), sizeof(literal) - 1 }

static const aim_setting kKey = {sizeof(aim_setting),
                                 AIM_SETTING_SECRET | AIM_SETTING_REQUIRED,
                                 TEXT("TEMPLATE_C_API_KEY"),
                                 TEXT("Key of the example provider."),
                                 {NULL, 0}};
static const aim_str kHost = TEXT("api.example.com");

static aim_str NoName(uint32_t i) {
    (void)i;
    return (aim_str){NULL, 0};
}
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
                                           TEXT("Template in C"),
                                           TEXT("You"),
                                           TEXT(VERSION),
                                           TEXT("https://api.example.com/v1"),
                                           0,
                                           1,
                                           1,
                                           0,
                                           NoName,
                                           Setting,
                                           Host,
                                           NoName,
                                           {NULL, 0}};

/* ---- small helpers ---- */

static aim_str Str(const char* text) {
    aim_str view = {text, strlen(text)};
    return view;
}

static int32_t FailWithHint(const aim_call* call, int32_t kind, int32_t status,
                            int64_t retry_after_ms, const char* message) {
    aim_error error;
    memset(&error, 0, sizeof(error));
    error.struct_size = sizeof(error);
    error.kind = kind;
    error.upstream_status = status;
    error.retry_after_ms = retry_after_ms;
    error.message = Str(message);
    call->sink->error(call->sink->context, &error);
    return AIM_STEP_FAILED;
}

static int32_t Fail(const aim_call* call, int32_t kind, int32_t status, const char* message) {
    return FailWithHint(call, kind, status, -1, message);
}

/* Bytes that grow; zero means empty. */
typedef struct Buffer {
    char* data;
    size_t size;
} Buffer;

static int Append(Buffer* buffer, const void* bytes, size_t size) {
    char* grown = realloc(buffer->data, buffer->size + size + 1);
    if (grown == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(grown + buffer->size, bytes, size);
    }
    buffer->data = grown;
    buffer->size += size;
    buffer->data[buffer->size] = '\0'; /* so that the scan below ends */
    return 1;
}

/* The text behind `"name":"`, or null. Good enough for a template; a real provider deserves a
 * parser. */
static const char* FindText(const char* json, const char* name) {
    const char* at = json;
    while ((at = strstr(at, name)) != NULL) {
        at += strlen(name);
        const char* value = at;
        while (*value == ' ' || *value == ':') {
            ++value;
        }
        if (*value == '"') {
            return value + 1;
        }
    }
    return NULL;
}

/* Undoes JSON's simple escapes in place; \uXXXX below U+0080 only. Returns the size, or -1 when the
 * text has no end. */
static long Unescape(char* out, const char* text) {
    long size = 0;
    for (; *text != '"'; ++text) {
        if (*text == '\0') {
            return -1;
        }
        if (*text != '\\') {
            out[size++] = *text;
            continue;
        }
        ++text;
        switch (*text) {
            case 'n':
                out[size++] = '\n';
                break;
            case 't':
                out[size++] = '\t';
                break;
            case 'r':
                out[size++] = '\r';
                break;
            case 'b':
            case 'f':
                break;
            case 'u': {
                char digits[5] = {0};
                strncpy(digits, text + 1, 4);
                if (strlen(digits) < 4) {
                    return -1;
                }
                const long code = strtol(digits, NULL, 16);
                out[size++] = code > 0 && code < 0x80 ? (char)code : '?';
                text += 4;
                break;
            }
            case '\0':
                return -1;
            default:
                out[size++] = *text;
        }
    }
    return size;
}

/* ---- one session: begin, one request, one answer ---- */

typedef struct Session {
    Buffer url;
    Buffer request;
    Buffer answer;
    uint32_t status;
    int64_t retry_after_ms;
} Session;

static void End(void* session) {
    Session* self = session;
    if (self != NULL) {
        free(self->url.data);
        free(self->request.data);
        free(self->answer.data);
        free(self);
    }
}

/* The row's settings could be checked here; this provider has none. One byte stands for it: null is
 * kept for "none". */
static int32_t Create(const aim_config* config, const aim_call* call, void** provider) {
    static char the_provider;
    (void)config;
    (void)call;
    *provider = &the_provider;
    return AIM_OK;
}

static void Destroy(void* provider) { (void)provider; }

static int32_t Begin(void* provider, const aim_call* call, const aim_chat_request* request,
                     uint64_t seed, void** session) {
    static const char kPath[] = "/chat/completions";
    (void)provider;
    (void)seed;
    if ((request->flags & AIM_CHAT_STREAM) != 0) {
        return Fail(call, AIM_ERROR_UNSUPPORTED, 0, "the template does not stream");
    }
    Session* self = calloc(1, sizeof(*self));
    /* The request is gone when this function returns: copy what is needed later. */
    if (self == NULL || !Append(&self->request, request->json.data, (size_t)request->json.size) ||
        !Append(&self->url, request->endpoint.data, (size_t)request->endpoint.size) ||
        !Append(&self->url, kPath, sizeof(kPath) - 1)) {
        End(self);
        return Fail(call, AIM_ERROR_INTERNAL, 0, "out of memory");
    }
    *session = self;
    return AIM_STEP_NEXT_REQUEST;
}

static int32_t NextRequest(void* session, const aim_call* call, const aim_http_builder* builder) {
    const Session* self = session;
    const aim_str url = {self->url.data, self->url.size};
    const aim_bytes body = {(const uint8_t*)self->request.data, self->request.size};
    int32_t status = builder->url(builder->context, url);
    status |= builder->header(builder->context, Str("content-type"), Str("application/json"));
    /* The host puts the key into the slot when it sends; we never see it. */
    status |=
        builder->header(builder->context, Str("authorization"), Str("Bearer {TEMPLATE_C_API_KEY}"));
    status |= builder->body(builder->context, body);
    status |= builder->framing(builder->context, AIM_FRAMING_WHOLE);
    return status == AIM_OK ? AIM_OK
                            : Fail(call, AIM_ERROR_INTERNAL, 0, "the host refused the request");
}

/* Whole seconds as milliseconds; -1 for anything else (a date, for one). */
static int64_t Milliseconds(aim_str seconds) {
    int64_t value = 0;
    if (seconds.size == 0 || seconds.size > 6) {
        return -1;
    }
    for (uint64_t i = 0; i < seconds.size; ++i) {
        if (seconds.data[i] < '0' || seconds.data[i] > '9') {
            return -1;
        }
        value = value * 10 + (seconds.data[i] - '0');
    }
    return value * 1000;
}

static int32_t OnHead(void* session, const aim_call* call, const aim_http_head* head) {
    Session* self = session;
    aim_str retry_after;
    (void)call;
    self->status = head->status;
    self->retry_after_ms = head->find(head, Str("retry-after"), &retry_after) == AIM_OK
                               ? Milliseconds(retry_after)
                               : -1;
    return AIM_STEP_CONTINUE;
}

static int32_t OnData(void* session, const aim_call* call, const aim_http_data* data) {
    Session* self = session;
    if (!Append(&self->answer, data->bytes.data, (size_t)data->bytes.size)) {
        return Fail(call, AIM_ERROR_INTERNAL, 0, "out of memory");
    }
    return AIM_STEP_CONTINUE;
}

static int32_t KindOf(uint32_t status) {
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

static int32_t OnEnd(void* session, const aim_call* call, int32_t how) {
    Session* self = session;
    if (self->status < 200 || self->status > 299) {
        return FailWithHint(call, KindOf(self->status), (int32_t)self->status, self->retry_after_ms,
                            "the provider refused the request");
    }
    if (how != AIM_END_COMPLETE) {
        return Fail(call, AIM_ERROR_UPSTREAM_FAILURE, 0, "the answer was cut short");
    }
    const char* content =
        self->answer.data == NULL ? NULL : FindText(self->answer.data, "\"content\"");
    const char* reason =
        self->answer.data == NULL ? NULL : FindText(self->answer.data, "\"finish_reason\"");
    char* text = content == NULL ? NULL : malloc(strlen(content) + 1);
    const long size = text == NULL ? -1 : Unescape(text, content);
    if (size < 0 || reason == NULL) { /* without a reason the answer is not known to be whole */
        free(text);
        return Fail(call, AIM_ERROR_PROTOCOL_ERROR, 200,
                    "the answer has no text or no finish reason");
    }
    const aim_str answer = {text, (uint64_t)size};
    const int cut = strncmp(reason, "length", 6) == 0;
    call->sink->text(call->sink->context, 0, answer);
    call->sink->finish(call->sink->context, 0, cut ? AIM_FINISH_LENGTH : AIM_FINISH_STOP);
    free(text);
    return AIM_STEP_DONE;
}

static int32_t OnWake(void* session, const aim_call* call) {
    (void)session;
    return Fail(call, AIM_ERROR_INTERNAL, 0, "the session never waits");
}

/* ---- the tables and the one exported function ---- */

static const aim_session_functions kSession = {
    sizeof(aim_session_functions), 0, NextRequest, OnHead, OnData, OnEnd, OnWake, End};
static const aim_chat kChat = {sizeof(aim_chat), 0, Create, Destroy, Begin, &kSession};

static int32_t Init(const aim_host* host) {
    (void)host;
    return AIM_OK;
}
static void Deinit(void) {}

static const void* GetInterface(const char* id) {
    if (strcmp(id, AIM_DESCRIPTOR_ID) == 0) {
        return &kDescriptor;
    }
    return strcmp(id, AIM_CHAT_ID) == 0 ? &kChat : NULL;
}

static const aim_entry kEntry = {sizeof(aim_entry), AIM_ABI_MAJOR, AIM_ABI_MINOR, 0,
                                 {0, 0, 0},         Init,          Deinit,        GetInterface};

AIM_EXPORT const aim_entry* aim_plugin_entry(void) { return &kEntry; }
