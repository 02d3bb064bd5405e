/* Accesses through the window (oryx_space_set_window): GS holds its base, so guest address a is gs:[a], and an address that
 * was compared with the window's limit is good for everything near it; when it was not below the limit, its instruction is done
 * again in a block where nothing relies on it (window_beyond). Called by mem.c while it compiles, and by the core's
 * signal handler when such an access faults.
 *
 * A fault goes to the access's stub, which does it through the core as if the window were not there. Which stub belongs to an
 * instruction is written behind each block: `sites` in ascending order; and the starts of a chunk's blocks are written at the
 * chunk's end, downwards, in the order they were made, which is ascending. The handler reads both by binary search and takes
 * no lock: what it looks up belongs to the block its own thread is in, which is not given back meanwhile. */
#include <stdlib.h>

#include "x64.h"

/* A site that faults so often is not worth a signal each time. */
#define TOO_OFTEN 4u
/* Offsets that count as near, with room for the access itself. */
#define NEAR ((int64_t)ORYX_WINDOW_GUARD - 4096)

/* --- compiling -------------------------------------------------------------------------------------------------------------- */
static bool is_slow(const engine *en, uint64_t pc)
{
    for (uint32_t i = 0, n = __atomic_load_n(&en->n_slow, __ATOMIC_ACQUIRE); i < n && i < SLOW_PCS; i++)
        if (__atomic_load_n(&en->slow_pc[i], __ATOMIC_RELAXED) == pc)
            return true;
    return false;
}

bool window_serves(jit *j, bool write)
{
    uint32_t want = write ? ORYX_TB_WINDOW_WR : ORYX_TB_WINDOW_RD | ORYX_TB_WINDOW_WR;
    if (!(j->tb->flags & want))
        return false;
    if (j->window_pc != j->pc) {
        j->window_pc = j->pc;
        j->window_slow = is_slow(j->en, j->pc);
    }
    return !j->window_slow;
}

void window_reset(jit *j)
{
    j->n_near = 0;
    j->window_pc = ~0ull;
}

/* v as root + offset, through additions of constants. */
static oryx_val root(const jit *j, oryx_val v, int64_t *offset)
{
    for (*offset = 0;;) {
        const oryx_ir_op *o = op_of(j, v);
        if ((o->op != ORYX_OP_ADD && o->op != ORYX_OP_SUB) || o->type != ORYX_T_I64 || !is_const(j, o->b))
            return v;
        int64_t c = (int64_t)const_of(j, o->b);
        if (c <= -NEAR || c >= NEAR)
            return v;
        int64_t sum = o->op == ORYX_OP_ADD ? *offset + c : *offset - c;
        if (sum <= -NEAR || sum >= NEAR)
            return v;
        *offset = sum;
        v = o->a;
    }
}

