/* The memory functions both engines are given. For the reference engine each performs the access through the core and writes
 * down what went in and came out; for the other it checks that the same access is asked for and gives the written answer, so
 * that devices see every access once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockstep.h"

static vcpu_side *side_of(const oryx_cpu *cpu)
{
    return (vcpu_side *)(void *)((uint8_t *)(uintptr_t)cpu->fn - offsetof(vcpu_side, fns));
}

static record *next(vcpu_side *s, int kind, uint64_t addr, uint64_t memop)
{
    if (s->side == REFERENCE) {
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
        r->kind = (uint8_t)kind;
        r->addr = addr;
        r->memop = memop;
        return r;
    }
    record *r = s->at < s->n ? &s->log[s->at++] : NULL;
    if (r && r->kind == kind && r->addr == addr && r->memop == memop)
        return r;
    if (!s->differs)
        snprintf(s->text, sizeof s->text, "access %u: the reference has %c at 0x%llx memop 0x%llx, the other %c at 0x%llx memop 0x%llx",
                 s->at, r ? r->kind : '-', r ? (unsigned long long)r->addr : 0ull, r ? (unsigned long long)r->memop : 0ull, kind,
                 (unsigned long long)addr, (unsigned long long)memop);
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
        cpu->tlb[k] = (oryx_tlb){ s->none, s->none, 0 };
}

void memory_show(vcpu_side *s, oryx_cpu *cpu)
{
    core_begin(s, cpu);
}

/* --- windows --------------------------------------------------------------------------------------------------------------- */
static bool peek(vcpu_side *s, oryx_cpu *cpu, uint64_t addr, uint64_t memop, oryx_v128 *out)
{
    oryx_exc exc = cpu->exc;
    *out = (oryx_v128){ 0, 0 };
    core_begin(s, cpu);
    bool ok = addr < s->rd && !s->core->load(cpu, addr, ORYX_MO_SIZE((uint32_t)memop), out);
    memory_hide(s, cpu);
    cpu->exc = exc;
    return ok;
}

/* Before the reference changes memory that the other engine will change itself. */
static void note_old(vcpu_side *s, oryx_cpu *cpu, record *r)
{
    r->undo = s->direct && peek(s, cpu, r->addr, r->memop, &r->old);
}

void memory_undo(vcpu_side *s, oryx_cpu *cpu)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->log[i].undo)
            peek(s, cpu, s->log[i].addr, s->log[i].memop, &s->log[i].now);
    oryx_exc exc = cpu->exc;
    core_begin(s, cpu);
    for (uint32_t i = s->n; i-- > 0;) {
        const record *r = &s->log[i];
        if (r->undo && !r->status)
            s->core->store(cpu, r->addr, ORYX_MO_SIZE((uint32_t)r->memop), &r->old);
    }
    memory_hide(s, cpu);
    cpu->exc = exc;
}

void memory_compare(vcpu_side *s, oryx_cpu *cpu)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const record *r = &s->log[i];
        oryx_v128 got;
        size_t size = (size_t)1 << ORYX_MO_SIZE((uint32_t)r->memop);
        if (!r->undo || (peek(s, cpu, r->addr, r->memop, &got) && !memcmp(&got, &r->now, size)))
            continue;
        snprintf(s->text, sizeof s->text, "memory at 0x%llx: the reference leaves 0x%llx, the other 0x%llx", (unsigned long long)r->addr,
                 (unsigned long long)r->now.lo, (unsigned long long)got.lo);
        s->differs = true;
        break;
    }
    s->at = s->n;
}

/* The other engine's own access, out of line; the block's flags are those the reference met at the same access. */
static oryx_status done_direct(vcpu_side *s, oryx_cpu *cpu, int kind, uint64_t addr, oryx_status status)
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
    if (!s->direct || s->side == REFERENCE)
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
static bool same(vcpu_side *s, const oryx_v128 *a, const oryx_v128 *b, uint64_t memop, const char *what)
{
    if (!memcmp(a, b, (size_t)1 << ORYX_MO_SIZE(memop)))
        return true;
    if (!s->differs)
        snprintf(s->text, sizeof s->text, "access %u: the reference %s 0x%016llx%016llx, the other 0x%016llx%016llx", s->at, what,
                 (unsigned long long)a->hi, (unsigned long long)a->lo, (unsigned long long)b->hi, (unsigned long long)b->lo);
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
    if (direct(s, cpu))
        return done_direct(s, cpu, 'l', addr, s->core->load(cpu, addr, memop, out));
    record *r = next(s, 'l', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->side == REFERENCE) {
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
    if (direct(s, cpu))
        return done_direct(s, cpu, 's', addr, s->core->store(cpu, addr, memop, val));
    record *r = next(s, 's', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->side == REFERENCE) {
        r->in = *val;
        note_old(s, cpu, r);
        core_begin(s, cpu);
        oryx_status st = s->core->store(cpu, addr, memop, val);
        keep(s, cpu, r, st);
        return st;
    }
    return same(s, &r->in, val, memop, "stores") ? answer(s, cpu, r) : refused(cpu);
}

static oryx_status rmw(oryx_cpu *cpu, uint64_t addr, uint64_t memop, uint64_t operand, uint64_t *old)
{
    vcpu_side *s = side_of(cpu);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'r', addr, s->core->rmw(cpu, addr, memop, operand, old));
    record *r = next(s, 'r', addr, memop);
    oryx_v128 val = { operand, 0 };
    if (!r)
        return refused(cpu);
    if (s->side == REFERENCE) {
        r->in = val;
        note_old(s, cpu, r);
        core_begin(s, cpu);
        oryx_status st = s->core->rmw(cpu, addr, memop, operand, old);
        r->out.lo = *old;
        keep(s, cpu, r, st);
        return st;
    }
    *old = r->out.lo;
    return same(s, &r->in, &val, memop & 0xffffffffu, "modifies with") ? answer(s, cpu, r) : refused(cpu);
}

static oryx_status cas(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect, const oryx_v128 *val, oryx_v128 *old)
{
    vcpu_side *s = side_of(cpu);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'c', addr, s->core->cas(cpu, addr, memop, expect, val, old));
    record *r = next(s, 'c', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->side == REFERENCE) {
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
    return same(s, &r->in, expect, memop, "expects") && same(s, &r->in2, val, memop, "stores") ? answer(s, cpu, r) : refused(cpu);
}

static oryx_status ldx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    vcpu_side *s = side_of(cpu);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'x', addr, s->core->ldx(cpu, addr, memop, out));
    record *r = next(s, 'x', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->side == REFERENCE) {
        core_begin(s, cpu);
        oryx_status st = s->core->ldx(cpu, addr, memop, out);
        r->out = *out;
        keep(s, cpu, r, st);
        return st;
    }
    *out = r->out;
    return answer(s, cpu, r);
}

static oryx_status stx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val, uint32_t *failed)
{
    vcpu_side *s = side_of(cpu);
    if (direct(s, cpu))
        return done_direct(s, cpu, 'y', addr, s->core->stx(cpu, addr, memop, val, failed));
    record *r = next(s, 'y', addr, memop);
    if (!r)
        return refused(cpu);
    if (s->side == REFERENCE) {
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
    s->fns = (oryx_cpu_fns){ .hdr = ORYX_HDR(oryx_cpu_fns), .load = load, .store = store, .rmw = rmw, .cas = cas, .ldx = ldx,
                             .stx = stx, .tb_find = tb_find };
    s->none[0].tag = 1; /* never equal to a page */
}
