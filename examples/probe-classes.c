/* A probe: how many instructions of each class of the A64 encoding a program executes, and which addresses it stores to.
 *
 *   oryx run --plugin example.probe-classes PROGRAM
 *
 * A probe is asked when code is translated, not when it runs. It adds IR to the block, which the engine compiles along
 * with the guest's, in one of two ways, both shown here:
 *   - SLOTADD, an addition to a 64-bit counter of the vCPU: no call, a cycle or two an instruction;
 *   - CALL of a helper of its own, for what IR cannot say: here the lowest and highest address stored to.
 * Guest results never depend on it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({
    "id": "example.probe-classes",
    "version": "1.0.0",
    "abi": {"major": 1, "minor": 0},
    "licence": "MIT",
    "provides": [{"interface": "oryx.probe/1", "class": "classes"}]
}));

/* Bits 28..25 of an A64 word say the class (DDI 0487, C4.1). */
enum { IMMEDIATE, BRANCH, MEMORY, REGISTER, VECTOR, OTHER, CLASSES };
static const char *const names[CLASSES] = { "data, immediate", "branch, system", "load, store", "data, register", "FP, vector",
                                            "other" };

static unsigned class_of(uint32_t word)
{
    unsigned op0 = word >> 25 & 15;
    if ((op0 & 0xe) == 0x8)
        return IMMEDIATE;
    if ((op0 & 0xe) == 0xa)
        return BRANCH;
    if ((op0 & 0x5) == 0x4)
        return MEMORY;
    if ((op0 & 0x7) == 0x5)
        return REGISTER;
    return (op0 & 0x7) == 0x7 ? VECTOR : OTHER;
}

typedef struct probe {
    const oryx_host *host;
    oryx_machine *machine;
    uint32_t slot;   /* the first of CLASSES slots in every vCPU */
    uint32_t helper; /* number of the helper below */
    uint64_t lowest, highest, stores;
} probe;

/* The helper: "void(u64,u64)". The first argument is the probe, passed as a constant of the block, so that two machines in
 * one process do not share anything. vCPUs on several threads may be here at once. */
static void on_store(uint64_t self, uint64_t addr)
{
    probe *p = (probe *)(uintptr_t)self;
    __atomic_fetch_add(&p->stores, 1, __ATOMIC_RELAXED);
    for (uint64_t seen = __atomic_load_n(&p->lowest, __ATOMIC_RELAXED);
         addr < seen && !__atomic_compare_exchange_n(&p->lowest, &seen, addr, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED);)
        continue;
    for (uint64_t seen = __atomic_load_n(&p->highest, __ATOMIC_RELAXED);
         addr > seen && !__atomic_compare_exchange_n(&p->highest, &seen, addr, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED);)
        continue;
}

static oryx_status classes_create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    (void)options;
    const oryx_helper row = { "example.classes.store", "void(u64,u64)", "", (void (*)(void))on_store };
    probe *p = calloc(1, sizeof *p);
    if (!p)
        return host->error_set(err, ORYX_E_NOMEM, "probe classes: out of memory");
    int32_t slot = host->slots_alloc(m, CLASSES);
    int32_t helper = slot < 0 ? slot : host->helper_add(m, &row, 1, sizeof row, err);
    if (slot < 0)
        host->error_set(err, slot, "probe classes: no room for its counters");
    if (helper < 0) {
        free(p);
        return helper;
    }
    p->host = host;
    p->machine = m;
    p->slot = (uint32_t)slot;
    p->helper = (uint32_t)helper;
    p->lowest = ~0ull;
    *self = p;
    return ORYX_OK;
}

static void classes_destroy(void *self)
{
    free(self);
}

/* Translation time: this instruction will count one more of its class whenever it is executed. */
static void classes_insn(void *self, oryx_ir *ir, const oryx_probe_insn *insn)
{
    const probe *p = self;
    const uint8_t *b = insn->bytes;
    if (insn->len != 4)
        return;
    unsigned class = class_of(b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
    oryx_ir_emit(ir, ORYX_OP_SLOTADD, ORYX_T_VOID, ORYX_T_VOID, oryx_const(ir, ORYX_T_I64, 1), 0, 0, p->slot + class);
}

/* Translation time: a memory op was just emitted; mem->addr is the IR value that will hold its address. */
static void classes_mem(void *self, oryx_ir *ir, const oryx_probe_mem *mem)
{
    const probe *p = self;
    if (!mem->write)
        return;
    const oryx_val args[2] = { oryx_const(ir, ORYX_T_I64, (uint64_t)(uintptr_t)self), mem->addr };
    oryx_call(ir, p->helper, ORYX_T_VOID, args, 2);
}

static void classes_finish(void *self)
{
    const probe *p = self;
    uint64_t total = 0, n[CLASSES];
    for (uint32_t i = 0; i < CLASSES; i++)
        total += n[i] = p->host->slots_sum(p->machine, p->slot + i);
    fprintf(stderr, "%-16s %12s %6s\n", "class", "instructions", "share");
    for (uint32_t i = 0; i < CLASSES; i++)
        if (n[i])
            fprintf(stderr, "%-16s %12" PRIu64 " %5.1f%%\n", names[i], n[i], 100.0 * (double)n[i] / (double)total);
    if (p->stores)
        fprintf(stderr, "%" PRIu64 " stores, from 0x%" PRIx64 " to 0x%" PRIx64 "\n", p->stores, p->lowest, p->highest);
}

static const oryx_probe_ops ops = {
    .hdr = ORYX_HDR(oryx_probe_ops),
    .name = "classes",
    .create = classes_create,
    .destroy = classes_destroy,
    .insn = classes_insn,
    .mem = classes_mem,
    .finish = classes_finish,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_PROBE_ID) && !strcmp(cls, "classes") ? &ops : NULL;
}

ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host; /* create is given the host table */
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
