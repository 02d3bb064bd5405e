/* Code that is met for the first time: its IR is executed once, straight from the lifter, without simplifying, compiling or
 * keeping it. Most code of a program runs once or a few times, and compiling costs ten times what executing once does.
 *
 * run.c asks when a look-up finds no block and the engine says that it compiles slowly (ORYX_ENGINE_COLD); translate.c lifts and
 * leaves the block here when every op of it is one of these and its pc was not met before. The pages of the bytes are held
 * meanwhile, so a store into the block's own page, or a mapping that changes below it, is seen as it is by compiled code: the
 * current instruction ends, the rest is looked up anew. Invariant: whatever ends the block, state, pc, count and exception are
 * what a compiled block leaves. */
#include <string.h>

#include "cold.h"
#include "ir_opt.h"

/* --- who was met before ------------------------------------------------------------------------------------------------------
 * A set of bits by hash. Two blocks of one bit: the second is compiled at once, which costs what it always did; no entry ever
 * makes room for another, or two blocks of a loop could keep each other from being compiled. */
#define SEEN_BITS 18
#define SEEN_MOST (1u << (SEEN_BITS - 2)) /* begin anew: too many would be taken for others */

uint32_t *oryx__cold_create(void)
{
    return oryx__alloc((1u << SEEN_BITS) / 8);
}

/* Never 0. */
static uint32_t seen_bit(uint64_t pc, uint64_t mode)
{
    uint64_t h = (pc ^ mode * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> (64 - SEEN_BITS)) | 1u << SEEN_BITS;
}

/* Every word is looked at and changed by whole loads and stores: a bit that another vCPU's store loses is asked about again. */
static uint32_t *seen_word(const struct oryx__tbs *tbs, uint32_t bit, uint32_t *mask)
{
    *mask = 1u << (bit & 31);
    return &tbs->seen[(bit & ((1u << SEEN_BITS) - 1)) / 32];
}

/* Under machine->lock. */
static bool first_time(struct oryx__tbs *tbs, uint64_t pc, uint64_t mode)
{
    uint32_t mask, *at = seen_word(tbs, seen_bit(pc, mode), &mask), had = __atomic_load_n(at, __ATOMIC_RELAXED);
    if (had & mask)
        return tbs->cold_always;
    if (++tbs->n_seen > SEEN_MOST) {
        for (uint32_t i = 0; i < (1u << SEEN_BITS) / 32; i++)
            __atomic_store_n(&tbs->seen[i], 0, __ATOMIC_RELAXED);
        tbs->n_seen = had = 0;
    }
    __atomic_store_n(at, had | mask, __ATOMIC_RELAXED);
    return true;
}

void oryx__cold_forget(struct oryx__tbs *tbs, uint32_t bit)
{
    uint32_t mask, *at;
    if (!tbs->seen || !bit)
        return;
    at = seen_word(tbs, bit, &mask);
    __atomic_store_n(at, __atomic_load_n(at, __ATOMIC_RELAXED) & ~mask, __ATOMIC_RELAXED);
}

uint32_t oryx__cold_bit(uint64_t pc, uint64_t mode)
{
    return seen_bit(pc, mode);
}

/* --- what is executed here ----------------------------------------------------------------------------------------------------- */
enum { NOT, SCALAR, MOVES, MEMORY, CONTROL, LABELS };

