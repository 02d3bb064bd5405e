/* A vCPU without a core: state, frame, TLBs, flat memory and a fake host around the real engine-interp.so.
 *
 * State: 48 registers of 16 bytes at REG(i), the pc slot at PC_OFF. Memory: 4 pages at MEM; the first two are in the TLB,
 * the others are reached through the fake slow path; beyond is a fault. */
#ifndef INTERP_RIG_H
#define INTERP_RIG_H

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "oryx_plugin.h"

#define REG(i)   ((uint32_t)(16u * (i)))
#define N_REGS   48u
#define PC_OFF   (16u * N_REGS)
#define STATE    (PC_OFF + 64u)
#define MEM      0x10000u
#define MEM_SIZE 0x4000u
#define NEAR     0x2000u /* of it in the TLB */

typedef struct rig {
    oryx_host host;
    oryx_arch_ops arch;
    const oryx_engine_ops *ops;
    void *engine;
    void *block;
    oryx_cpu *cpu;
    uint8_t *mem;
    oryx_tlb_entry rd[8], wr[8];
    oryx_tb *jumps[1u << ORYX_JUMP_CACHE_BITS];
    oryx_ir ir;
    oryx_leave leave;
    uint32_t slow;            /* slow-path calls */
    oryx_tb *invalidate;      /* marked invalid by the next slow store */
    uint64_t slots[8];
    uint64_t seen_pc;         /* pc slot as the last slow path saw it */
} rig;

static rig *the_rig; /* for callbacks without an argument of ours */

static oryx_status rig_grow(oryx_ir *ir)
{
    uint32_t cap = ir->cap ? ir->cap * 2 : 64;
    oryx_ir_op *ops = realloc(ir->ops, cap * sizeof *ops);
    if (!ops)
        return ORYX_E_NOMEM;
    ir->ops = ops;
    ir->cap = cap;
    return ORYX_OK;
}

static const oryx_arch_ops *rig_arch(oryx_machine *m)
{
    (void)m;
    return &the_rig->arch;
}

