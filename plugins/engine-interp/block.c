/* Preparation of a block: analysis before, layout after, errors.
 *
 * Called by the core through oryx_engine_ops.compile, under its translation lock (so the working memory is shared by all
 * blocks of a machine). The invariant: a block is one allocation, made only when every op was accepted. */
#include <stdlib.h>

#include "compile.h"

/* --- analysis -------------------------------------------------------------------------------------------- */

static int passes_through(unsigned op)
{
    return op == ORYX_OP_ZEXT || op == ORYX_OP_TRUNC || op == ORYX_OP_BITCAST || op == ORYX_OP_FLPACK ||
           op == ORYX_OP_VLOW || op == ORYX_OP_VHIGH || op == ORYX_OP_VGET;
}

static void use(cc *c, oryx_val v, uint32_t at)
{
    if (!v || v >= at)
        return; /* 0: no operand; a forward use is refused when it is placed */
    cval *x = &c->s->vals[v];
    x->uses++;
    x->user = at;
    if (x->last < at)
        x->last = at;
}

/* Backwards: uses, last uses (through ops that only rename a place), folding candidates, dead ops. */
static void analyse(cc *c)
{
    const oryx_ir *ir = c->ir;
    for (uint32_t i = ir->n; i-- > 0;) {
        const oryx_ir_op *o = &ir->ops[i];
        cval *x = &c->s->vals[i];
        if (o->op >= ORYX_OP_COUNT) {
            ic_fail(c, ORYX_E_UNSUPPORTED, "unknown IR op");
            return;
        }
        const char *sig = ic_sigs[o->op], *eff = ic_effects[o->op];
        if (o->op == ORYX_OP_INSN)
            c->total_insns++;
        if ((*eff == 'P' || *eff == 'G') && !x->uses)
            continue; /* dead */
        if (o->op == ORYX_OP_ARGS) {
            use(c, o->a, i + 1);
            use(c, o->b, i + 1);
            use(c, o->c, i + 1);
            use(c, (uint32_t)o->imm, i + 1);
            use(c, (uint32_t)(o->imm >> 32), i + 1);
            continue;
        }
        oryx_val v[3] = { o->a, o->b, o->c };
        for (unsigned k = 0; sig[1] && sig[1] != '-' && sig[k + 1] && k < 3; k++)
            use(c, v[k], i);
        if ((o->op == ORYX_OP_PUT || o->op == ORYX_OP_LPUT) && o->a < i)
            c->s->vals[o->a].put = i;
        if (passes_through(o->op) && o->a < i) {
            cval *a = &c->s->vals[o->a];
            if (a->last < x->last)
                a->last = x->last;
            if ((o->op == ORYX_OP_ZEXT || o->op == ORYX_OP_BITCAST) && x->put && (!a->put || x->put < a->put))
                a->put = x->put;
        }
        if (o->op == ORYX_OP_ADD && o->type == ORYX_T_I64 && x->uses == 1 && o->b < i && o->a < i &&
            ir->ops[o->b].op == ORYX_OP_CONST && ir->ops[o->a].op != ORYX_OP_CONST) {
            const oryx_ir_op *m = &ir->ops[x->user];
            if ((m->op == ORYX_OP_LOAD || m->op == ORYX_OP_STORE) && m->a == i) {
                x->fused = 1;
                if (c->s->vals[o->a].last < x->last)
                    c->s->vals[o->a].last = x->last;
            }
        }
    }
}

static int prepare(cc *c)
{
    struct scratch *s = c->s;
    if (c->ir->n > s->n_vals) {
        uint32_t n = c->ir->n + 256;
        cval *v = realloc(s->vals, n * sizeof *v);
        if (v)
            s->vals = v;
        insn_mark *m = realloc(s->insns, n * sizeof *m);
        if (m)
            s->insns = m;
        uint8_t *t = realloc(s->insn_stores, n);
        if (t)
            s->insn_stores = t;
        if (!v || !m || !t)
            return 0;
        s->n_vals = n;
    }
    if (!s->free_slots) {
        s->free_slots = malloc(FRAME_SIZE / 16 * sizeof *s->free_slots);
        if (!s->free_slots)
            return 0;
    }
    memset(s->vals, 0, c->ir->n * sizeof *s->vals);
    s->insn_stores[0] = 0;
    s->n_ops = 0;
    return 1;
}

