/* MXCSR between the guest and what is not the guest's code: the host program, slow paths of memory (devices, tools), helpers.
 * Called through frame.fn by compiled code, and by control.c around calls of helpers.
 *
 * MXCSR is the guest's (frame.fp_live) from the entry of the first block with FP ops until compiled code is left, or until
 * a block without FP ops calls out; else it is the host program's and compiled code has no instruction that minds it. So
 * integer code that talks to devices never touches the register, which costs more than the device. The guest's flags so
 * far go from MXCSR to cpu->fp.flags before a call, so that a callback may read them; what the callback's own arithmetic
 * raises is forgotten. Invariant: inside a block with FP ops fp_live is set. */
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

/* MXCSR becomes the host program's again. Cold: the slow paths' common case shall not save registers for it. */
__attribute__((noinline, cold)) void fp_leave(oryx_cpu *cpu, frame *f)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v) : : "memory");
    cpu->fp.flags |= fp_flags_of(v);
    f->fp_live = 0;
    if (v != f->mxcsr_host)
        __asm__ volatile("ldmxcsr %0" : : "m"(f->mxcsr_host) : "memory");
}

/* Each slow path for blocks with FP ops, and for those without. */
#define OUT(name, params, ...)                                                                                        \
    static oryx_status name params                                                                                    \
    {                                                                                                                 \
        before(cpu);                                                                                                  \
        oryx_status s = cpu->fn->name(__VA_ARGS__);                                                                   \
        after();                                                                                                      \
        return s;                                                                                                     \
    }                                                                                                                 \
    static oryx_status plain_##name params                                                                            \
    {                                                                                                                 \
        frame *f = cpu->engine_data;                                                                                  \
        if (__builtin_expect(f->fp_live != 0, 0))                                                                     \
            fp_leave(cpu, f);                                                                                         \
        return cpu->fn->name(__VA_ARGS__);                                                                            \
    }

OUT(load, (oryx_cpu * cpu, uint64_t addr, uint32_t memop, oryx_v128 *out), cpu, addr, memop, out)
OUT(store, (oryx_cpu * cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val), cpu, addr, memop, val)
OUT(rmw, (oryx_cpu * cpu, uint64_t addr, uint64_t memop, uint64_t operand, uint64_t *old), cpu, addr, memop, operand, old)
OUT(cas, (oryx_cpu * cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect, const oryx_v128 *val, oryx_v128 *old), cpu,
    addr, memop, expect, val, old)
OUT(ldx, (oryx_cpu * cpu, uint64_t addr, uint32_t memop, oryx_v128 *out), cpu, addr, memop, out)
OUT(stx, (oryx_cpu * cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val, uint32_t *failed), cpu, addr, memop, val, failed)

void fp_slow_paths(const engine *en, frame *f, const oryx_cpu_fns *fn)
{
    struct fns {
        __typeof__(fn->load) load;
        __typeof__(fn->store) store;
        __typeof__(fn->rmw) rmw;
        __typeof__(fn->cas) cas;
        __typeof__(fn->ldx) ldx;
        __typeof__(fn->stx) stx;
        __typeof__(fn->tb_find) tb_find;
        void *call;
    };
    struct fns both[2] = { { load, store, rmw, cas, ldx, stx, fn->tb_find, NULL },
                           { plain_load, plain_store, plain_rmw, plain_cas, plain_ldx, plain_stx, fn->tb_find, NULL } };
    _Static_assert(sizeof both == sizeof f->fn, "frame.fn is the two tables");
    memcpy(f->fn, both, sizeof both);
    for (unsigned i = 0; i <= FN_STX; i++)
        f->fn[FN_PLAIN + i] = en->cache.exec + en->plain_at[i];
}