static oryx_status rig_error_set(oryx_error *err, oryx_status code, const char *text)
{
    if (err) {
        err->code = code;
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return code;
}

static inline uint64_t rig_pc(void)
{
    uint64_t pc;
    memcpy(&pc, the_rig->cpu->state + PC_OFF, 8);
    return pc;
}

static oryx_status rig_fault(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t memop)
{
    cpu->exc.kind = ORYX_EXC_MEMORY;
    cpu->exc.access = access;
    cpu->exc.addr = addr;
    cpu->exc.size = 1u << ORYX_MO_SIZE(memop);
    cpu->exc.status = ORYX_FAULT_DECODE;
    return ORYX_FAULT_DECODE;
}

static uint8_t *rig_at(oryx_cpu *cpu, uint64_t addr, uint32_t memop, uint32_t access)
{
    unsigned bytes = 1u << ORYX_MO_SIZE(memop), align = ORYX_MO_ALIGN_OF(memop);
    the_rig->slow++;
    the_rig->seen_pc = rig_pc();
    if (addr < MEM || addr + bytes > MEM + MEM_SIZE || (addr & ((1u << align) - 1))) {
        rig_fault(cpu, addr, access, memop);
        return NULL;
    }
    return the_rig->mem + (addr - MEM);
}

static oryx_v128 rig_read(const uint8_t *p, uint32_t memop)
{
    uint8_t b[16] = { 0 };
    unsigned n = 1u << ORYX_MO_SIZE(memop);
    oryx_v128 v;
    for (unsigned i = 0; i < n; i++)
        b[i] = p[memop & ORYX_MO_BE ? n - 1 - i : i];
    memcpy(&v, b, 16);
    return v;
}

static void rig_write(uint8_t *p, uint32_t memop, const oryx_v128 *v)
{
    uint8_t b[16];
    unsigned n = 1u << ORYX_MO_SIZE(memop);
    memcpy(b, v, 16);
    for (unsigned i = 0; i < n; i++)
        p[i] = b[memop & ORYX_MO_BE ? n - 1 - i : i];
}

static oryx_status rig_load(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    uint8_t *p = rig_at(cpu, addr, memop, ORYX_ACCESS_READ);
    if (!p)
        return ORYX_FAULT_DECODE;
    *out = rig_read(p, memop);
    return ORYX_OK;
}

static oryx_status rig_store(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val)
{
    uint8_t *p = rig_at(cpu, addr, memop, ORYX_ACCESS_WRITE);
    if (!p)
        return ORYX_FAULT_DECODE;
    rig_write(p, memop, val);
    if (the_rig->invalidate)
        the_rig->invalidate->flags |= ORYX_TB_INVALID;
    return ORYX_OK;
}

static oryx_status rig_rmw(oryx_cpu *cpu, uint64_t addr, uint64_t memop, uint64_t operand, uint64_t *old)
{
    uint8_t *p = rig_at(cpu, addr, (uint32_t)memop, ORYX_ACCESS_WRITE);
    if (!p)
        return ORYX_FAULT_DECODE;
    oryx_v128 v = rig_read(p, (uint32_t)memop), n = { 0, 0 };
    *old = v.lo;
    n.lo = memop >> 32 == ORYX_RMW_ADD ? v.lo + operand : operand;
    rig_write(p, (uint32_t)memop, &n);
    return ORYX_OK;
}

static oryx_status rig_cas(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect, const oryx_v128 *val,
                           oryx_v128 *old)
{
    uint8_t *p = rig_at(cpu, addr, memop, ORYX_ACCESS_WRITE);
    if (!p)
        return ORYX_FAULT_DECODE;
    *old = rig_read(p, memop);
    if (old->lo == expect->lo && old->hi == expect->hi)
        rig_write(p, memop, val);
    return ORYX_OK;
}

static oryx_status rig_ldx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    oryx_status s = rig_load(cpu, addr, memop, out);
    if (!s) {
        cpu->monitor.addr = addr;
        cpu->monitor.active = 1;
    }
    return s;
}

static oryx_status rig_stx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val, uint32_t *failed)
{
    *failed = !(cpu->monitor.active && cpu->monitor.addr == addr);
    cpu->monitor.active = 0;
    return *failed ? ORYX_OK : rig_store(cpu, addr, memop, val);
}

static oryx_tb *rig_tb_find(oryx_cpu *cpu, uint64_t pc)
{
    (void)cpu;
    (void)pc;
    return NULL;
}

