/* Translation: guest bytes at a pc to one compiled block.
 *
 * run.c calls it on a miss. The frontend lifts one instruction at a time until one ends the block, the page ends, the size or
 * count limit is reached, or the next instruction is a stop address; probes add their IR in between; then check,
 * simplify, compile, insert. An instruction that crosses into the next page is the last of its block. Runs under
 * machine->lock (frontends and probes are not re-entered). Invariant: bytes are read only after their page is held as a code
 * page, and a block whose page was written since is made again, so no cached block shows old bytes. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cold.h"
#include "translate.h"

/* Read [pc, pc + n) of one page, holding it first. k: which page of the block or region. */
static oryx_status read_page(work *w, uint32_t k, uint64_t pc, uint8_t *buf, uint32_t n, uint32_t *got, uint64_t *phys)
{
    oryx_space *space;
    oryx_status s = oryx__fetch(w->v, pc, buf, n, got, phys, &space);
    if (s == ORYX_OK && w->page[k] && (w->ppage_of[k] != (*phys & PAGE_MASK) || w->space[k] != space))
        return oryx__error(w->err, ORYX_E_STATE, "the page of code at 0x%" PRIx64 " is mapped anew", pc); /* of a region */
    if (s != ORYX_OK || w->page[k])
        return s;
    w->vpage_of[k] = pc & PAGE_MASK;
    w->ppage_of[k] = *phys & PAGE_MASK;
    w->space[k] = space;
    bool fresh;
    w->page[k] = oryx__page_hold(w->m->tbs, w->space[k], *phys, &w->version[k], &fresh);
    if (!w->page[k])
        return oryx__error(w->err, ORYX_E_NOMEM, "no memory to note code at 0x%" PRIx64, pc);
    /* Another thread may have written between the read and the mark. */
    return fresh ? oryx__fetch(w->v, pc, buf, n, got, phys, &w->space[k]) : ORYX_OK;
}

/* Have at least `want` bytes at w->at when the first page has them. */
static oryx_status fill(work *w, uint32_t want)
{
    uint32_t used = (uint32_t)(w->at - w->pc), room = ORYX_PAGE_SIZE - (uint32_t)(w->pc & ~PAGE_MASK);
    want = MIN(used + want, room);
    while (w->got < want) {
        uint32_t n = MIN(MAX(want - w->got, 256u), room - w->got), got;
        uint64_t phys;
        oryx_status s = read_page(w, w->k, w->pc + w->got, w->bytes + w->got, n, &got, &phys);
        if (s != ORYX_OK)
            return s;
        if (w->got == 0)
            w->phys = phys;
        w->got += got;
    }
    return ORYX_OK;
}

/* The bytes of the page after, for an instruction that crosses into it. */
static oryx_status fill_ahead(work *w)
{
    uint32_t got;
    uint64_t phys, next = (w->pc & PAGE_MASK) + ORYX_PAGE_SIZE;
    oryx_status s = read_page(w, 1, next, w->bytes + w->got, w->m->arch->insn_max, &got, &phys);
    if (s == ORYX_OK) {
        w->ahead = got;
        w->phys2 = phys & PAGE_MASK;
    }
    return s;
}

/* Frontends number an instruction's labels from 0; blocks number them all. Returns false when they run out. */
static bool renumber(work *w, uint32_t from)
{
    uint32_t top = w->labels;
    for (uint32_t i = from; i < w->ir->n; i++) {
        oryx_ir_op *o = &w->ir->ops[i];
        if (o->op != ORYX_OP_LABEL && o->op != ORYX_OP_BR && o->op != ORYX_OP_BRC)
            continue;
        o->imm += w->labels;
        if (o->imm > MAX_LABEL)
            return false;
        top = MAX(top, (uint32_t)o->imm + 1);
    }
    w->labels = top;
    return true;
}