static void make_slow(engine *en, uint64_t pc)
{
    uint32_t n = __atomic_load_n(&en->n_slow, __ATOMIC_RELAXED);
    while (n < SLOW_PCS && !is_slow(en, pc))
        if (__atomic_compare_exchange_n(&en->n_slow, &n, n + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            __atomic_store_n(&en->slow_pc[n], pc, __ATOMIC_RELEASE);
            break;
        }
}

/* The stub made last is of its instruction's first access: the instruction may begin again. */
static bool first_access(const jit *j)
{
    for (uint32_t i = j->first_store_stub; i + 1 < j->n_stubs; i++)
        if (j->stubs[i].kind == STUB_LOAD || j->stubs[i].kind == STUB_STORE || j->stubs[i].kind == STUB_EXC)
            return false;
    return !j->atomic_store;
}

uint32_t window_check(jit *j, unsigned reg, oryx_val v, int32_t disp)
{
    emit *e = &j->e;
    int64_t offset;
    oryx_val r = root(j, v, &offset);
    for (uint32_t i = 0; i < j->n_near; i++) {
        int64_t distance = offset + disp - j->near_at[i];
        if (j->near_val[i] == r && distance > -NEAR && distance < NEAR) {
            j->stubs[j->near_stub[i]].leads = true;
            return 0;
        }
    }
    int32_t limit = j->tb->flags & ORYX_TB_WINDOW_WR ? CPU_DISP(j, window.wr) : CPU_DISP(j, window.rd);
    emit_rm(e, 0x3b, W64, reg, SB, limit);
    uint32_t from = emit_jcc(e, CC_AE);
    if (!first_access(j) || __atomic_load_n(&j->en->no_near, __ATOMIC_RELAXED))
        return from;
    uint32_t at = j->n_near < WINDOW_NEAR ? j->n_near++ : j->at % WINDOW_NEAR;
    j->near_val[at] = r;
    j->near_at[at] = offset;
    j->near_stub[at] = j->n_stubs - 1;
    return from;
}

/* The instruction is to be done again by a block made anew, in which it uses no window and nothing trusts it. */
static void beyond(engine *en, oryx_cpu *cpu, uint64_t pc)
{
    make_slow(en, pc);
    if (!is_slow(en, pc))
        __atomic_store_n(&en->no_near, true, __ATOMIC_RELAXED);
    en->host->space_written(en->host->vcpu_space(cpu->vcpu), pc, 1);
}

void window_beyond(jit *j, const stub *s)
{
    emit *e = &j->e;
    again_exit(j, s);
    emit_mov_ri(e, RDI, (uintptr_t)j->en);
    emit_rm(e, 0x8d, W64, RSI, SB, j->en->cpu_off - BIAS);
    emit_mov_ri(e, RDX, s->pc);
    emit_mov_ri(e, RAX, (uintptr_t)beyond);
    emit_rr(e, 0xff, W32, 2, RAX);
}

void window_site(jit *j, uint32_t number)
{
    if (j->n_sites == j->cap_sites) {
        uint32_t cap = j->cap_sites ? j->cap_sites * 2 : 64;
        window_site_t *grown = realloc(j->sites, cap * sizeof *grown);
        if (!grown) {
            j->error = ORYX_E_NOMEM;
            return;
        }
        j->sites = grown;
        j->cap_sites = cap;
    }
    j->sites[j->n_sites++] = (window_site_t){ .at = emit_at(&j->e), .stub = number, .pc = (int32_t)(j->pc - j->tb->pc) };
}

void window_sites_emit(jit *j)
{
    emit *e = &j->e;
    while ((uintptr_t)e->p & 3)
        emit8(e, 0xcc);
    j->head.sites = emit_at(e);
    j->head.n_sites = j->n_sites;
    for (uint32_t i = 0; i < j->n_sites; i++) {
        emit32(e, j->sites[i].at);
        emit32(e, j->stubs[j->sites[i].stub].back); /* stubs_emit put its start there */
        emit32(e, (uint32_t)j->sites[i].pc);
        emit32(e, 0);
    }
    j->head.pc = j->tb->pc;
}

/* --- faults ----------------------------------------------------------------------------------------------------------------- */
/* The head of the block that holds `at`, an offset in the cache, or NULL. */
static const code_head *block_at(const cache *c, uint64_t at)
{
    uint64_t chunk = at / CHUNK;
    const uint32_t *end = (const uint32_t *)(const void *)(c->write + (chunk + 1) * CHUNK);
    uint32_t lo = 0, hi = __atomic_load_n(&c->blocks[chunk], __ATOMIC_ACQUIRE), offset = (uint32_t)(at % CHUNK);
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (end[-1 - (int64_t)mid] <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo)
        return NULL;
    uint32_t start = end[-(int64_t)lo];
    const code_head *h = (const code_head *)(const void *)(c->write + chunk * CHUNK + start);
    return offset - start < h->size ? h : NULL;
}

uint64_t window_recover(void *self, oryx_cpu *cpu, uint64_t host_pc, uint64_t *again)
{
    engine *en = self;
    const cache *c = &en->cache;
    uint64_t offset = host_pc - (uint64_t)(uintptr_t)c->exec;
    (void)cpu;
    const code_head *h = offset >= en->shared && offset < c->mapped ? block_at(c, offset) : NULL;
    if (!h)
        return 0;
    uint64_t start = (uint64_t)((const uint8_t *)(h + 1) - c->write);
    window_site_t *sites = (window_site_t *)(void *)(c->write + start + h->sites);
    uint32_t lo = 0, hi = h->n_sites, at = (uint32_t)(offset - start);
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (sites[mid].at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == h->n_sites || sites[lo].at != at)
        return 0;
    if (__atomic_add_fetch(&sites[lo].count, 1, __ATOMIC_RELAXED) == TOO_OFTEN) {
        *again = h->pc + (uint64_t)(int64_t)sites[lo].pc;
        make_slow(en, *again);
    }
    return (uint64_t)(uintptr_t)c->exec + start + sites[lo].stub;
}
