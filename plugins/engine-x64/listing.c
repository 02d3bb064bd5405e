/* Compiled code as text on stderr, one host instruction a line, when ORYX_DUMP names "host" (`oryx run --dump=host`).
 *
 * publish.c calls it once a block. Zydis decodes, the library arch-x86 uses; it is opened by the first listing, so that no other
 * process pays for it. Invariant: without ORYX_DUMP nothing here runs but one look at the environment a machine. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x64.h"

#ifdef ORYX_ZYDIS
#include <Zydis/Zydis.h>

typedef ZyanStatus (*disassemble)(ZydisMachineMode, ZyanU64, const void *, ZyanUSize, ZydisDisassembledInstruction *);

static disassemble zydis;

static void zydis_open(void)
{
    void *library = dlopen(ORYX_ZYDIS, RTLD_NOW | RTLD_LOCAL);
    union {
        void *object;
        disassemble function;
    } found = { library ? dlsym(library, "ZydisDisassembleIntel") : NULL };
    zydis = found.function;
}

/* The text of the instruction at p; its length, 1 where there is none. */
static unsigned decode(const uint8_t *p, uint32_t left, char *text, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    ZydisDisassembledInstruction d;
    pthread_once(&once, zydis_open);
    if (!zydis || !ZYAN_SUCCESS(zydis(ZYDIS_MACHINE_MODE_LONG_64, (uintptr_t)p, p, left, &d))) {
        snprintf(text, size, "%s", zydis ? "(data)" : "(" ORYX_ZYDIS " is not installed)");
        return 1;
    }
    snprintf(text, size, "%s", d.text);
    return d.info.length;
}
#else
static unsigned decode(const uint8_t *p, uint32_t left, char *text, size_t size)
{
    (void)p;
    (void)left;
    snprintf(text, size, "(built without Zydis)");
    return 1;
}
#endif

bool listing_wanted(void)
{
    for (const char *p = getenv("ORYX_DUMP"); p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == 4 && !memcmp(p, "host", 4))
            return true;
    return false;
}

void listing_block(const oryx_tb *tb, const char *name)
{
    const uint8_t *code = tb->code;
    char text[200], bytes[64];
    fprintf(stderr, "--- listing of %s, %u guest instructions%s\n", name, tb->n_insns, tb->flags & ORYX_TB_REGION ? " at least" : "");
    for (uint32_t at = 0, n; at < tb->code_size; at += n) {
        n = decode(code + at, tb->code_size - at, text, sizeof text);
        for (uint32_t i = 0; i < n; i++)
            snprintf(bytes + 3 * i, 4, "%02x ", code[at + i]);
        fprintf(stderr, "  %llx: %-36s %s\n", (unsigned long long)(uintptr_t)(code + at), bytes, text);
    }
}
