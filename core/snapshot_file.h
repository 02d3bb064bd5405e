/* The format of a snapshot file, for snapshot_save.c and snapshot_load.c. All numbers are little-endian.
 *
 *   file     magic "ORYXSNAP", u32 version, u32 number of sections, u64 size of the file, u64 check of these 24 bytes
 *   section  u32 mark, u32 length of the name, u32 version, u32 0, u64 length of the payload; name; payload; u64 check of
 *            name, payload, version and length (XXH3)
 *
 * Sections, in this order; the version of a section that a plugin reads is that of its manifest's "state":
 *   machine            {"arch", "skipped", "vcpus"}
 *   regions            list in creation order: {"name", "type", "last", "parent": row, or the name of a space, or null, "offset",
 *                      "priority", "order", "enabled", "prot", "mode"}
 *   roots              [[space, enabled, prot]] of the spaces whose root is not enabled with every right; when there is one
 *   region-state/I/N   text of the backend of row I
 *   vcpu/I             JSON object, a zero byte, the frontend's state block
 *   device/I/N         {"class", "alarm", "outputs": [[line, level]], "inputs": [[line, outside, told, rose]], "state": text}
 *   wires              [[from, line, to, input, level]], devices by row
 *   memory/I/N         u64 last byte of region row I; runs: u64 first page, u64 pages, their bytes (a last page cut off by the
 *                      region's end is filled up); pages between runs are zeros; ends with a run of no pages */
#ifndef ORYX_SNAPSHOT_FILE_H
#define ORYX_SNAPSHOT_FILE_H

#include <endian.h>
#include <string.h>
#include <xxhash.h>

#include "helper/oryx_json.h"
#include "plugin_host.h"
#include "snapshot.h"

#define ORYX__FILE_MAGIC   "ORYXSNAP"
#define ORYX__FILE_VERSION 1u
#define ORYX__FILE_HEADER  32u
#define ORYX__SECTION_MARK 0x5359524fu /* "ORYS" */
#define ORYX__SECTION_HEAD 24u

static inline void oryx__put32(uint8_t *to, uint32_t v)
{
    v = htole32(v);
    memcpy(to, &v, 4);
}

static inline void oryx__put64(uint8_t *to, uint64_t v)
{
    v = htole64(v);
    memcpy(to, &v, 8);
}

static inline uint32_t oryx__get32(const uint8_t *from)
{
    uint32_t v;
    memcpy(&v, from, 4);
    return le32toh(v);
}

static inline uint64_t oryx__get64(const uint8_t *from)
{
    uint64_t v;
    memcpy(&v, from, 8);
    return le64toh(v);
}

/* The state version that the provider of an interface writes (version), and what it reads (low to high). */
static inline void oryx__state_versions(oryx_machine *m, const char *interface, const char *cls, uint32_t *version,
                                        uint32_t *low, uint32_t *high, const char **id)
{
    const oryx_plugin *p = interface ? oryx__plugin_of(m, interface, cls) : NULL;
    *version = p ? p->manifest.state_version : 1;
    *low = p ? p->manifest.state_low : 1;
    *high = p ? p->manifest.state_high : 1;
    *id = p ? p->manifest.id : "the core";
}

#endif