static oryx_status lift_bytes(work *w, oryx_lift *l)
{
    uint32_t used = (uint32_t)(w->at - w->pc);
    l->bytes = w->bytes + used;
    l->n_bytes = MIN(w->got + w->ahead - used, 16u);
    l->len = l->end = 0;
    l->mode = w->mode;
    return w->m->arch->lift(l);
}

/* Lift the instruction at w->at into w->ir. *end: it ends the block. On failure w->ir is as before. */
static oryx_status lift_one(work *w, uint32_t index, uint32_t *end)
{
    const oryx_arch_ops *a = w->m->arch;
    oryx_ir *ir = w->ir;
    uint32_t mark = ir->n;
    oryx_status s = fill(w, a->insn_max);
    if (s != ORYX_OK)
        return s;
    oryx_lift l = { .hdr = ORYX_HDR(oryx_lift), .ir = ir, .pc = w->at, .mode = w->mode,
                    .helper_base = w->m->helper_base, .model = w->v->model };
    oryx_val insn = oryx_ir_emit(ir, ORYX_OP_INSN, ORYX_T_VOID, ORYX_T_VOID, 0, 0, 0, w->at);
    uint32_t body = ir->n;
    s = lift_bytes(w, &l);
    if (s == ORYX_NEED_BYTES && !w->ahead && w->at + l.n_bytes == (w->pc & PAGE_MASK) + ORYX_PAGE_SIZE) {
        ir->n = body;
        ir->error = ORYX_OK;
        if ((s = w->region ? ORYX_E_UNSUPPORTED : fill_ahead(w)) != ORYX_OK) {
            ir->n = mark;
            return s;
        }
        s = lift_bytes(w, &l);
    }
    if (s == ORYX_OK && oryx__probes_any(w->m)) {
        /* Now that the length is known: probes first, then the instruction again. */
        oryx_probe_insn p = { .hdr = ORYX_HDR(oryx_probe_insn), .pc = w->at, .bytes = l.bytes, .len = l.len, .index = index,
                              .mode = w->mode };
        ir->n = body;
        if (index == 0)
            oryx__probes_block(w->m, ir, &p);
        oryx__probes_insn(w->m, ir, &p);
        if (!renumber(w, body))
            ir->error = ORYX_E_RANGE;
        body = ir->n;
        s = lift_bytes(w, &l);
        ir->mem_hook = NULL;
    }
    if (s == ORYX_OK && ir->error)
        s = ir->error;
    if (s == ORYX_OK && !renumber(w, body))
        s = ORYX_E_RANGE;
    if (s != ORYX_OK)
        return oryx__error(w->err, s, "frontend '%s' cannot lift the instruction at 0x%" PRIx64 ": %s", a->name, w->at,
                           oryx_status_text(s));
    if (!l.len || l.len > l.n_bytes || l.len > a->insn_max)
        return oryx__error(w->err, ORYX_E_INTERNAL, "frontend '%s' says the instruction at 0x%" PRIx64 " has %u bytes of %u", a->name,
                           w->at, l.len, l.n_bytes);
    ir->ops[insn].a = l.len;
    ir->n_insns++;
    w->at += l.len;
    w->mode = l.mode;
    *end = l.end;
    return ORYX_OK;
}

oryx_status oryx__lift_block(work *w)
{
    struct oryx__tbs *tbs = w->m->tbs;
    uint32_t max = w->limit && w->limit < tbs->max_insns ? w->limit : tbs->max_insns, end = 0;
    uint64_t page = w->pc & PAGE_MASK;
    for (uint32_t i = 0; !end; i++) {
        bool stop = i && (i == max || (w->at & PAGE_MASK) != page || w->labels + LABELS_AN_INSN > MAX_LABEL || w->phys2 != ~(uint64_t)0);
        if (!stop && i) {
            pthread_mutex_lock(&tbs->lock);
            stop = oryx__stop_at(tbs, w->space[w->k], w->phys + (w->at - w->pc), w->at);
            pthread_mutex_unlock(&tbs->lock);
        }
        if (stop) {
            oryx_goto(w->ir, w->at, 0);
            break;
        }
        oryx_status s = lift_one(w, i, &end);
        if (s != ORYX_OK) {
            if (!oryx__is_fetch_fault(s) || i == 0) {
                w->v->cpu->exc.pc = w->at;
                return s;
            }
            /* The fault is the next block's; this one ends before it. */
            w->v->cpu->exc.kind = ORYX_EXC_NONE;
            oryx_goto(w->ir, w->at, 0);
            break;
        }
    }
    return w->ir->error;
}