static const uint8_t kinds[ORYX_OP_COUNT] = {
    [ORYX_OP_NOP] = CONTROL,   [ORYX_OP_INSN] = CONTROL,   [ORYX_OP_LABEL] = LABELS,   [ORYX_OP_BR] = LABELS,
    [ORYX_OP_BRC] = LABELS,    [ORYX_OP_CONST] = MOVES,    [ORYX_OP_GET] = MOVES,      [ORYX_OP_PUT] = MOVES,
    [ORYX_OP_LGET] = MOVES,    [ORYX_OP_LPUT] = MOVES,     [ORYX_OP_SETMODE] = CONTROL, [ORYX_OP_ADD] = SCALAR,
    [ORYX_OP_SUB] = SCALAR,    [ORYX_OP_MUL] = SCALAR,     [ORYX_OP_MULHU] = SCALAR,   [ORYX_OP_MULHS] = SCALAR,
    [ORYX_OP_DIVU] = SCALAR,   [ORYX_OP_DIVS] = SCALAR,    [ORYX_OP_REMU] = SCALAR,    [ORYX_OP_REMS] = SCALAR,
    [ORYX_OP_NEG] = SCALAR,    [ORYX_OP_NOT] = SCALAR,     [ORYX_OP_AND] = SCALAR,     [ORYX_OP_OR] = SCALAR,
    [ORYX_OP_XOR] = SCALAR,    [ORYX_OP_ANDN] = SCALAR,    [ORYX_OP_SHL] = SCALAR,     [ORYX_OP_SHR] = SCALAR,
    [ORYX_OP_SAR] = SCALAR,    [ORYX_OP_ROR] = SCALAR,     [ORYX_OP_CLZ] = SCALAR,     [ORYX_OP_CLS] = SCALAR,
    [ORYX_OP_CTZ] = SCALAR,    [ORYX_OP_POPCNT] = SCALAR,  [ORYX_OP_BSWAP] = SCALAR,   [ORYX_OP_BITREV] = SCALAR,
    [ORYX_OP_ABS] = SCALAR,    [ORYX_OP_MINU] = SCALAR,    [ORYX_OP_MINS] = SCALAR,    [ORYX_OP_MAXU] = SCALAR,
    [ORYX_OP_MAXS] = SCALAR,   [ORYX_OP_ZEXT] = SCALAR,    [ORYX_OP_SEXT] = SCALAR,    [ORYX_OP_TRUNC] = SCALAR,
    [ORYX_OP_UBFX] = SCALAR,   [ORYX_OP_SBFX] = SCALAR,    [ORYX_OP_BFI] = SCALAR,     [ORYX_OP_FUNNEL] = SCALAR,
    [ORYX_OP_CMP] = SCALAR,    [ORYX_OP_SELECT] = MOVES,   [ORYX_OP_FLMAKE] = SCALAR,  [ORYX_OP_FLCOND] = SCALAR,
    [ORYX_OP_FLPACK] = SCALAR, [ORYX_OP_FLUNPACK] = SCALAR, [ORYX_OP_LOAD] = MEMORY,   [ORYX_OP_STORE] = MEMORY,
    [ORYX_OP_GOTO] = CONTROL,  [ORYX_OP_GOTOC] = CONTROL,  [ORYX_OP_GOTOI] = CONTROL,  [ORYX_OP_RAISE] = CONTROL,
    [ORYX_OP_RESYNC] = CONTROL,
};

#define PLAIN_MO (7u | ORYX_MO_SIGN | ORYX_MO_BE | ORYX_MO_ALIGN(7) | ORYX_MO_MMU(15))

bool oryx__cold_fits(oryx__cold *c)
{
    const oryx_ir *ir = &c->ir;
    c->labels = false;
    if (ir->n > ORYX__COLD_OPS)
        return false;
    for (uint32_t i = 1; i < ir->n; i++) {
        const oryx_ir_op *o = &ir->ops[i];
        switch (kinds[o->op]) {
        case SCALAR:
            if (o->type > ORYX_T_I64 && o->type != ORYX_T_FL)
                return false;
            if (o->lane > ORYX_T_I64)
                return false;
            break;
        case MOVES:
            if (o->type == ORYX_T_V128)
                return false;
            break;
        case MEMORY:
            if (o->type == ORYX_T_V128 || o->imm & ~(uint64_t)PLAIN_MO || ORYX_MO_SIZE(o->imm) > ORYX_MO_64)
                return false;
            break;
        case LABELS:
            c->labels = true;
            break;
        case CONTROL:
            break;
        default:
            return false;
        }
    }
    for (uint32_t i = 1; c->labels && i < ir->n; i++)
        if (ir->ops[i].op == ORYX_OP_LABEL)
            c->label[ir->ops[i].imm & 255] = i;
    return true;
}

