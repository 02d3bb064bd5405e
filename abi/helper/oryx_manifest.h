/* Put a plugin's manifest into its ELF note: ORYX_MANIFEST("{\"id\": ...}") once, at file scope. */
#ifndef ORYX_MANIFEST_H
#define ORYX_MANIFEST_H

#include "../oryx_plugin.h"

/* JSON text from JSON tokens: ORYX_JSON({"id": "x", "version": "1.0.0"}). */
#define ORYX_JSON(...) #__VA_ARGS__

#define ORYX_MANIFEST(json)                                                                                   \
    static const struct {                                                                                     \
        uint32_t namesz, descsz, type;                                                                        \
        char name[8];                                                                                         \
        char desc[(sizeof(json) + 3u) & ~(size_t)3u];                                                         \
    } oryx_manifest_note __attribute__((used, section(".note.oryx"), aligned(4))) = {                         \
        5, (uint32_t)sizeof(json), ORYX_NOTE_MANIFEST, ORYX_NOTE_OWNER, json                                  \
    }

#endif
