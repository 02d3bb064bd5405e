/* Regions: the blocks around a hot one, lifted into one IR so that the engine keeps guest registers in host registers between
 * them.
 *
 * translate.c calls it under machine->lock when a block was entered often. From the hot block along direct branches, calls
 * and returns to known call sites, blocks are taken that the guest has executed often (some block is cached for them, and was found
 * hot once at least: the sides that are rarely taken stay outside), that lie on at most four pages, contain no stop address and cross no page; all else is a way out. They are put in an order where loops
 * run backward and everything else forward, each behind a BLOCK op. Invariant: a block here is lifted exactly as it would be
 * alone - same start, same end, same probes - so counts, stops and hooks are those of single blocks. */
#include <string.h>

#include "translate.h"

#define MAX_INSNS 512u

typedef struct block {
    uint64_t pc, phys;
    uint32_t start, end; /* its ops in work.ir; equal: not in the region */
    uint32_t n_insns, len, k, flags;
    uint8_t succ[2 + ORYX_REGION_RETURNS], n_succ, n_direct;
    bool seen, returns, lifted;
} block;

typedef struct grow {
    work w;
    block b[ORYX_REGION_BLOCKS];
    oryx_space *space;   /* of all their bytes */
    uint32_t n, n_pages, n_returns, insns;
    uint8_t order[ORYX_REGION_BLOCKS], place[ORYX_REGION_BLOCKS]; /* order: postorder while it is walked */
    uint32_t n_order;
} grow;

/* --- which blocks ------------------------------------------------------------------------------------------------------- */
static int block_at(const grow *g, uint64_t pc)
{
    for (uint32_t i = 0; i < g->n; i++)
        if (g->b[i].pc == pc)
            return (int)i;
    return -1;
}

static bool page_of(grow *g, uint64_t pc, uint32_t *k)
{
    for (*k = 0; *k < g->n_pages; ++*k)
        if (g->w.vpage_of[*k] == (pc & PAGE_MASK))
            return true;
    if (g->n_pages == ORYX__REGION_PAGES)
        return false;
    g->w.vpage_of[g->n_pages++] = pc & PAGE_MASK;
    return true;
}

/* The block at pc becomes a candidate when the guest was there; its number or -1. */
static int want(grow *g, uint64_t pc)
{
    work *w = &g->w;
    struct oryx__tbs *tbs = w->m->tbs;
    int at = block_at(g, pc);
    uint8_t byte;
    uint32_t got, k;
    uint64_t phys;
    oryx_space *space;
    if (at >= 0)
        return at;
    if (g->n == ORYX_REGION_BLOCKS || pc & (w->m->arch->insn_align - 1) || oryx__fetch(w->v, pc, &byte, 1, &got, &phys, &space) != ORYX_OK)
        return -1;
    g->space = g->n ? g->space : space;
    if (space != g->space)
        return -1;
    pthread_mutex_lock(&tbs->lock);
    bool stop = oryx__stop_at(tbs, space, phys, pc);
    pthread_mutex_unlock(&tbs->lock);
    if (stop || (!tbs->region_all && !oryx__tb_known(w->v, space, pc, phys, tbs->heat > 1)) || !page_of(g, pc, &k))
        return -1;
    g->b[g->n] = (block){ .pc = pc, .phys = phys, .k = k };
    return (int)g->n++;
}

/* --- one block ---------------------------------------------------------------------------------------------------------- */
/* The address of the instruction that follows is put somewhere in the block's last instruction: a call. */
static bool is_call(const oryx_ir *ir, uint32_t start, uint64_t next)
{
    for (uint32_t i = ir->n - 1; i > start && ir->ops[i].op != ORYX_OP_INSN; i--)
        if (ir->ops[i].op == ORYX_OP_PUT && ir->ops[ir->ops[i].a].op == ORYX_OP_CONST && ir->ops[ir->ops[i].a].imm == next)
            return true;
    return false;
}