/* --- flags: packed as oryx_ir.h has them ---------------------------------------------------------------------------------------- */
static uint64_t flags_make(unsigned kind, unsigned width, uint64_t a, uint64_t b, unsigned cin)
{
    uint64_t mask = oryx__mask(width), top = (uint64_t)1 << (width - 1), r, carry, over;
    a &= mask;
    b &= mask;
    switch (kind) {
    case ORYX_FL_LOGIC:
        r = a;
        return (r & top ? ORYX_FLAG_S : 0) | (r ? 0 : ORYX_FLAG_Z) | (__builtin_parity((unsigned)r & 255) ? 0 : ORYX_FLAG_P);
    case ORYX_FL_ADD:
    case ORYX_FL_ADC:
        cin = kind == ORYX_FL_ADC ? cin & 1 : 0;
        r = (a + b + cin) & mask;
        carry = ((a & b) | ((a | b) & ~r)) & top;
        over = ~(a ^ b) & (a ^ r) & top;
        break;
    default: {
        unsigned borrow = kind == ORYX_FL_SBC ? cin & 1 : kind == ORYX_FL_SBCC ? !(cin & 1) : 0;
        r = (a - b - borrow) & mask;
        carry = ((~a & b) | ((~a | b) & r)) & top;
        over = (a ^ b) & (a ^ r) & top;
        if (kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC)
            carry = !carry;
        break;
    }
    }
    return (carry ? ORYX_FLAG_C : 0) | (over ? ORYX_FLAG_O : 0) | (r & top ? ORYX_FLAG_S : 0) | (r ? 0 : ORYX_FLAG_Z) |
           (__builtin_parity((unsigned)r & 255) ? 0 : ORYX_FLAG_P) | ((a ^ b ^ r) & ORYX_FLAG_A);
}

static uint64_t flags_say(uint64_t f, unsigned condition)
{
    bool c = f & ORYX_FLAG_C, z = f & ORYX_FLAG_Z, s = f & ORYX_FLAG_S, o = f & ORYX_FLAG_O, r;
    switch (condition & ~1u) {
    case ORYX_FC_Z: r = z; break;
    case ORYX_FC_C: r = c; break;
    case ORYX_FC_S: r = s; break;
    case ORYX_FC_O: r = o; break;
    case ORYX_FC_HI: r = c && !z; break;
    case ORYX_FC_GE: r = s == o; break;
    case ORYX_FC_GT: r = !z && s == o; break;
    case ORYX_FC_A: r = !c && !z; break;
    default: r = f & ORYX_FLAG_P; break;
    }
    return r ^ (condition & 1);
}

/* --- memory ---------------------------------------------------------------------------------------------------------------------- */
#if defined(__clang__)
#define NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define NO_TSAN __attribute__((no_sanitize_thread)) /* races of the guest's memory are the guest's */
#endif

typedef uint16_t __attribute__((aligned(1), may_alias)) u16u;
typedef uint32_t __attribute__((aligned(1), may_alias)) u32u;
typedef uint64_t __attribute__((aligned(1), may_alias)) u64u;