static oryx_status check(const work *w)
{
    struct oryx__tbs *tbs = w->m->tbs;
    if (!tbs->check_all && tbs->check_tick++ % 64)
        return ORYX_OK;
    return oryx__ir_check(w->ir, w->m->arch, w->err);
}

oryx_status oryx__compile(work *w, oryx_ir *ir, oryx__tb *tb)
{
    oryx_machine *m = w->m;
    w->ir = ir;
    oryx_status s = check(w);
    if (s != ORYX_OK)
        return s;
    oryx__dump_ir(m->tbs, ORYX__DUMP_IR, ir);
    oryx__ir_opt(ir, m);
    oryx__dump_ir(m->tbs, ORYX__DUMP_OPT, ir);
    tb->pub.mode = w->v->cpu->mode;
    tb->pub.n_insns = ir->n_insns;
    tb->pub.exec_count = m->tbs->hot;
    tb->model = w->v->model;
    s = m->engine->compile(m->engine_self, ir, &tb->pub, w->err);
    if (s == ORYX_OK)
        oryx__dump_host(m->tbs, &tb->pub);
    /* An engine that says nothing keeps about one of its ops for one of these. */
    tb->bytes += tb->pub.code_size ? tb->pub.code_size : (uint32_t)(ir->n * sizeof(oryx_ir_op));
    if (s != ORYX_OK && w->err && !w->err->code)
        oryx__error(w->err, s, "engine '%s' refuses the block at 0x%" PRIx64 ": %s", m->engine->name, tb->pub.pc, oryx_status_text(s));
    return s;
}

static oryx_status compile_block(work *w, oryx__tb **out)
{
    oryx__tb *tb = oryx__tb_new(0, 0);
    if (!tb)
        return oryx__error(w->err, ORYX_E_NOMEM, "no memory for a translated block");
    tb->pub.pc = w->pc;
    tb->pub.phys = w->phys;
    tb->pub.guest_len = (uint32_t)(w->at - w->pc);
    tb->pub.flags = (w->limit ? ORYX_TB_NO_LINK : w->m->tbs->hot && !w->no_count ? ORYX_TB_COUNT : 0) | oryx__window_flags(w->v);
    tb->space = w->space[0];
    tb->limit = w->limit;
    tb->phys2 = w->phys2;
    oryx_status s = oryx__compile(w, w->ir, tb);
    if (s == ORYX_OK)
        *out = tb;
    else
        oryx__free(tb);
    return s;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void oryx__work_begin(work *w, oryx_vcpu *v, uint64_t pc, oryx_error *err)
{
    memset(w, 0, offsetof(work, bytes));
    w->v = v;
    w->m = v->machine;
    w->ir = &w->m->tbs->ir;
    w->err = err;
    oryx__ir_reset(w->ir, pc, v->cpu->mode);
    w->ir->fp = v->cpu->fp;
    oryx__work_at(w, pc);
    pthread_mutex_lock(&w->m->tbs->lock);
    w->m->tbs->stops_changed = false;
    w->breaks = w->m->tbs->breaks != NULL;
    pthread_mutex_unlock(&w->m->tbs->lock);
}

void oryx__work_at(work *w, uint64_t pc)
{
    w->pc = w->at = pc;
    w->mode = w->v->cpu->mode;
    w->phys2 = ~(uint64_t)0;
    w->got = w->ahead = 0;
}

void oryx__work_end(work *w)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(w->page); k++)
        oryx__page_release(w->m->tbs, w->page[k]);
}