static void lift(grow *g, block *b)
{
    work *w = &g->w;
    oryx_ir *ir = w->ir;
    uint32_t before = ir->n_insns, labels = w->labels;
    b->start = b->end = ir->n;
    if (g->insns >= MAX_INSNS || w->labels + LABELS_AN_INSN > MAX_LABEL)
        return;
    oryx__work_at(w, b->pc);
    w->k = b->k;
    if (oryx__lift_block(w) != ORYX_OK) {
        ir->n = b->start;
        ir->n_insns = before;
        ir->error = ORYX_OK;
        w->labels = labels;
        return;
    }
    b->end = ir->n;
    b->n_insns = ir->n_insns - before;
    b->len = (uint32_t)(w->at - b->pc);
    b->lifted = true;
    g->insns += b->n_insns;
    if (w->mode != w->v->cpu->mode)
        b->flags |= ORYX_BLOCK_LEAVES;
    for (uint32_t i = b->start; i < b->end; i++)
        if (ir->ops[i].op == ORYX_OP_SETMODE)
            b->flags |= ORYX_BLOCK_LEAVES;
}

/* The blocks it leads to, in the order they shall be walked. */
static void successors(grow *g, uint32_t n)
{
    block *b = &g->b[n];
    const oryx_ir *ir = g->w.ir;
    uint64_t next = b->pc + b->len;
    if (b->flags & ORYX_BLOCK_LEAVES)
        return;
    for (uint32_t i = b->start; i < b->end; i++) {
        const oryx_ir_op *o = &ir->ops[i];
        uint64_t to[2] = { o->imm, (uint64_t)o->c << 32 | o->b };
        unsigned k = o->op == ORYX_OP_GOTO ? 1 : o->op == ORYX_OP_GOTOC ? 2 : 0;
        for (unsigned j = 0; j < k; j++) {
            int s = want(g, to[j]);
            if (s >= 0 && b->n_direct < 2)
                b->succ[b->n_direct++] = (uint8_t)s;
        }
        b->returns |= o->op == ORYX_OP_GOTOI && o->imm == ORYX_HINT_RETURN;
    }
    b->n_succ = b->n_direct;
    if (ir->ops[b->end - 1].op == ORYX_OP_GOTO && b->n_direct && g->n_returns < ORYX_REGION_RETURNS && is_call(ir, b->start, next)) {
        int s = want(g, next);
        if (s >= 0 && !(g->b[s].flags & ORYX_BLOCK_RETURN)) {
            g->b[s].flags |= ORYX_BLOCK_RETURN;
            g->n_returns++;
        }
    }
}

/* --- their order ---------------------------------------------------------------------------------------------------------- */
static void walk(grow *g, uint32_t n)
{
    block *b = &g->b[n];
    b->seen = true;
    for (unsigned i = 0; i < b->n_succ; i++)
        if (g->b[b->succ[i]].lifted && !g->b[b->succ[i]].seen)
            walk(g, b->succ[i]);
    g->order[g->n_order++] = (uint8_t)n;
}

static void sort(grow *g)
{
    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t k = 0; k < g->n && g->b[i].returns; k++)
            if (g->b[k].flags & ORYX_BLOCK_RETURN && g->b[i].n_succ < sizeof(g->b[i].succ))
                g->b[i].succ[g->b[i].n_succ++] = (uint8_t)k;
    walk(g, 0);
    for (uint32_t i = 0; i < g->n_order / 2; i++) {
        uint8_t t = g->order[i];
        g->order[i] = g->order[g->n_order - 1 - i];
        g->order[g->n_order - 1 - i] = t;
    }
    for (uint32_t i = 0; i < g->n_order; i++)
        g->place[g->order[i]] = (uint8_t)i;
    for (uint32_t i = 0; i < g->n_order; i++) {
        block *b = &g->b[g->order[i]];
        for (unsigned k = 0; k < b->n_succ; k++)
            if (g->b[b->succ[k]].seen && g->place[b->succ[k]] <= i)
                g->b[b->succ[k]].flags |= ORYX_BLOCK_CHECK;
    }
}