static inline uint64_t extend(uint64_t v, uint32_t memop, unsigned type)
{
    unsigned bits = 8u << ORYX_MO_SIZE(memop);
    v &= oryx__mask(bits);
    if (memop & ORYX_MO_SIGN && bits < 64)
        v = (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
    return v & oryx__mask(oryx__bits(type));
}

/* Host address of an access that hits the translation cache, else NULL. */
static inline uint8_t *cached(const oryx_cpu *cpu, uint64_t addr, uint32_t memop, bool write)
{
    unsigned bytes = 1u << ORYX_MO_SIZE(memop), mmu = ORYX_MO_MMU_OF(memop);
    if (cpu->window.base) /* what lies in a window may vanish at any time: the slow path brings such a fault back */
        return NULL;
    if (mmu >= ORYX_MMU_INDEXES || addr & (((uint64_t)1 << ORYX_MO_ALIGN_OF(memop)) - 1))
        return NULL;
    const oryx_tlb *t = &cpu->tlb[mmu];
    const oryx_tlb_entry *e = &(write ? t->wr : t->rd)[addr >> ORYX_PAGE_BITS & t->mask];
    return ((addr + bytes - 1) & ~(uint64_t)(ORYX_PAGE_SIZE - 1)) == e->tag ? (uint8_t *)(uintptr_t)(addr + e->addend) : NULL;
}

NO_TSAN static inline uint64_t read_host(const uint8_t *p, uint32_t memop)
{
    switch (ORYX_MO_SIZE(memop)) {
    case ORYX_MO_8: return *p;
    case ORYX_MO_16: return memop & ORYX_MO_BE ? __builtin_bswap16(*(const u16u *)p) : *(const u16u *)p;
    case ORYX_MO_32: return memop & ORYX_MO_BE ? __builtin_bswap32(*(const u32u *)p) : *(const u32u *)p;
    default: return memop & ORYX_MO_BE ? __builtin_bswap64(*(const u64u *)p) : *(const u64u *)p;
    }
}

NO_TSAN static inline void write_host(uint8_t *p, uint32_t memop, uint64_t v)
{
    switch (ORYX_MO_SIZE(memop)) {
    case ORYX_MO_8: *p = (uint8_t)v; break;
    case ORYX_MO_16: *(u16u *)p = memop & ORYX_MO_BE ? __builtin_bswap16((uint16_t)v) : (uint16_t)v; break;
    case ORYX_MO_32: *(u32u *)p = memop & ORYX_MO_BE ? __builtin_bswap32((uint32_t)v) : (uint32_t)v; break;
    default: *(u64u *)p = memop & ORYX_MO_BE ? __builtin_bswap64(v) : v; break;
    }
}

static inline uint64_t slot_read(const uint8_t *p, unsigned type)
{
    switch (oryx_type_size(type)) {
    case 1: return *p;
    case 2: return *(const u16u *)p;
    case 4: return *(const u32u *)p;
    default: return *(const u64u *)p;
    }
}

static inline void slot_write(uint8_t *p, unsigned type, uint64_t v)
{
    switch (oryx_type_size(type)) {
    case 1: *p = (uint8_t)v; break;
    case 2: *(u16u *)p = (uint16_t)v; break;
    case 4: *(u32u *)p = (uint32_t)v; break;
    default: *(u64u *)p = v; break;
    }
}

/* --- execution -------------------------------------------------------------------------------------------------------------------- */
/* What was lifted may not be what is there any more. */
static bool stale(const oryx__cold *c, const oryx_machine *m)
{
    for (unsigned k = 0; k < 2; k++)
        if (c->page[k] && __atomic_load_n(&c->page[k]->version, __ATOMIC_RELAXED) != c->version[k])
            return true;
    return __atomic_load_n(&m->stats.tb_flushes, __ATOMIC_RELAXED) != c->flushes;
}

static inline uint64_t wide_pc(const oryx_ir_op *o)
{
    return (uint64_t)o->c << 32 | o->b;
}

/* The slow path of a load or store: what it calls may ask for the pc. */
static oryx_status slow_access(oryx_vcpu *v, uint64_t pc, uint64_t addr, uint32_t memop, bool write, oryx_v128 *value)
{
    oryx_cpu *cpu = v->cpu;
    *oryx__pc_slot(v) = pc;
    oryx_status s = write ? cpu->fn->store(cpu, addr, memop, value) : cpu->fn->load(cpu, addr, memop, value);
    if (s == ORYX_OK)
        return s;
    if (cpu->exc.kind == ORYX_EXC_NONE) {
        cpu->exc.kind = ORYX_EXC_INTERNAL;
        cpu->exc.status = s;
        cpu->exc.phys = ~(uint64_t)0;
    }
    cpu->exc.pc = pc;
    return s;
}

/* The block, whose instructions the slice has paid for. *done: those executed. */
static uint32_t execute(oryx_vcpu *v, oryx__cold *c, uint32_t *done)
{
    oryx_cpu *cpu = v->cpu;
    const oryx_ir_op *ops = c->ir.ops;
    uint64_t *val = c->val, pc = c->ir.pc, r;
    uint32_t n = 0; /* instructions begun */
    bool asked = false; /* something outside was called since the last boundary */
    for (uint32_t i = 1;; i++) {
        const oryx_ir_op *o = &ops[i];
        switch (o->op) {
        case ORYX_OP_INSN:
            pc = o->imm;
            if (asked && stale(c, v->machine)) {
                *oryx__pc_slot(v) = pc;
                *done = n;
                return ORYX_LEAVE_LOOKUP;
            }
            asked = false;
            n++;
            continue;
        case ORYX_OP_NOP:
        case ORYX_OP_LABEL:
            continue;
        case ORYX_OP_BRC:
            if (!val[o->a])
                continue;
            /* fall through */
        case ORYX_OP_BR:
            i = c->label[o->imm & 255];
            continue;
        case ORYX_OP_CONST:
        case ORYX_OP_FLUNPACK:
            val[i] = o->op == ORYX_OP_CONST ? o->imm : val[o->a] & 0x1d5;
            continue;
        case ORYX_OP_GET:
            val[i] = slot_read(cpu->state + o->imm, o->type) & (o->type == ORYX_T_I1 ? 1 : ~(uint64_t)0);
            continue;
        case ORYX_OP_PUT:
            slot_write(cpu->state + o->imm, o->type, val[o->a]);
            continue;
        case ORYX_OP_LGET:
            val[i] = c->local[o->imm & 63];
            continue;
        case ORYX_OP_LPUT:
            c->local[o->imm & 63] = val[o->a];
            continue;
        case ORYX_OP_SETMODE:
            cpu->mode = val[o->a];
            continue;
        case ORYX_OP_ADD:
            val[i] = (val[o->a] + val[o->b]) & oryx__mask(oryx__bits(o->type));
            continue;
        case ORYX_OP_SUB:
            val[i] = (val[o->a] - val[o->b]) & oryx__mask(oryx__bits(o->type));
            continue;
        case ORYX_OP_AND:
            val[i] = val[o->a] & val[o->b];
            continue;
        case ORYX_OP_OR:
            val[i] = val[o->a] | val[o->b];
            continue;
        case ORYX_OP_XOR:
            val[i] = val[o->a] ^ val[o->b];
            continue;
        case ORYX_OP_SELECT:
            val[i] = val[o->a] ? val[o->b] : val[o->c];
            continue;
        case ORYX_OP_FLMAKE:
            val[i] = flags_make((unsigned)o->imm, oryx__bits(o->lane), val[o->a], val[o->b], (unsigned)val[o->c]);
            continue;
        case ORYX_OP_FLCOND:
            val[i] = flags_say(val[o->a], (unsigned)o->imm);
            continue;
        case ORYX_OP_FLPACK:
            val[i] = val[o->a];
            continue;
        case ORYX_OP_LOAD: {
            uint32_t memop = (uint32_t)o->imm;
            const uint8_t *p = cached(cpu, val[o->a], memop, false);
            if (p) {
                r = read_host(p, memop);
            } else {
                oryx_v128 got = { 0, 0 };
                asked = true;
                if (slow_access(v, pc, val[o->a], memop, false, &got) != ORYX_OK) {
                    *done = n - 1;
                    return ORYX_LEAVE_EXC;
                }
                r = got.lo;
            }
            val[i] = extend(r, memop, o->type);
            continue;
        }
        case ORYX_OP_STORE: {
            uint32_t memop = (uint32_t)o->imm;
            uint8_t *p = cached(cpu, val[o->a], memop, true);
            if (p) {
                write_host(p, memop, val[o->b]);
            } else {
                oryx_v128 put = { val[o->b] & oryx__mask(8u << ORYX_MO_SIZE(memop)), 0 };
                asked = true;
                if (slow_access(v, pc, val[o->a], memop, true, &put) != ORYX_OK) {
                    *done = n - 1;
                    return ORYX_LEAVE_EXC;
                }
            }
            continue;
        }
        case ORYX_OP_GOTO:
        case ORYX_OP_GOTOC:
        case ORYX_OP_GOTOI:
            *oryx__pc_slot(v) = o->op == ORYX_OP_GOTOI ? val[o->a] : o->op == ORYX_OP_GOTO || val[o->a] ? o->imm : wide_pc(o);
            *done = n;
            return ORYX_LEAVE_LOOKUP;
        case ORYX_OP_RESYNC:
            *oryx__pc_slot(v) = o->imm;
            *done = n;
            return ORYX_LEAVE_RESYNC;
        case ORYX_OP_RAISE:
            cpu->exc.kind = (uint32_t)o->imm & 0xffff;
            cpu->exc.access = ORYX_ACCESS_READ;
            cpu->exc.pc = wide_pc(o);
            cpu->exc.syndrome = val[o->a];
            cpu->exc.addr = 0;
            cpu->exc.phys = ~(uint64_t)0;
            cpu->exc.size = 0;
            cpu->exc.status = ORYX_OK;
            *oryx__pc_slot(v) = cpu->exc.pc;
            *done = n - 1;
            return ORYX_LEAVE_EXC;
        default:
            /* Every other op that oryx__cold_fits lets in is one that constants are folded with. */
            if (!oryx__ir_fold(o, val[o->a], val[o->b], val[o->c], &val[i]))
                val[i] = 0;
            continue;
        }
    }
}

uint32_t oryx__cold_run(oryx_vcpu *v)
{
    oryx__cold *c = v->cold;
    oryx_cpu *cpu = v->cpu;
    uint32_t reason = ORYX_LEAVE_BUDGET, n = c->ir.n_insns, done;
    c->ready = false;
    if (cpu->slice.left >= n && !__atomic_load_n(&cpu->slice.kick, __ATOMIC_RELAXED)) {
        cpu->slice.left -= n;
        reason = execute(v, c, &done);
        cpu->slice.left += n - done;
    }
    oryx__cold_release(v);
    return reason;
}

/* --- life -------------------------------------------------------------------------------------------------------------------------- */
static oryx__cold *cold_of(oryx_vcpu *v)
{
    if (!v->cold && (v->cold = oryx__alloc(sizeof(*v->cold))) && oryx__ir_init(&v->cold->ir) != ORYX_OK) {
        oryx__free(v->cold);
        v->cold = NULL;
    }
    return v->cold;
}

oryx_ir *oryx__cold_ir(oryx_vcpu *v, uint64_t pc)
{
    oryx__cold *c = first_time(v->machine->tbs, pc, v->cpu->mode) ? cold_of(v) : NULL;
    if (!c)
        return NULL;
    oryx__ir_reset(&c->ir, pc, v->cpu->mode);
    c->ir.fp = v->cpu->fp;
    return &c->ir;
}

void oryx__cold_take(oryx_vcpu *v, uint32_t len, oryx__page *const *page, const uint32_t *version)
{
    oryx__cold *c = v->cold;
    for (unsigned k = 0; k < 2; k++) {
        c->page[k] = page[k];
        c->version[k] = version[k];
    }
    c->flushes = __atomic_load_n(&v->machine->stats.tb_flushes, __ATOMIC_RELAXED);
    c->ready = true;
    oryx_machine *m = v->machine;
    uint32_t first = (uint32_t)c->ir.pc & (ORYX_PAGE_SIZE - 1), last = first + len - 1;
    pthread_mutex_lock(&m->tbs->lock);
    oryx__page *p = page[0];
    uint32_t at = p->n_cold++ % G_N_ELEMENTS(p->cold);
    p->cold[at].seen = seen_bit(c->ir.pc, c->ir.mode);
    p->cold[at].first = (uint16_t)first;
    p->cold[at].last = (uint16_t)MIN(last, ORYX_PAGE_SIZE - 1);
    m->stats.tb_cold++;
    pthread_mutex_unlock(&m->tbs->lock);
}

void oryx__cold_release(oryx_vcpu *v)
{
    oryx__cold *c = v->cold;
    struct oryx__tbs *tbs = v->machine->tbs;
    for (unsigned k = 0; c && k < 2; k++) {
        oryx__page *p = c->page[k];
        c->page[k] = NULL;
        if (k == 0) { /* the page most likely to be wanted next */
            oryx__page *was = c->kept;
            c->kept = p;
            p = was;
        }
        oryx__page_release(tbs, p);
    }
}

void oryx__cold_end(oryx_vcpu *v)
{
    oryx__page_release(v->machine->tbs, v->cold->kept);
    v->cold->kept = NULL;
}

void oryx__cold_free(oryx_vcpu *v)
{
    if (!v->cold)
        return;
    oryx__ir_fini(&v->cold->ir);
    oryx__free(v->cold);
    v->cold = NULL;
}