static code *finish(cc *c)
{
    struct scratch *s = c->s;
    ic_emit(c, H_ENDBAD);
    if (c->error)
        return NULL;
    for (uint32_t k = 0; k < s->n_ops; k++) {
        if (s->h[k] != H_BR && s->h[k] != H_BRC)
            continue;
        uint32_t to = c->label_at[s->ops[k].imm];
        if (to == UINT32_MAX) {
            ic_fail(c, ORYX_E_IR, "branch to a label that is not placed");
            return NULL;
        }
        s->ops[k].d = (int32_t)to - (int32_t)k;
    }
    size_t at_insns = sizeof(code) + s->n_ops * sizeof(iop);
    size_t at_calls = at_insns + c->n_insns * sizeof(insn_mark);
    size_t at_map = at_calls + c->n_calls * sizeof(call_site);
    code *out = malloc(at_map + s->n_ops * sizeof(uint16_t));
    if (!out) {
        ic_fail(c, ORYX_E_NOMEM, "out of memory");
        return NULL;
    }
    uint8_t *p = (uint8_t *)out;
    *out = (code){ .n_ops = s->n_ops, .n_insns = c->n_insns, .n_calls = c->n_calls };
    out->insns = memcpy(p + at_insns, s->insns, c->n_insns * sizeof(insn_mark));
    out->calls = (call_site *)(void *)(p + at_calls);
    if (c->n_calls)
        memcpy(out->calls, s->calls, c->n_calls * sizeof(call_site));
    out->op_insn = memcpy(p + at_map, s->op_insn, s->n_ops * sizeof(uint16_t));
    memcpy(out->ops, s->ops, s->n_ops * sizeof(iop));
    for (uint32_t k = 0; k < s->n_ops; k++)
        if (s->h[k] == H_CALL)
            out->ops[k].ptr = &out->calls[s->ops[k].imm];
    return out;
}

oryx_status interp_compile(engine *e, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    cc c = { .e = e, .s = e->scratch, .ir = ir, .next_slot = FRAME_LOCALS * 16 };
    code *out = NULL;
    memset(c.label_at, 0xff, sizeof c.label_at);
    if (ir->n > 0xfff0)
        ic_fail(&c, ORYX_E_RANGE, "block of more than 65520 IR ops: make shorter blocks");
    else if (!prepare(&c))
        ic_fail(&c, ORYX_E_NOMEM, "out of memory");
    if (!c.error)
        analyse(&c);
    for (c.i = 0; c.i < ir->n && !c.error; c.i++) {
        const oryx_ir_op *o = &ir->ops[c.i];
        cval *x = &c.s->vals[c.i];
        if ((ic_effects[o->op][0] == 'P' || ic_effects[o->op][0] == 'G') && !x->uses)
            continue;
        if (x->fused) {
            x->kind = K_ADDR;
            x->imm = ir->ops[o->b].imm;
            continue;
        }
        ic_op(&c, o);
    }
    if (!c.error)
        out = finish(&c);
    if (c.error) {
        if (err) {
            /* One line: where, what. Written by hand, the engine needs no formatted output elsewhere. */
            static const char hex[] = "0123456789abcdef";
            static const char *const names[] = {
#define OP(name, sig, types, effects, meaning) #name,
#include "oryx_ir.def"
#undef OP
            };
            unsigned op = c.i < ir->n ? ir->ops[c.i].op : 0;
            char *q = err->text;
            err->code = c.error;
            memcpy(q, "block at 0x", 11);
            q += 11;
            for (int k = 60; k >= 0; k -= 4)
                *q++ = hex[ir->pc >> k & 15];
            *q++ = ' ';
            const char *name = op < ORYX_OP_COUNT ? names[op] : "?";
            for (const char *t = name; *t; t++)
                *q++ = *t;
            *q++ = ':';
            *q++ = ' ';
            strncpy(q, c.why, 200);
            q[200] = 0;
        }
        return c.error;
    }
    tb->code = out;
    return ORYX_OK;
}

int interp_scratch_new(engine *e)
{
    e->scratch = calloc(1, sizeof *e->scratch);
    return e->scratch != NULL;
}

void interp_scratch_free(engine *e)
{
    struct scratch *s = e->scratch;
    if (!s)
        return;
    free(s->vals);
    free(s->ops);
    free(s->h);
    free(s->op_insn);
    free(s->insns);
    free(s->insn_stores);
    free(s->calls);
    free(s->free_slots);
    free(s->live);
    free(s);
    e->scratch = NULL;
}
