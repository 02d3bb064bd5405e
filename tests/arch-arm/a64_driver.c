/* Drives the arch-arm plugin file without a machine, for the tests of this folder.
 *
 *   a64_driver PLUGIN dis PC < words      one line of disassembly a 32-bit little-endian word; words are at PC, PC + 4, ...
 *   a64_driver PLUGIN lift SEED COUNT     lifts COUNT random words (0: all 2^32) and passes the IR to the core's checker
 *   a64_driver PLUGIN ir WORD...          prints the IR of words
 *
 * The same of class "arm", with the mode key; T32 instructions are halfword pairs, the first halfword in the upper half
 * (dis: two little-endian halfwords a line, 16-bit instructions in the first):
 *
 *   a64_driver PLUGIN dis32 MODE PC       lift32 SEED COUNT      ir32 MODE WORD...
 *
 * lift32 takes half of its words as A32, half as T32, inside and outside IT blocks, and every CPU model in turn.
 * Exit status 1 and one line a failure: a refused block, an error of the frontend, a text that is not one line. The
 * oracle of `lift` is core/ir_check.c: types, effects order (no fault after a write), block ends. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

static const oryx_arch_ops *arch;
static int thumb_words; /* words are halfword pairs */
static uint32_t model_index;

static int open_plugin(const char *path, const char *cls)
{
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    oryx_plugin_open_fn open_fn = NULL;
    if (so)
        *(void **)&open_fn = dlsym(so, ORYX_PLUGIN_ENTRY);
    if (!open_fn) {
        fprintf(stderr, "%s: %s\n", path, dlerror());
        return -1;
    }
    const oryx_plugin_ops *ops = NULL;
    oryx_error err = { 0 };
    if (open_fn(&oryx__host.hdr, &ops, &err) || !(arch = ops->get(ORYX_ARCH_ID, cls))) {
        fprintf(stderr, "%s: no %s frontend: %s\n", path, cls, err.text);
        return -1;
    }
    return 0;
}

static int dis(uint64_t pc, uint64_t mode)
{
    uint8_t word[4];
    for (; fread(word, 1, 4, stdin) == 4; pc += 4) {
        oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
        arch->disasm(pc, mode, word, 4, &d);
        puts(d.text);
    }
    return 0;
}

static void to_bytes(uint8_t bytes[4], uint32_t word)
{
    if (thumb_words)
        word = word >> 16 | word << 16;
    for (int k = 0; k < 4; k++)
        bytes[k] = (uint8_t)(word >> 8 * k);
}

/* Lifts one word as the core does: INSN, the body, and a way out when the body has none. */
static oryx_status lift(oryx_ir *ir, uint32_t word, uint64_t mode)
{
    uint8_t bytes[4];
    to_bytes(bytes, word);
    oryx_lift l = { .hdr = ORYX_HDR(oryx_lift), .ir = ir, .pc = 0x400000, .mode = mode, .bytes = bytes, .n_bytes = 4,
                    .model = &arch->models[model_index] };
    oryx__ir_reset(ir, l.pc, mode);
    oryx_ir_emit(ir, ORYX_OP_INSN, ORYX_T_VOID, ORYX_T_VOID, 4, 0, 0, l.pc);
    ir->n_insns = 1;
    oryx_status s = arch->lift(&l);
    if (!s && !l.end)
        oryx_goto(ir, l.pc + l.len, 0);
    return s ? s : ir->error;
}

static int check(oryx_ir *ir, uint32_t word, uint64_t mode)
{
    oryx_error err = { 0 };
    oryx_status s = lift(ir, word, mode);
    if (!s)
        s = oryx__ir_check(ir, arch, &err);
    if (!s)
        return 0;
    uint8_t bytes[4];
    to_bytes(bytes, word);
    oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
    arch->disasm(0x400000, mode, bytes, 4, &d);
    printf("%08" PRIx32 " %s: %s\n", word, d.text, err.text[0] ? err.text : oryx_status_text(s));
    return 1;
}

/* xorshift64: the same words for the same seed everywhere. */
static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    return *x ^= *x << 17;
}

/* A mode key of class "arm": T, E and, in T32, an ITSTATE. */
static uint64_t mode32(uint64_t i, uint64_t r)
{
    thumb_words = i & 1;
    model_index = (uint32_t)(i >> 1) % arch->n_models;
    uint64_t it = r >> 33 & 1 && r >> 34 & 15 ? r >> 34 & 255 : 0;
    return thumb_words ? 1 | (r >> 32 & 1) << 1 | it << 8 : (r >> 32 & 1) << 1;
}

/* Every word has a text without line breaks, or none. */
static uint64_t text_ok(uint32_t word, uint64_t mode)
{
    uint8_t bytes[4];
    to_bytes(bytes, word);
    oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
    arch->disasm(0x400000, mode, bytes, 4, &d);
    if (d.len && d.text[0] && !strchr(d.text, '\n') && strlen(d.text) < sizeof d.text - 1)
        return 1;
    printf("%08" PRIx32 ": text '%s'\n", word, d.text);
    return 0;
}

static int lift_words(uint64_t seed, uint64_t count, int class32)
{
    oryx_ir ir;
    uint64_t x = seed * 2 + 1, failures = 0, n = count ? count : UINT64_C(1) << 32;
    struct timespec t0, t1;
    if (oryx__ir_init(&ir))
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (uint64_t i = 0; i < n && failures < 20; i++) {
        uint64_t r = next(&x);
        uint64_t mode = class32 ? mode32(i, r) : (r >> 32) & 0x07c00000;
        uint32_t word = count ? (uint32_t)r : (uint32_t)i;
        if (thumb_words && i & 2)
            word |= 0xe8000000; /* as many 32-bit instructions */
        failures += (uint64_t)check(&ir, word, mode) + (class32 && !text_ok(word, mode));
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    oryx__ir_fini(&ir);
    printf("seed %" PRIu64 ": %" PRIu64 " words lifted and checked, %" PRIu64 " failures, %.0f ns a word\n", seed, n,
           failures, ((double)(t1.tv_sec - t0.tv_sec) * 1e9 + (double)(t1.tv_nsec - t0.tv_nsec)) / (double)n);
    return failures != 0;
}

static int show(char **words, uint64_t mode)
{
    oryx_ir ir;
    int bad = 0;
    if (oryx__ir_init(&ir))
        return 1;
    for (; *words; words++) {
        uint32_t word = (uint32_t)strtoul(*words, NULL, 16);
        bad |= check(&ir, word, mode);
        char *text = oryx__ir_print(&ir);
        puts(text);
        g_free(text);
    }
    oryx__ir_fini(&ir);
    return bad;
}

int main(int argc, char **argv)
{
    int class32 = argc > 2 && strstr(argv[2], "32") != NULL;
    if (argc < 4 + (class32 && strcmp(argv[2], "lift32")) || open_plugin(argv[1], class32 ? "arm" : "arm64")) {
        fprintf(stderr, "usage: a64_driver PLUGIN dis PC | lift SEED COUNT | ir WORD... | dis32 MODE PC | lift32 SEED COUNT | "
                        "ir32 MODE WORD...\n");
        return 2;
    }
    uint64_t mode = class32 ? strtoull(argv[3], NULL, 0) : 0;
    if (!strncmp(argv[2], "dis", 3))
        return dis(strtoull(argv[3 + class32], NULL, 0), mode);
    if (!strncmp(argv[2], "lift", 4) && argc == 5)
        return lift_words(strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0), class32);
    thumb_words = mode & 1;
    return show(argv + 3 + class32, mode);
}
