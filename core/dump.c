/* What translation makes, as text on stderr, for those who ask: ORYX_DUMP=ir,opt,host (`oryx run --dump`).
 *
 * translate.c calls it once a stage. ir: as lifted; opt: simplified; host: the engine's bytes, sixteen a line with their
 * address, as `xxd -r -p` and a disassembler take them. Invariant: without ORYX_DUMP nothing is read but one number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "exec.h"

unsigned oryx__dump_wanted(void)
{
    static const char *const names[] = { "ir", "opt", "host" };
    unsigned wanted = 0;
    const char *p = g_getenv("ORYX_DUMP");
    while (p && *p) {
        size_t n = strcspn(p, ",");
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
            wanted |= strlen(names[i]) == n && !memcmp(p, names[i], n) ? 1u << i : 0;
        p += n + (p[n] == ',');
    }
    return wanted;
}

void oryx__dump_ir(const struct oryx__tbs *tbs, unsigned stage, const oryx_ir *ir)
{
    if (!(tbs->dump & stage))
        return;
    char *text = oryx__ir_print(ir);
    fprintf(stderr, "--- %s of 0x%" PRIx64 ", %u instructions\n%s", stage == ORYX__DUMP_IR ? "ir" : "opt", ir->pc, ir->n_insns, text);
    g_free(text);
}

void oryx__dump_host(const struct oryx__tbs *tbs, const oryx_tb *tb)
{
    const uint8_t *code = tb->code;
    if (!(tbs->dump & ORYX__DUMP_HOST))
        return;
    fprintf(stderr, "--- host of 0x%" PRIx64 ", %u bytes at %p\n", tb->pc, tb->code_size, (const void *)code);
    for (uint32_t i = 0; i < tb->code_size; i++)
        fprintf(stderr, i % 16 ? " %02x%s" : "%02x%s", code[i], i % 16 == 15 || i + 1 == tb->code_size ? "\n" : "");
}