/* One try. ORYX_OK with *out NULL: code changed under the translation, or v->cold is ready. */
static oryx_status make(oryx_vcpu *v, uint64_t pc, uint32_t limit, bool no_count, bool cold, oryx__tb **out, oryx_error *err)
{
    work w;
    oryx__work_begin(&w, v, pc, err);
    oryx_ir *once = cold && !w.breaks ? oryx__cold_ir(v, pc) : NULL;
    w.ir = once ? once : w.ir;
    w.limit = limit;
    w.no_count = no_count;
    *out = NULL;
    oryx__tb *tb = NULL;
    oryx_status s = oryx__lift_block(&w);
    if (s == ORYX_OK && once && check(&w) == ORYX_OK && oryx__cold_fits(v->cold)) {
        oryx__cold_take(v, (uint32_t)(w.at - w.pc), w.page, w.version);
        return ORYX_OK;
    }
    if (s == ORYX_OK)
        s = compile_block(&w, &tb);
    else if (!oryx__is_fetch_fault(s) && err && !err->code)
        oryx__error(err, s, "no translation at 0x%" PRIx64 ": %s", pc, oryx_status_text(s));
    if (tb && !oryx__tb_insert(v, tb, w.page, w.version)) {
        w.m->engine->discard(w.m->engine_self, &tb->pub);
        oryx__free(tb);
        tb = NULL;
    }
    oryx__work_end(&w);
    *out = tb;
    return s;
}

oryx_status oryx__tb_make(oryx_vcpu *v, uint64_t pc, uint32_t limit, bool cold, oryx__tb **out, oryx_error *err)
{
    oryx_machine *m = v->machine;
    oryx_status s;
    uint64_t start = now_ns();
    if (err)
        err->code = ORYX_OK;
    pthread_mutex_lock(&m->lock);
    /* Another vCPU may have made it while this one waited for the lock. */
    *out = NULL;
    s = atomic_load(&m->several) ? oryx__tb_find(v, pc, limit, out) : ORYX_OK;
    while (s == ORYX_OK && !*out && !(v->cold && v->cold->ready))
        s = make(v, pc, limit, false, cold, out, err);
    m->stats.translate_ns += now_ns() - start;
    pthread_mutex_unlock(&m->lock);
    if (oryx__is_fetch_fault(s))
        v->cpu->exc.pc = pc;
    return s;
}

oryx_status oryx_vcpu_block(oryx_vcpu *v, uint64_t pc, uint32_t limit, oryx_tb **out, oryx_error *err)
{
    oryx__tb *tb = NULL;
    *out = NULL;
    oryx_status s = limit ? oryx__tb_find(v, pc, limit, &tb) : ORYX_E_INVALID;
    if (s == ORYX_OK && !tb)
        s = oryx__tb_make(v, pc, limit, false, &tb, err);
    *out = s == ORYX_OK ? &tb->pub : NULL;
    return s;
}

void oryx__tb_hot(oryx_vcpu *v, uint64_t pc)
{
    oryx_machine *m = v->machine;
    uint64_t start = now_ns();
    oryx__tb *tb = NULL;
    oryx_exc keep = v->cpu->exc;
    pthread_mutex_lock(&m->lock);
    /* The block may have been dropped, or another vCPU was quicker. */
    oryx_status s = oryx__tb_find(v, pc, 0, &tb);
    if (s == ORYX_OK && tb && tb->pub.flags & ORYX_TB_COUNT && ++tb->heat >= m->tbs->heat && !oryx__region_make(v, pc)) {
        oryx_error err = { .code = ORYX_OK };
        for (int tries = 0; s == ORYX_OK && !(s = make(v, pc, 0, true, false, &tb, &err)) && !tb && tries < 8; tries++)
            ;
        if (s != ORYX_OK || !tb)
            oryx__tbs_flush(m); /* no room: the run loop begins anew */
    }
    m->stats.translate_ns += now_ns() - start;
    pthread_mutex_unlock(&m->lock);
    v->cpu->exc = keep;
}
