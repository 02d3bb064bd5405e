/* Device accesses in compiled code: what runs in place of the core's load and store for blocks without FP ops, as long as an
 * oryx_io_ready says all there is to know (oryx_cpu.h). Called by stubs of mem.c's accesses, with everything that lives
 * saved; whatever is not ready goes on to fp_out.c's way.
 *
 * Half of what an access costs is the callback and the copy of its argument, so the rest shall be few instructions: this
 * is the same work as in the core, but for what a C function saves. Invariant: when the callback runs, memory is as it would
 * be if the core had called it: pc slot, slice.left, cpu->io.depth. */
#include <stddef.h>

#include "x64.h"

#define READY(member) ((int32_t)offsetof(oryx_io_ready, member))
#define CALL(member)  ((int32_t)offsetof(oryx_io_call, member))
/* Behind the return address: a whole number of 16 bytes. */
#define ROOM ((int32_t)((sizeof(oryx_io_call) + 8 + 15) / 16 * 16 - 8))

static int32_t in_cpu(const engine *en, size_t offset)
{
    return en->cpu_off - BIAS + (int32_t)offset;
}

/* The jump that ends at `after` goes to another place of the cache. */
static void jump_to(const engine *en, emit *e, uint32_t after, uint32_t target)
{
    emit_patch(e, after, target - (uint32_t)(e->start - en->cache.write));
}

static void jcc_to(const engine *en, emit *e, unsigned cc, uint32_t target)
{
    jump_to(en, e, emit_jcc(e, cc), target);
}

