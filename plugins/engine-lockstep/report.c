/* A difference, narrowed down: a region by running it again with smaller budgets, a block by
 * cutting it to its first k instructions. Called by drive.c once a run. Everything is answered from
 * the log that the entry left (through the window: done again on memory as it was), so nothing
 * happens to devices. */
#include <stdlib.h>
#include <string.h>

#include "lockstep.h"

/* Once more with this budget: do the two differ? */
static bool differs_with(entry *e, uint32_t slice)
{
    oryx_leave why = {0};
    vcpu_side *s = e->s;
    if (s->window)
        memory_restore(s, e->cpu);
    restart(e, OTHER, s->window ? DIRECT : ANSWER);
    run_other(e, &e->p->tb[OTHER], slice, &why);
    bool accesses = s->differs;
    restart(e, REFERENCE, ANSWER);
    run_reference(e, s->after[OTHER].count, s->after[OTHER].reason);
    s->differs |= accesses;
    if (s->window && !s->differs)
        memory_compare(s, e->cpu, s->at);
    return !equal(e);
}

static void accesses(const vcpu_side *s, story *t)
{
    uint32_t from = s->at > 8 ? s->at - 8 : 0;
    if (s->n)
        add(t, "accesses of %s, %u in all:\n", s->self->name[s->writer], s->n);
    for (uint32_t i = from; i < s->n && i < from + 16; i++) {
        const record *r = &s->log[i];
        const oryx_v128 *v = r->kind == 'l' || r->kind == 'x' ? &r->out : &r->in;
        add(t, "  %c %u: %c 0x%llx, %u bytes, 0x%llx%s\n", i + 1 == s->at ? '>' : ' ', i + 1,
            r->kind, (unsigned long long)r->addr, 1u << ORYX_MO_SIZE((uint32_t)r->memop),
            (unsigned long long)v->lo, r->status ? ", faults" : "");
    }
}

/* The instructions [from, to) of what the reference did. */
static void way(const entry *e, uint32_t from, uint32_t to, story *t)
{
    const vcpu_side *s = e->s;
    from = to - from > 48 ? to - 48 : from;
    for (uint32_t i = 0; i < s->n_path; i++) {
        const path_step *p = &s->path[i];
        if (p->done + p->n <= from || p->done > to)
            continue;
        insn_text(e->l, p->pc, p->phys, p->mode, from > p->done ? from - p->done : 0,
                  to - p->done < p->n ? to - p->done + 1 : p->n, t);
    }
}

static void narrow_region(entry *e, story *t)
{
    vcpu_side *s = e->s;
    uint32_t count = s->after[OTHER].count, good = 0, low = e->tb->n_insns, high = low + AHEAD_MOST;
    for (uint32_t last = ~0u; low < high;) {
        uint32_t mid = low + (high - low) / 2;
        if (differs_with(e, mid)) {
            high = mid;
            count = s->after[OTHER].count;
        } else {
            good = s->after[OTHER].count > good ? s->after[OTHER].count : good;
            low = mid + 1;
        }
        if (last == mid)
            break;
        last = mid;
    }
    if (!differs_with(e, high)) {
        add(t, "  it does not happen again: the code depends on something else\n");
        return;
    }
    add(t,
        "the two agree after %u instructions and differ after %u (%s left after %u); between them "
        "%s has:\n",
        good, count, e->l->name[OTHER], s->after[OTHER].count, e->l->name[REFERENCE]);
    way(e, good, count, t);
    describe(e, t);
    accesses(s, t);
}

static void narrow_block(entry *e, story *t)
{
    vcpu_side *s = e->s;
    oryx_error err;
    oryx_leave why;
    pair *whole = e->p;
    for (uint32_t k = 1; k < e->tb->n_insns; k++) {
        oryx_tb *tb = NULL;
        memory_show(s, e->cpu);
        e->l->host->vcpu_block(e->cpu->vcpu, e->tb->pc, k, &tb, &err);
        memory_hide(s, e->cpu);
        if (!tb || tb->n_insns != k)
            break;
        e->p = tb->code;
        if (s->window)
            memory_restore(s, e->cpu);
        restart(e, REFERENCE, ANSWER);
        run_reference(e, k, ORYX_LEAVE_LOOKUP);
        uint32_t upto = s->at;
        restart(e, OTHER, s->window ? DIRECT : ANSWER);
        run_other(e, &e->p->tb[OTHER], k, &why);
        if (s->window) {
            memory_compare(s, e->cpu, upto);
            s->at = s->n;
        }
        if ((s->window || s->at == upto) && equal(e))
            continue;
        add(t, "cut to its first %u instructions they differ already; the last of them:\n", k);
        insn_text(e->l, e->tb->pc, e->tb->phys, e->tb->mode, k - 1, k, t);
        describe(e, t);
        break;
    }
    e->p = whole;
}

char *report(entry *e)
{
    story t = {0};
    const lockstep *l = e->l;
    vcpu_side *s = e->s;
    bool region = e->p->n_blocks != 0;
    picture kept = s->after[OTHER];
    uint8_t *state = malloc(l->state_size);
    if (state)
        memcpy(state, kept.state, l->state_size);
    add(&t, "lockstep: %s and %s differ in %s 0x%llx (number %llu)\n", l->name[REFERENCE],
        l->name[OTHER], region ? "the region at" : "block", (unsigned long long)e->tb->pc,
        (unsigned long long)l->blocks);
    if (region)
        way(e, 0, 0, &t);
    else
        insn_text(l, e->tb->pc, e->tb->phys, e->tb->mode, 0, e->tb->n_insns, &t);
    describe(e, &t);
    accesses(s, &t);
    if (region)
        narrow_region(e, &t);
    else if (e->tb->n_insns > 1)
        narrow_block(e, &t);
    s->after[OTHER].count = kept.count;
    s->after[OTHER].reason = kept.reason;
    s->after[OTHER].slot = kept.slot;
    if (state)
        memcpy(s->after[OTHER].state, state, l->state_size);
    free(state);
    return t.s;
}
