/* Sticky flags around code that is not the guest's: slow paths of memory (devices, tools), helpers. The guest's flags so far
 * go from MXCSR to cpu->fp.flags, so that a callback may read them; what the callback's own arithmetic raises is forgotten.
 * Called through frame.fn by compiled code, and by control.c around calls of helpers. */
#include "simd.h"

#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_STICKY 0x3fu

static void before(oryx_cpu *cpu)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v) : : "memory");
    if (v & MXCSR_STICKY)
        cpu->fp.flags |= fp_flags_of(v);
}

static void after(void)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v) : : "memory");
    if (v != MXCSR_DEFAULT) {
        v = MXCSR_DEFAULT;
        __asm__ volatile("ldmxcsr %0" : : "m"(v) : "memory");
    }
}

#define OUT(call)                                                                                                     \
    before(cpu);                                                                                                      \
    oryx_status s = cpu->fn->call;                                                                                    \
    after();                                                                                                          \
    return s

static oryx_status load(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    OUT(load(cpu, addr, memop, out));
}

static oryx_status store(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val)
{
    OUT(store(cpu, addr, memop, val));
}

static oryx_status rmw(oryx_cpu *cpu, uint64_t addr, uint64_t memop, uint64_t operand, uint64_t *old)
{
    OUT(rmw(cpu, addr, memop, operand, old));
}

static oryx_status cas(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect, const oryx_v128 *val, oryx_v128 *old)
{
    OUT(cas(cpu, addr, memop, expect, val, old));
}

static oryx_status ldx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    OUT(ldx(cpu, addr, memop, out));
}

static oryx_status stx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val, uint32_t *failed)
{
    OUT(stx(cpu, addr, memop, val, failed));
}

void fp_slow_paths(frame *f, const oryx_cpu_fns *fn)
{
    union {
        void *p[7];
        struct {
            __typeof__(fn->load) load;
            __typeof__(fn->store) store;
            __typeof__(fn->rmw) rmw;
            __typeof__(fn->cas) cas;
            __typeof__(fn->ldx) ldx;
            __typeof__(fn->stx) stx;
            __typeof__(fn->tb_find) tb_find;
        } f;
    } u = { .f = { load, store, rmw, cas, ldx, stx, fn->tb_find } };
    memcpy(f->fn, u.p, sizeof u.p);
}

static void call_thunk(jit *j, uint32_t at)
{
    emit *e = &j->e;
    int64_t here = (e->p - j->en->cache.write) + 5;
    emit8(e, 0xe8);
    emit32(e, (uint32_t)((int64_t)at - here));
}

void fp_call_before(jit *j)
{
    call_thunk(j, j->en->fp_before_at);
}

void fp_call_after(jit *j)
{
    call_thunk(j, j->en->fp_after_at);
}

/* The shared code of the two: before changes RAX and RCX, after nothing. */
bool fp_out_thunks(engine *en)
{
    uint8_t *at = cache_room(&en->cache, 256);
    if (!at)
        return false;
    emit code = { .p = at, .start = at, .end = at + 256 }, *e = &code;
    int32_t word = en->frame_off - BIAS + (int32_t)offsetof(frame, mxcsr_guest);
    en->fp_before_at = (uint32_t)(at - en->cache.write);
    emit_rm(e, 0x0fae, W32, 3, SB, word);
    emit_rm(e, 0xf6, W32, 0, SB, word);
    emit8(e, MXCSR_STICKY);
    uint32_t none = emit_jcc8(e, CC_E);
    emit_rm(e, 0x8b, W32, RAX, SB, word);
    emit_mov_rr(e, W32, RCX, RAX);
    emit_alu_ri(e, 4, W32, RAX, 1);
    emit_shift_ri(e, 5, W32, RCX, 1);
    emit_alu_ri(e, 4, W32, RCX, 0x1e);
    emit_alu_rr(e, 1, W32, RAX, RCX);
    emit_rm(e, 0x09, W32, RAX, SB, en->cpu_off - BIAS + (int32_t)offsetof(oryx_cpu, fp.flags));
    emit_here8(e, none);
    emit8(e, 0xc3);
    en->fp_after_at = en->fp_before_at + emit_at(e);
    emit_rm(e, 0x0fae, W32, 3, SB, word);
    emit_rm(e, 0xf6, W32, 0, SB, word);
    emit8(e, MXCSR_STICKY);
    none = emit_jcc8(e, CC_E);
    emit_rm(e, 0xc7, W32, 0, SB, word);
    emit32(e, MXCSR_DEFAULT);
    emit_rm(e, 0x0fae, W32, 2, SB, word);
    emit_here8(e, none);
    emit8(e, 0xc3);
    cache_take(&en->cache, (emit_at(e) + 63) & ~63u);
    return true;
}