/* --- one IR ----------------------------------------------------------------------------------------------------------------- */
static void copy_block(oryx_ir *to, const oryx_ir *from, const block *b)
{
    oryx_ir_emit(to, ORYX_OP_BLOCK, ORYX_T_VOID, ORYX_T_VOID, b->n_insns, b->flags, 0, b->pc);
    uint32_t delta = to->n - b->start;
    for (uint32_t i = b->start; i < b->end; i++) {
        oryx_ir_op o = from->ops[i];
        size_t n = strlen(oryx__ir_info[o.op].sig) - 1;
        o.a += n > 0 && o.a ? delta : 0;
        o.b += n > 1 && o.b ? delta : 0;
        o.c += n > 2 && o.c ? delta : 0;
        if (o.op == ORYX_OP_ARGS) {
            uint32_t d = (uint32_t)o.imm, e = (uint32_t)(o.imm >> 32);
            o.imm = (uint64_t)(e ? e + delta : 0) << 32 | (d ? d + delta : 0);
        }
        oryx_ir_emit(to, o.op, o.type, o.lane, o.a, o.b, o.c, o.imm);
    }
    to->n_insns += b->n_insns;
}

static oryx__tb *compile(grow *g)
{
    work *w = &g->w;
    oryx_ir *ir = &w->m->tbs->ir2;
    oryx_error err = { .code = ORYX_OK };
    oryx__tb *tb = oryx__tb_new(g->n_order, g->n_pages);
    if (!tb)
        return NULL;
    oryx__ir_reset(ir, g->b[0].pc, w->v->cpu->mode);
    ir->fp = w->v->cpu->fp;
    for (uint32_t i = 0; i < g->n_order; i++) {
        const block *b = &g->b[g->order[i]];
        copy_block(ir, w->ir, b);
        tb->extent[i] = (oryx__extent){ .pc = b->pc, .len = b->len, .page = b->k };
    }
    for (uint32_t k = 0; k < g->n_pages; k++) {
        tb->vpage_of[k] = w->vpage_of[k];
        tb->ppage_of[k] = w->ppage_of[k];
    }
    tb->space = g->space;
    tb->pub.pc = g->b[0].pc;
    tb->pub.phys = g->b[0].phys;
    tb->pub.guest_len = g->b[0].len;
    tb->pub.flags = ORYX_TB_REGION | oryx__window_flags(w->v);
    w->err = &err;
    if (ir->error || oryx__compile(w, ir, tb) != ORYX_OK) {
        oryx__free(tb);
        return NULL;
    }
    return tb;
}

bool oryx__region_make(oryx_vcpu *v, uint64_t pc)
{
    grow *g = oryx__alloc(sizeof(*g));
    if (!g)
        return false;
    work *w = &g->w;
    oryx__work_begin(w, v, pc, NULL);
    w->region = true;
    bool done = false;
    if (want(g, pc) == 0) {
        for (uint32_t i = 0; i < g->n; i++) {
            lift(g, &g->b[i]);
            if (g->b[i].lifted)
                successors(g, i);
        }
        /* A page that only blocks have that could not be lifted was never read. */
        bool read = true;
        for (uint32_t k = 0; k < g->n_pages; k++)
            read &= w->page[k] != NULL;
        if (g->b[0].lifted && read) {
            sort(g);
            oryx__tb *tb = compile(g);
            done = tb && oryx__tb_insert(v, tb, w->page, w->version);
            if (tb && !done) {
                v->machine->engine->discard(v->machine->engine_self, &tb->pub);
                oryx__free(tb);
            }
        }
    }
    v->machine->stats.regions += done;
    oryx__work_end(w);
    oryx__free(g);
    return done;
}
