/* How a plugin makes its one symbol visible, and the ELF note that tells about it without running
 * it. */
#ifndef AIM_ABI_EXPORT_H
#define AIM_ABI_EXPORT_H

#include "aim/abi/types.h"
#include "aim/abi/version.h"

#if defined(__GNUC__) || defined(__clang__)
#define AIM_EXPORT __attribute__((visibility("default")))
#else
#define AIM_EXPORT
#endif

#define AIM_STRINGIFY_(x) #x
#define AIM_STRINGIFY(x) AIM_STRINGIFY_(x)

/* Section, owner name and type of the note. Its descriptor is text, lines of key=value ended by
 * '\n', then NULs: abi=MAJOR.MINOR        the ABI that the plugin was built with id=groq the
 * descriptor's provider id version=1.2.0          the descriptor's version A reader ignores keys
 * that it does not know. Facts in the note and in the descriptor must be equal. */
#define AIM_NOTE_SECTION ".note.aim"
#define AIM_NOTE_NAME "AIM"
#define AIM_NOTE_TYPE 1

#define AIM_NOTE_TEXT_(id, version)                                                 \
    "abi=" AIM_STRINGIFY(AIM_ABI_MAJOR) "." AIM_STRINGIFY(AIM_ABI_MINOR) "\nid=" id \
                                                                         "\nversion=" version "\n"

/* Puts the note into the file. Once in a plugin, at file scope, with two string literals:
 * AIM_PLUGIN_NOTE("groq", "1.2.0"); The layout is that of ELF notes (System V ABI, "Note Section"):
 * three words, the name, the descriptor, each padded to 4 bytes. */
#if defined(__GNUC__) || defined(__clang__)
#define AIM_PLUGIN_NOTE(id, version)                                                          \
    __attribute__((section(AIM_NOTE_SECTION), used, aligned(4))) static const struct {        \
        uint32_t name_size;                                                                   \
        uint32_t text_size;                                                                   \
        uint32_t type;                                                                        \
        char name[4];                                                                         \
        char text[(sizeof(AIM_NOTE_TEXT_(id, version)) + 3) / 4 * 4];                         \
    } aim_plugin_note = {4, (sizeof(AIM_NOTE_TEXT_(id, version)) + 3) / 4 * 4, AIM_NOTE_TYPE, \
                         AIM_NOTE_NAME, AIM_NOTE_TEXT_(id, version)}
#else
#define AIM_PLUGIN_NOTE(id, version) typedef int aim_plugin_note_unsupported
#endif

#endif /* AIM_ABI_EXPORT_H */
