/* The plugin that the refusal tests are made of: correct as it stands, and wrong in one way with one of the macros below.
 * Any code of it that runs says so in ORYX_TEST_RAN: "constructor", then "entry". */
#include <oryx.h>
#include <helper/oryx_manifest.h>
#include <stdlib.h>
#include <string.h>

#ifndef MANIFEST
#define MANIFEST "{\"id\": \"test.good\", \"version\": \"1.2.3\", \"abi\": {\"major\": 1, \"minor\": 0}, " \
                 "\"provides\": [{\"interface\": \"oryx.device/1\", \"class\": \"good\"}]}"
#endif
#ifndef NAME
#define NAME "good"
#endif

#ifndef NO_NOTE
ORYX_MANIFEST(MANIFEST);
#endif
#ifdef TWO_NOTES
#define oryx_manifest_note another_note
ORYX_MANIFEST(MANIFEST);
#endif

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void constructor(void)
{
    setenv("ORYX_TEST_RAN", "constructor", 1);
}
#endif

#ifdef TOUCH /* the file changes between the checks and the end of dlopen */
#include <fcntl.h>
#include <sys/stat.h>
__attribute__((constructor)) static void constructor(void)
{
    static const struct timespec then[2] = { { 1, 0 }, { 1, 0 } };
    utimensat(AT_FDCWD, TOUCH, then, 0);
}
#endif

#ifdef EXTRA_EXPORT
ORYX_EXPORT int extra_symbol(void);
int extra_symbol(void)
{
    return 1;
}
#endif

#ifdef TEXTREL
__asm__(".text\n.quad oryx_manifest_note\n");
#endif

#ifdef UNDEFINED
int nobody_has_this(void);
#endif

static const void *get(const char *interface, const char *cls)
{
    static const char *const ops[] = { NAME };
    (void)interface;
    (void)cls;
#ifdef UNDEFINED
    return nobody_has_this() ? ops : NULL;
#elif defined(EMPTY_PROMISE)
    return ops[0] ? NULL : ops;
#else
    return ops;
#endif
}

#ifdef ENTRY_NAME
#define oryx_plugin_open_v1 ENTRY_NAME
ORYX_EXPORT oryx_status ENTRY_NAME(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err);
#endif
#ifdef ENTRY_DATA
ORYX_EXPORT extern const int oryx_plugin_open_v1_data;
const int oryx_plugin_open_v1_data __asm__("oryx_plugin_open_v1") = 1;
#define oryx_plugin_open_v1 hidden_entry
__attribute__((unused)) static oryx_status hidden_entry(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err);
#endif

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static oryx_plugin_ops ops = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    setenv("ORYX_TEST_RAN", "entry", 1);
    (void)host;
    (void)err;
#ifdef FAILS
    strcpy(err->text, "the licence server is on holiday");
    return ORYX_E_IO;
#elif defined(FAILS_SILENTLY)
    return ORYX_E_NOMEM;
#elif defined(FAILS_ENDLESSLY)
    memset(err->text, 'x', sizeof err->text);
    return ORYX_E_IO;
#elif defined(NO_OPS)
    return ORYX_OK;
#elif defined(SHORT_OPS)
    ops.hdr.size = sizeof(oryx_hdr);
#elif defined(NO_GET)
    ops.get = NULL;
#endif
    *out = &ops;
    return ORYX_OK;
}
