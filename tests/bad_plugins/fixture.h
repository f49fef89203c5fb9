/* A plugin that is right in everything but what the including file defines first:
 *
 *   F_ID, F_VERSION            strings of the descriptor
 *   F_STRUCT_SIZE, F_MAJOR, F_MINOR_REQUIRED   members of the entry
 *   F_ENTRY, F_INIT            statements at the start of aim_plugin_entry and init
 *   F_DESCRIPTOR, F_CHAT       what get_interface answers for these ids
 *   F_SAME(a, b)               how get_interface compares
 *   F_SETTING_COUNT, F_SETTING_NAME            the setting list
 *   F_CREATE, F_BEGIN          statements at the start of create and begin
 *   F_SLOT                     the last slot of the session table
 */
#ifndef AIM_TESTS_FIXTURE_H
#define AIM_TESTS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "aim/abi/aim_abi.h"

#ifndef F_ID
#define F_ID "fixture"
#endif
#ifndef F_VERSION
#define F_VERSION "1.0.0"
#endif
#ifndef F_STRUCT_SIZE
#define F_STRUCT_SIZE sizeof(aim_entry)
#endif
#ifndef F_MAJOR
#define F_MAJOR AIM_ABI_MAJOR
#endif
#ifndef F_MINOR_REQUIRED
#define F_MINOR_REQUIRED 0
#endif
#ifndef F_ENTRY
#define F_ENTRY
#endif
#ifndef F_INIT
#define F_INIT
#endif
#ifndef F_DESCRIPTOR
#define F_DESCRIPTOR &f_descriptor
#endif
#ifndef F_CHAT
#define F_CHAT &f_chat
#endif
#ifndef F_SAME
#define F_SAME(a, b) (strcmp(a, b) == 0)
#endif
#ifndef F_SETTING_COUNT
#define F_SETTING_COUNT 0
#endif
#ifndef F_SETTING_NAME
#define F_SETTING_NAME "FIXTURE_KEY"
#endif
#ifndef F_CREATE
#define F_CREATE
#endif
#ifndef F_BEGIN
#define F_BEGIN
#endif
#ifndef F_SLOT
#define F_SLOT f_end
#endif

#define F_STR(text) \
    { text, sizeof(text) - 1 }

static int f_object;

static int32_t f_init(const aim_host* host) {
    (void)host;
    F_INIT
    return AIM_OK;
}
static void f_deinit(void) {}

static int32_t f_create(const aim_config* config, const aim_call* call, void** provider) {
    (void)config;
    (void)call;
    F_CREATE
    *provider = &f_object;
    return AIM_OK;
}
static void f_destroy(void* provider) { (void)provider; }
static int32_t f_begin(void* provider, const aim_call* call, const aim_chat_request* request,
                       uint64_t seed, void** session) {
    (void)provider;
    (void)call;
    (void)request;
    (void)seed;
    *session = &f_object;
    F_BEGIN
    return AIM_STEP_DONE;
}
static int32_t f_next_request(void* session, const aim_call* call,
                              const aim_http_builder* builder) {
    (void)session;
    (void)call;
    (void)builder;
    return AIM_OK;
}
static int32_t f_on_head(void* session, const aim_call* call, const aim_http_head* head) {
    (void)session;
    (void)call;
    (void)head;
    return AIM_STEP_DONE;
}
static int32_t f_on_data(void* session, const aim_call* call, const aim_http_data* data) {
    (void)session;
    (void)call;
    (void)data;
    return AIM_STEP_DONE;
}
static int32_t f_on_end(void* session, const aim_call* call, int32_t how) {
    (void)session;
    (void)call;
    (void)how;
    return AIM_STEP_DONE;
}
static int32_t f_on_wake(void* session, const aim_call* call) {
    (void)session;
    (void)call;
    return AIM_STEP_DONE;
}
__attribute__((unused)) static void f_end(void* session) { (void)session; }

static const aim_session_functions f_session = {sizeof(aim_session_functions),
                                                0,
                                                f_next_request,
                                                f_on_head,
                                                f_on_data,
                                                f_on_end,
                                                f_on_wake,
                                                F_SLOT};
__attribute__((unused)) static const aim_chat f_chat = {sizeof(aim_chat), 0,       f_create,
                                                        f_destroy,        f_begin, &f_session};

static const aim_setting f_the_setting = {
    sizeof(aim_setting), AIM_SETTING_SECRET, F_STR(F_SETTING_NAME), F_STR("A setting."), {NULL, 0}};
static const aim_setting* f_setting(uint32_t i) {
    (void)i;
    return &f_the_setting;
}

__attribute__((unused)) static const aim_descriptor f_descriptor = {
    sizeof(aim_descriptor),
    0,
    F_STR(F_ID),
    F_STR("Fixture"),
    F_STR("tests"),
    F_STR(F_VERSION),
    F_STR("https://fixture.example/v1"),
    0,
    F_SETTING_COUNT,
    0,
    0,
    NULL,
    f_setting,
    NULL,
    NULL,
    {NULL, 0}};

static const void* f_get_interface(const char* id) {
    if (F_SAME(id, AIM_DESCRIPTOR_ID)) return F_DESCRIPTOR;
    if (F_SAME(id, AIM_CHAT_ID)) return F_CHAT;
    return NULL;
}

static const aim_entry f_entry = {F_STRUCT_SIZE, F_MAJOR, AIM_ABI_MINOR, F_MINOR_REQUIRED,
                                  {0, 0, 0},     f_init,  f_deinit,      f_get_interface};

const aim_entry* aim_plugin_entry(void) {
    F_ENTRY
    return &f_entry;
}

#endif /* AIM_TESTS_FIXTURE_H */
