/* The memory functions both engines are given. Who performs an access does so through the core and
 * writes down what went in and came out; who is answered must ask for the same access and is given
 * what is written, so that devices see every access once; who reaches memory itself (the window)
 * leaves bytes that are compared with what the log makes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockstep.h"

static vcpu_side *side_of(const oryx_cpu *cpu)
{
    return (vcpu_side *)(void *)((uint8_t *)(uintptr_t)cpu->fn - offsetof(vcpu_side, fns));
}

static uint64_t size_of(uint64_t memop)
{
    return (uint64_t)1 << ORYX_MO_SIZE((uint32_t)memop);
}

static record *more(vcpu_side *s)
{
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 256;
        record *grown = realloc(s->log, cap * sizeof *grown);
        if (!grown)
            return NULL;
        s->log = grown;
        s->cap = cap;
    }
    record *r = &s->log[s->n++];
    memset(r, 0, sizeof *r);
    return r;
}

/* Beyond the window, where something would answer. */
static bool elsewhere(const vcpu_side *s, const oryx_cpu *cpu, uint64_t addr, uint64_t size)
{
    const oryx_host *host = s->self->host;
    uint8_t byte;
    if (addr < s->rd && size <= s->rd - addr)
        return false;
    oryx_space *space = host->vcpu_space(cpu->vcpu);
    return !host->space_read(space, addr, &byte, 1, ORYX_ATTR_DEBUG) ||
           !host->space_read(space, addr + size - 1, &byte, 1, ORYX_ATTR_DEBUG);
}

/* The log's next row: an empty one to fill, or the one that holds the answer; NULL: the access is
 * not to happen. */
static record *next(vcpu_side *s, const oryx_cpu *cpu, int kind, uint64_t addr, uint64_t memop)
{
    const char *writer = s->self->name[s->writer], *reader = s->self->name[s->side];
    if (s->role == PERFORM) {
        if (s->ahead && elsewhere(s, cpu, addr, size_of(memop))) {
            s->stopped = true;
            return NULL;
        }
        record *r = more(s);
        if (r) {
            r->kind = (uint8_t)kind;
            r->addr = addr;
            r->memop = memop;
        }
        return r;
    }
    record *r = s->at < s->n ? &s->log[s->at++] : NULL;
    if (r && r->kind == kind && r->addr == addr && r->memop == memop)
        return r;
    if (!s->differs)
        snprintf(s->text, sizeof s->text,
                 "access %u: %s has %c at 0x%llx memop 0x%llx, %s %c at 0x%llx memop 0x%llx", s->at,
                 writer, r ? r->kind : '-', r ? (unsigned long long)r->addr : 0ull,
                 r ? (unsigned long long)r->memop : 0ull, reader, kind, (unsigned long long)addr,
                 (unsigned long long)memop);
    s->differs = true;
    return NULL;
}

/* The core fills translation caches through the vCPU's own tables; the engines see empty ones. */
static void core_begin(vcpu_side *s, oryx_cpu *cpu)
{
    memcpy(cpu->tlb, s->tlb, sizeof s->tlb);
}

void memory_hide(vcpu_side *s, oryx_cpu *cpu)
{
    memcpy(s->tlb, cpu->tlb, sizeof s->tlb);
    for (unsigned k = 0; k < ORYX_MMU_INDEXES; k++)
        cpu->tlb[k] = (oryx_tlb){s->none, s->none, 0};
}

void memory_show(vcpu_side *s, oryx_cpu *cpu)
{
    core_begin(s, cpu);
}

/* --- windows
 * ---------------------------------------------------------------------------------------------------------------
 */
static bool peek(vcpu_side *s, oryx_cpu *cpu, uint64_t addr, uint64_t memop, oryx_v128 *out)
{
    oryx_exc exc = cpu->exc;
    *out = (oryx_v128){0, 0};
    core_begin(s, cpu);
    bool ok = addr < s->rd && !s->core->load(cpu, addr, ORYX_MO_SIZE((uint32_t)memop), out);
    memory_hide(s, cpu);
    cpu->exc = exc;
    return ok;
}

/* Before memory is changed that the other engine will change itself. */
static void note_old(vcpu_side *s, oryx_cpu *cpu, record *r)
{
    r->undo = s->window && peek(s, cpu, r->addr, r->memop, &r->old);
}

static void put(vcpu_side *s, oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *value)
{
    oryx_exc exc = cpu->exc;
    core_begin(s, cpu);
    s->core->store(cpu, addr, ORYX_MO_SIZE(memop), value);
    memory_hide(s, cpu);
    cpu->exc = exc;
}

/* The row of the byte at addr; fresh rows have used 1, and 2 once filled. */
static touched *byte_at(vcpu_side *s, uint64_t addr)
{
    uint64_t h = addr * 0x9e3779b97f4a7c15u >> 20;
    for (;; h++) {
        touched *b = &s->bytes[h & (s->n_bytes - 1)];
        if (!b->used) {
            b->addr = addr;
            b->used = 1;
        }
        if (b->addr == addr)
            return b;
    }
}