/* What the entries of blocks without FP ops are while MXCSR is the host's: a jump to the core. Else plain_*. */
static void plain_thunks(engine *en, emit *e, int32_t is_live)
{
    static const uint16_t at[] = { offsetof(oryx_cpu_fns, load), offsetof(oryx_cpu_fns, store), offsetof(oryx_cpu_fns, rmw),
                                   offsetof(oryx_cpu_fns, cas),  offsetof(oryx_cpu_fns, ldx),   offsetof(oryx_cpu_fns, stx) };
    union {
        struct {
            __typeof__(&plain_load) load;
            __typeof__(&plain_store) store;
            __typeof__(&plain_rmw) rmw;
            __typeof__(&plain_cas) cas;
            __typeof__(&plain_ldx) ldx;
            __typeof__(&plain_stx) stx;
        } fn;
        uintptr_t number[6];
    } slow = { .fn = { plain_load, plain_store, plain_rmw, plain_cas, plain_ldx, plain_stx } };
    for (unsigned i = 0; i <= FN_STX; i++) {
        en->plain_at[i] = en->fp_before_at + emit_at(e);
        emit_rm(e, 0x83, W32, 7, SB, is_live);
        emit8(e, 0);
        uint32_t live = emit_jcc8(e, CC_NE);
        emit_rm(e, 0x8b, W64, RAX, SB, en->cpu_off - BIAS + (int32_t)offsetof(oryx_cpu, fn));
        emit_rm(e, 0xff, W32, 4, RAX, at[i]);
        emit_here8(e, live);
        emit_mov_ri(e, RAX, slow.number[i]);
        emit_rr(e, 0xff, W32, 4, RAX);
    }
}

static void call_thunk(jit *j, uint32_t at)
{
    emit *e = &j->e;
    int64_t here = (e->p - j->en->cache.write) + 5;
    emit8(e, 0xe8);
    emit32(e, (uint32_t)((int64_t)at - here));
}

/* The way in of a block with FP ops. */
void fp_block_begin(jit *j)
{
    emit *e = &j->e;
    emit_rm(e, 0x83, W32, 7, SB, FRAME_DISP(j, fp_live));
    emit8(e, 0);
    uint32_t live = emit_jcc8(e, CC_NE);
    call_thunk(j, j->en->fp_begin_at);
    emit_here8(e, live);
}

void fp_call_before(jit *j)
{
    call_thunk(j, j->en->fp_before_at);
}

void fp_call_after(jit *j)
{
    call_thunk(j, j->en->fp_after_at);
}

static uint32_t not_live(emit *e, int32_t is_live)
{
    emit_rm(e, 0x83, W32, 7, SB, is_live);
    emit8(e, 0);
    return emit_jcc8(e, CC_E);
}

/* The shared code of the three: before changes RAX and RCX, the others nothing. */
bool fp_out_thunks(engine *en)
{
    uint8_t *at = cache_room(&en->cache, 640);
    if (!at)
        return false;
    emit code = { .p = at, .start = at, .end = at + 640 }, *e = &code;
    int32_t word = en->frame_off - BIAS + (int32_t)offsetof(frame, mxcsr_guest);
    int32_t is_live = en->frame_off - BIAS + (int32_t)offsetof(frame, fp_live);
    en->fp_before_at = (uint32_t)(at - en->cache.write);
    uint32_t host = not_live(e, is_live);
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
    emit_here8(e, host);
    emit8(e, 0xc3);
    en->fp_after_at = en->fp_before_at + emit_at(e);
    host = not_live(e, is_live);
    emit_rm(e, 0x0fae, W32, 3, SB, word);
    emit_rm(e, 0xf6, W32, 0, SB, word);
    emit8(e, MXCSR_STICKY);
    none = emit_jcc8(e, CC_E);
    emit_rm(e, 0xc7, W32, 0, SB, word);
    emit32(e, MXCSR_DEFAULT);
    emit_rm(e, 0x0fae, W32, 2, SB, word);
    emit_here8(e, none);
    emit_here8(e, host);
    emit8(e, 0xc3);
    en->fp_begin_at = en->fp_before_at + emit_at(e);
    emit_rm(e, 0x0fae, W32, 3, SB, en->frame_off - BIAS + (int32_t)offsetof(frame, mxcsr_host));
    emit_rm(e, 0xc7, W32, 0, SB, word);
    emit32(e, MXCSR_DEFAULT);
    emit_rm(e, 0x0fae, W32, 2, SB, word);
    emit_rm(e, 0xc7, W32, 0, SB, is_live);
    emit32(e, 1);
    emit8(e, 0xc3);
    plain_thunks(en, e, is_live);
    cache_take(&en->cache, (emit_at(e) + 63) & ~63u, false);
    return !e->full;
}