/* frame: give the engine a frame beside the state, as the core does. */
static rig *rig_new(int frame)
{
    static const oryx_cpu_fns fns = { .hdr = ORYX_HDR(oryx_cpu_fns), .load = rig_load, .store = rig_store, .rmw = rig_rmw,
                                      .cas = rig_cas, .ldx = rig_ldx, .stx = rig_stx, .tb_find = rig_tb_find };
    rig *r = calloc(1, sizeof *r);
    char path[4096];
    const char *build = getenv("ORYX_BUILD");
    snprintf(path, sizeof path, "%s/plugins/engine-interp.so", build ? build : "..");
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!so)
        fprintf(stderr, "%s\n", dlerror());
    assert_non_null(so);
    oryx_plugin_open_fn open;
    *(void **)&open = dlsym(so, ORYX_PLUGIN_ENTRY);
    const oryx_plugin_ops *plugin = NULL;
    the_rig = r;
    r->host.hdr = (oryx_hdr)ORYX_HDR(oryx_host);
    r->host.machine_arch = rig_arch;
    r->host.error_set = rig_error_set;
    r->arch.pc_offset = PC_OFF;
    r->arch.state_size = STATE;
    assert_int_equal(open(&r->host.hdr, &plugin, NULL), ORYX_OK);
    r->ops = plugin->get(ORYX_ENGINE_ID, "interp");
    assert_non_null(r->ops);
    assert_int_equal(r->ops->create(&r->host, NULL, NULL, &r->engine, NULL), ORYX_OK);
    size_t cpu_size = (sizeof(oryx_cpu) + 63) & ~(size_t)63, state_size = (STATE + 63) & ~(size_t)63;
    r->block = aligned_alloc(64, cpu_size + state_size + r->ops->frame_size);
    memset(r->block, 0, cpu_size + state_size + r->ops->frame_size);
    oryx_cpu *cpu = r->cpu = r->block;
    cpu->hdr = (oryx_hdr)ORYX_HDR(oryx_cpu);
    cpu->state = (uint8_t *)r->block + cpu_size;
    cpu->frame = frame ? cpu->state + state_size : NULL;
    cpu->fn = &fns;
    cpu->jump_cache = r->jumps;
    cpu->slots = r->slots;
    cpu->fp.tiny_before = 1;
    r->mem = aligned_alloc(4096, MEM_SIZE);
    memset(r->mem, 0, MEM_SIZE);
    for (unsigned i = 0; i < 8; i++)
        r->rd[i].tag = r->wr[i].tag = 1;
    for (uint64_t a = MEM; a < MEM + NEAR; a += 4096) {
        oryx_tlb_entry e = { a, (uint64_t)(uintptr_t)r->mem - MEM };
        r->rd[a >> 12 & 7] = r->wr[a >> 12 & 7] = e;
    }
    for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++)
        cpu->tlb[i] = (oryx_tlb){ r->rd, r->wr, 7 };
    assert_int_equal(r->ops->vcpu_init(r->engine, cpu, NULL), ORYX_OK);
    r->ir.hdr = (oryx_hdr)ORYX_HDR(oryx_ir);
    r->ir.grow = rig_grow;
    return r;
}

static void rig_free(rig *r)
{
    r->ops->vcpu_fini(r->engine, r->cpu);
    r->ops->destroy(r->engine);
    free(r->ir.ops);
    free(r->block);
    free(r->mem);
    free(r);
}

static oryx_ir *rig_begin(rig *r, uint64_t pc)
{
    the_rig = r;
    r->ir.n = 0;
    r->ir.error = 0;
    r->ir.n_insns = 0;
    r->ir.pc = pc;
    oryx_ir_emit(&r->ir, ORYX_OP_NOP, 0, 0, 0, 0, 0, 0);
    return &r->ir;
}

static void rig_insn(rig *r, uint64_t pc)
{
    oryx_ir_emit(&r->ir, ORYX_OP_INSN, 0, 0, 4, 0, 0, pc);
    r->ir.n_insns++;
}

static void rig_compile(rig *r, oryx_tb *tb)
{
    oryx_error err = { 0 };
    memset(tb, 0, sizeof *tb);
    tb->pc = r->ir.pc;
    tb->n_insns = r->ir.n_insns;
    oryx_status s = r->ops->compile(r->engine, &r->ir, tb, &err);
    if (s)
        fprintf(stderr, "compile: %d %s\n", s, err.text);
    assert_int_equal(s, ORYX_OK);
}

static uint32_t rig_enter(rig *r, oryx_tb *tb)
{
    memset(&r->leave, 0, sizeof r->leave);
    return r->ops->enter(r->engine, r->cpu, tb, &r->leave);
}

/* Compile what was built and run it once with a large budget. */
static inline uint32_t rig_run(rig *r)
{
    oryx_tb tb;
    rig_compile(r, &tb);
    r->cpu->slice.left = 1000;
    uint32_t why = rig_enter(r, &tb);
    r->ops->discard(r->engine, &tb);
    return why;
}

static inline void set_reg(rig *r, unsigned i, uint64_t lo, uint64_t hi)
{
    oryx_v128 v = { lo, hi };
    memcpy(r->cpu->state + REG(i), &v, 16);
}

static inline oryx_v128 get_reg(rig *r, unsigned i)
{
    oryx_v128 v;
    memcpy(&v, r->cpu->state + REG(i), 16);
    return v;
}

#endif