static bool bytes_begin(vcpu_side *s)
{
    uint64_t n = 16;
    for (uint32_t i = 0; i < s->n; i++)
        n += s->log[i].undo ? size_of(s->log[i].memop) : 0;
    uint32_t cap = 1;
    while (cap < 2 * n)
        cap *= 2;
    if (cap > s->n_bytes) {
        free(s->bytes);
        s->bytes = malloc(cap * sizeof *s->bytes);
        s->n_bytes = s->bytes ? cap : 0;
    }
    if (s->bytes)
        memset(s->bytes, 0, s->n_bytes * sizeof *s->bytes);
    return s->bytes != NULL;
}

void memory_undo(vcpu_side *s, oryx_cpu *cpu)
{
    for (uint32_t i = s->n; i-- > 0;)
        if (s->log[i].undo && !s->log[i].status)
            put(s, cpu, s->log[i].addr, (uint32_t)s->log[i].memop, &s->log[i].old);
}

/* What the log's bytes were at first, and are to be after `upto` accesses. */
static bool expect(vcpu_side *s, uint32_t upto)
{
    if (!bytes_begin(s))
        return false;
    for (uint32_t i = 0; i < s->n; i++) {
        const record *r = &s->log[i];
        for (uint64_t k = 0; r->undo && k < size_of(r->memop); k++) {
            touched *b = byte_at(s, r->addr + k);
            if (b->used == 1) {
                b->old = b->now = ((const uint8_t *)&r->old)[k];
                b->used = 2;
            }
            if (i < upto && !r->status)
                b->now = ((const uint8_t *)&r->now)[k];
        }
    }
    return true;
}

void memory_restore(vcpu_side *s, oryx_cpu *cpu)
{
    if (!expect(s, 0))
        return;
    for (uint32_t i = 0; i < s->n_bytes; i++) {
        oryx_v128 was, old = {s->bytes[i].old, 0};
        if (s->bytes[i].used == 2 && peek(s, cpu, s->bytes[i].addr, 0, &was) && was.lo != old.lo)
            put(s, cpu, s->bytes[i].addr, 0, &old);
    }
}

void memory_compare(vcpu_side *s, oryx_cpu *cpu, uint32_t upto)
{
    if (!expect(s, upto))
        return;
    for (uint32_t i = 0; i < s->n_bytes && !s->differs; i++) {
        const touched *b = &s->bytes[i];
        oryx_v128 got;
        if (b->used != 2 || (peek(s, cpu, b->addr, 0, &got) && got.lo == b->now))
            continue;
        snprintf(s->text, sizeof s->text,
                 "memory at 0x%llx: %s leaves 0x%02x, %s 0x%02x (before: 0x%02x)",
                 (unsigned long long)b->addr, s->self->name[REFERENCE], b->now,
                 s->self->name[OTHER], (unsigned)got.lo & 255, b->old);
        s->differs = true;
    }
}

/* The other engine's own access, out of line; the block's flags are those the reference met at the
 * same access. */
static oryx_status done_direct(vcpu_side *s, oryx_cpu *cpu, int kind, uint64_t addr,
                               oryx_status status)
{
    memory_hide(s, cpu);
    for (uint32_t i = s->at; i < s->n; i++)
        if (s->log[i].kind == kind && s->log[i].addr == addr) {
            s->running->flags |= s->log[i].flags;
            s->at = i + 1;
            break;
        }
    return status;
}

static bool direct(vcpu_side *s, oryx_cpu *cpu)
{
    if (s->role != DIRECT)
        return false;
    core_begin(s, cpu);
    return true;
}

static void keep(vcpu_side *s, oryx_cpu *cpu, record *r, oryx_status status)
{
    memory_hide(s, cpu);
    r->status = status;
    r->exc = cpu->exc;
    memcpy(&r->monitor, &cpu->monitor, sizeof r->monitor);
    r->flags = __atomic_load_n(&s->outer->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID;
    s->running->flags |= r->flags;
    if (r->undo)
        peek(s, cpu, r->addr, r->memop, &r->now);
}

static oryx_status answer(vcpu_side *s, oryx_cpu *cpu, const record *r)
{
    if (r->status)
        cpu->exc = r->exc;
    memcpy(&cpu->monitor, &r->monitor, sizeof r->monitor);
    s->running->flags |= r->flags;
    return r->status;
}

/* Only the bytes of the access count: an engine may leave anything above them. */
static bool same(vcpu_side *s, const oryx_v128 *a, const oryx_v128 *b, uint64_t memop,
                 const char *what)
{
    if (!memcmp(a, b, (size_t)1 << ORYX_MO_SIZE(memop)))
        return true;
    if (!s->differs)
        snprintf(s->text, sizeof s->text, "access %u: %s %s 0x%016llx%016llx, %s 0x%016llx%016llx",
                 s->at, s->self->name[s->writer], what, (unsigned long long)a->hi,
                 (unsigned long long)a->lo, s->self->name[s->side], (unsigned long long)b->hi,
                 (unsigned long long)b->lo);
    s->differs = true;
    return false;
}

static oryx_status refused(oryx_cpu *cpu)
{
    cpu->exc.kind = ORYX_EXC_INTERNAL;
    return ORYX_E_INTERNAL;
}

static oryx_status load(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    vcpu_side *s = side_of(cpu);
    if (!s->inside)
        return s->core->load(cpu, addr, memop, out);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'l', addr, s->core->load(cpu, addr, memop, out));
    record *r = next(s, cpu, 'l', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->role == PERFORM) {
        core_begin(s, cpu);
        oryx_status st = s->core->load(cpu, addr, memop, out);
        r->out = *out;
        keep(s, cpu, r, st);
        return st;
    }
    *out = r->out;
    return answer(s, cpu, r);
}