/* In: RSI address, EDX memop; the value goes to, or is in, frame.arg. Out: EAX status. */
static void access(engine *en, emit *e, bool write, uint32_t otherwise)
{
    int32_t arg = en->frame_off - BIAS + (int32_t)offsetof(frame, arg);
    size_t table = write ? offsetof(oryx_cpu, io.wr) : offsetof(oryx_cpu, io.rd);
    emit_rm(e, 0x83, W32, 7, SB, en->frame_off - BIAS + (int32_t)offsetof(frame, fp_live));
    emit8(e, 0);
    jcc_to(en, e, CC_NE, otherwise);
    emit_rm(e, 0x83, W64, 7, SB, in_cpu(en, offsetof(oryx_cpu, host_fp))); /* the core gives the FPU back first */
    emit8(e, 0);
    jcc_to(en, e, CC_NE, otherwise);
    /* RAX: the entry; as oryx_io_hash. */
    emit_rr(e, 0x69, W32, RAX, RSI);
    emit32(e, 0x9e3779b1u);
    emit_shift_ri(e, 5, W32, RAX, 32 - ORYX_IO_READY_BITS);
    _Static_assert(sizeof(oryx_io_ready) == 128, "the shift below");
    emit_shift_ri(e, 4, W32, RAX, 7);
    emit_rm(e, 0x03, W64, RAX, SB, in_cpu(en, table));
    emit_rm(e, 0x3b, W64, RSI, RAX, READY(addr));
    jcc_to(en, e, CC_NE, otherwise);
    emit_rm(e, 0x3b, W32, RDX, RAX, READY(memop));
    jcc_to(en, e, CC_NE, otherwise);
    if (write) {
        emit_rm(e, 0x8b, W64, R8, RAX, READY(busy));
        emit_rm(e, 0x83, W32, 7, R8, 0);
        emit8(e, 0);
        jcc_to(en, e, CC_NE, otherwise);
        emit_rm(e, 0x8b, W64, R9, SB, arg);
        emit_rm(e, 0x23, W64, R9, RAX, READY(mask));
    }
    emit_alu_ri(e, 5, W64, RSP, ROOM);
    _Static_assert(sizeof(oryx_access) == 64, "copied in four");
    for (int32_t i = 0; i < 64; i += 16) {
        emit_rm(e, 0x0f10, W32, 0, RAX, READY(a) + i);
        emit_rm(e, 0x0f11, W32, 0, RSP, CALL(a) + i);
    }
    emit_rm(e, 0x89, W64, RAX, RSP, CALL(e));
    if (write)
        emit_rm(e, 0x89, W64, R9, RSP, CALL(a.value));
    emit_rm(e, 0x8b, W64, RCX, SB, in_cpu(en, offsetof(oryx_cpu, io.skipped)));
    emit_rm(e, 0x8b, W32, R8, SB, in_cpu(en, offsetof(oryx_cpu, slice.left)));
    emit_rm(e, 0x8b, W64, RDI, SB, in_cpu(en, offsetof(oryx_cpu, io.base)));
    emit_alu_rr(e, 5, W64, RDI, R8);
    emit_rm(e, 0x03, W64, RDI, RCX, 0);
    emit_rm(e, 0x89, W64, RDI, RSP, CALL(a.vtime));
    emit_rm(e, 0xc7, W32, 0, SB, in_cpu(en, offsetof(oryx_cpu, io.depth)));
    emit32(e, 1);
    emit_rm(e, 0x8b, W64, RDI, RAX, READY(opaque));
    emit_mov_rr(e, W64, RSI, RSP);
    emit_rm(e, 0xff, W32, 2, RAX, READY(access));
    emit_rm(e, 0xc7, W32, 0, SB, in_cpu(en, offsetof(oryx_cpu, io.depth)));
    emit32(e, 0);
    if (write) {
        emit_rm(e, 0x8b, W64, RCX, RSP, CALL(e));
        emit_rm(e, 0x8b, W64, RCX, RCX, READY(logged));
        emit_rm(e, 0x8b, W32, RCX, RCX, 0);
        emit_alu_rr(e, 1, W32, RCX, RAX);
    } else {
        emit_rr(e, 0x85, W32, RAX, RAX);
    }
    uint32_t more = emit_jcc8(e, CC_NE);
    if (!write) { /* whoever takes it from there takes only its size */
        emit_rm(e, 0x8b, W64, RCX, RSP, CALL(a.value));
        emit_rm(e, 0x89, W64, RCX, SB, arg);
    }
    emit_alu_ri(e, 0, W64, RSP, ROOM);
    emit8(e, 0xc3);
    emit_here8(e, more);
    emit_mov_rr(e, W32, RDX, RAX);
    emit_rm(e, 0x8d, W64, RDI, SB, en->cpu_off - BIAS);
    emit_rm(e, 0x8b, W64, RSI, RSP, CALL(e));
    if (write)
        emit_mov_ri(e, RCX, 0);
    else
        emit_rm(e, 0x8d, W64, RCX, SB, arg);
    emit_rm(e, 0x8b, W64, RAX, SB, in_cpu(en, offsetof(oryx_cpu, fn)));
    emit_rm(e, 0xff, W32, 2, RAX, (int32_t)offsetof(oryx_cpu_fns, io_done));
    emit_alu_ri(e, 0, W64, RSP, ROOM);
    emit8(e, 0xc3);
}

/* After fp_out_thunks. */
bool device_thunks(engine *en)
{
    uint8_t *at = cache_room(&en->cache, 768);
    if (!at)
        return false;
    emit code = { .p = at, .start = at, .end = at + 768 }, *e = &code;
    for (unsigned i = FN_LOAD; i <= FN_STORE; i++) {
        uint32_t otherwise = en->device_at[2 + i] = (uint32_t)(e->p - en->cache.write);
        emit_rm(e, 0x8d, W64, RDI, SB, en->cpu_off - BIAS);
        emit_rm(e, 0x8d, W64, RCX, SB, en->frame_off - BIAS + (int32_t)offsetof(frame, arg));
        jump_to(en, e, emit_jmp(e), en->plain_at[i]);
        while ((uintptr_t)e->p & 63)
            emit8(e, 0xcc);
        en->device_at[i] = (uint32_t)(e->p - en->cache.write);
        access(en, e, i == FN_STORE, otherwise);
    }
    cache_take(&en->cache, (emit_at(e) + 63) & ~63u, false);
    return !e->full;
}

void device_paths(const engine *en, frame *f, const oryx_cpu_fns *fn)
{
    bool may = ORYX_HAS(fn, io_done) && fn->io_done;
    for (unsigned i = FN_LOAD; i <= FN_STORE; i++)
        f->fn[FN_PLAIN + i] = en->cache.exec + en->device_at[may ? i : 2 + i];
}