static oryx_status store(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val)
{
    vcpu_side *s = side_of(cpu);
    if (!s->inside)
        return s->core->store(cpu, addr, memop, val);
    if (direct(s, cpu))
        return done_direct(s, cpu, 's', addr, s->core->store(cpu, addr, memop, val));
    record *r = next(s, cpu, 's', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->role == PERFORM) {
        r->in = *val;
        note_old(s, cpu, r);
        core_begin(s, cpu);
        oryx_status st = s->core->store(cpu, addr, memop, val);
        keep(s, cpu, r, st);
        return st;
    }
    return same(s, &r->in, val, memop, "stores") ? answer(s, cpu, r) : refused(cpu);
}

static oryx_status rmw(oryx_cpu *cpu, uint64_t addr, uint64_t memop, uint64_t operand,
                       uint64_t *old)
{
    vcpu_side *s = side_of(cpu);
    if (!s->inside)
        return s->core->rmw(cpu, addr, memop, operand, old);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'r', addr, s->core->rmw(cpu, addr, memop, operand, old));
    record *r = next(s, cpu, 'r', addr, memop);
    oryx_v128 val = {operand, 0};
    if (!r)
        return refused(cpu);
    if (s->role == PERFORM) {
        r->in = val;
        note_old(s, cpu, r);
        core_begin(s, cpu);
        oryx_status st = s->core->rmw(cpu, addr, memop, operand, old);
        r->out.lo = *old;
        keep(s, cpu, r, st);
        return st;
    }
    *old = r->out.lo;
    return same(s, &r->in, &val, memop & 0xffffffffu, "modifies with") ? answer(s, cpu, r)
                                                                       : refused(cpu);
}

static oryx_status cas(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect,
                       const oryx_v128 *val, oryx_v128 *old)
{
    vcpu_side *s = side_of(cpu);
    if (!s->inside)
        return s->core->cas(cpu, addr, memop, expect, val, old);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'c', addr, s->core->cas(cpu, addr, memop, expect, val, old));
    record *r = next(s, cpu, 'c', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->role == PERFORM) {
        r->in = *expect;
        r->in2 = *val;
        note_old(s, cpu, r);
        core_begin(s, cpu);
        oryx_status st = s->core->cas(cpu, addr, memop, expect, val, old);
        r->out = *old;
        keep(s, cpu, r, st);
        return st;
    }
    *old = r->out;
    return same(s, &r->in, expect, memop, "expects") && same(s, &r->in2, val, memop, "stores")
               ? answer(s, cpu, r)
               : refused(cpu);
}

static oryx_status ldx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    vcpu_side *s = side_of(cpu);
    if (!s->inside)
        return s->core->ldx(cpu, addr, memop, out);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'x', addr, s->core->ldx(cpu, addr, memop, out));
    record *r = next(s, cpu, 'x', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->role == PERFORM) {
        core_begin(s, cpu);
        oryx_status st = s->core->ldx(cpu, addr, memop, out);
        r->out = *out;
        keep(s, cpu, r, st);
        return st;
    }
    *out = r->out;
    return answer(s, cpu, r);
}

static oryx_status stx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val,
                       uint32_t *failed)
{
    vcpu_side *s = side_of(cpu);
    if (!s->inside)
        return s->core->stx(cpu, addr, memop, val, failed);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'y', addr, s->core->stx(cpu, addr, memop, val, failed));
    record *r = next(s, cpu, 'y', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->role == PERFORM) {
        r->in = *val;
        note_old(s, cpu, r);
        core_begin(s, cpu);
        oryx_status st = s->core->stx(cpu, addr, memop, val, failed);
        r->out.lo = *failed;
        keep(s, cpu, r, st);
        return st;
    }
    *failed = (uint32_t)r->out.lo;
    return same(s, &r->in, val, memop, "stores") ? answer(s, cpu, r) : refused(cpu);
}

/* One block an entry: neither engine goes on by itself. */
static oryx_tb *tb_find(oryx_cpu *cpu, uint64_t pc)
{
    (void)cpu;
    (void)pc;
    return NULL;
}

void memory_init(vcpu_side *s, const oryx_cpu *cpu)
{
    s->core = cpu->fn;
    s->fns = (oryx_cpu_fns){.hdr = ORYX_HDR(oryx_cpu_fns),
                            .load = load,
                            .store = store,
                            .rmw = rmw,
                            .cas = cas,
                            .ldx = ldx,
                            .stx = stx,
                            .tb_find = tb_find};
    s->none[0].tag =
        0x800; /* never equal to a page, or to one with the low bits of a misaligned address */
}
