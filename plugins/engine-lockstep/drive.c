/* Lets the two engines run from one entry. Called by plugin.c's enter. Invariant: when it returns,
 * memory, devices and state are what one engine alone would have left, and both did the same, or
 * the run ends with a report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockstep.h"

static uint64_t pc_of(const entry *e)
{
    uint64_t pc;
    memcpy(&pc, e->cpu->state + e->l->host->machine_arch(e->l->machine)->pc_offset, sizeof pc);
    return pc;
}

static void take(const entry *e, picture *p)
{
    memcpy(p->state, e->cpu->state, e->l->state_size);
    p->exc = e->cpu->exc;
    p->fp = e->cpu->fp;
    p->mode = e->cpu->mode;
}

/* What one run kicks (an interrupt line, a new mode) must not stop the next before it began. */
static void unkick(entry *e)
{
    e->kicked |= __atomic_exchange_n(&e->cpu->slice.kick, 0, __ATOMIC_SEQ_CST) != 0;
}

void restart(entry *e, int side, int role)
{
    oryx_cpu *cpu = e->cpu;
    vcpu_side *s = e->s;
    unkick(e);
    memcpy(cpu->state, s->before.state, e->l->state_size);
    cpu->exc = s->before.exc;
    cpu->fp = s->before.fp;
    cpu->mode = s->before.mode;
    cpu->monitor = e->monitor;
    s->side = side;
    s->role = role;
    s->at = 0;
    s->differs = false;
    if (role == PERFORM) {
        s->n = 0;
        s->writer = side;
    }
    cpu->engine_data = s->data[side];
    cpu->window.rd = role == DIRECT ? s->rd : 0;
    cpu->window.wr = role == DIRECT ? s->wr : 0;
}

/* One side's registers in the host's FPU are not the other's. */
static uint32_t enter_engine(entry *e, int side, oryx_tb *tb, oryx_leave *why)
{
    uint32_t reason = e->l->ops[side]->enter(e->l->engine[side], e->cpu, tb, why);
    if (e->cpu->host_fp)
        e->cpu->host_fp(e->cpu);
    return reason;
}

void run_other(entry *e, oryx_tb *copy, uint32_t slice, oryx_leave *why)
{
    oryx_cpu *cpu = e->cpu;
    picture *p = &e->s->after[OTHER];
    cpu->slots = e->s->scratch_slots;
    copy->flags &= ~ORYX_TB_INVALID;
    e->s->running = copy;
    cpu->slice.left = slice;
    cpu->held = e->all - slice;
    p->reason = enter_engine(e, OTHER, copy, why);
    /* Nor must another thread's kick. */
    while (p->reason == ORYX_LEAVE_BUDGET && cpu->slice.left == slice && __atomic_load_n(&cpu->slice.kick, __ATOMIC_ACQUIRE)) {
        unkick(e);
        p->reason = enter_engine(e, OTHER, copy, why);
    }
    p->count = slice - cpu->slice.left;
    p->slot = p->reason == ORYX_LEAVE_LINK ? why->slot : 0;
    take(e, p);
}

/* The reference's code of the core's block at pc, of at most n instructions. */
static oryx_tb *core_block(entry *e, uint64_t pc, uint32_t n)
{
    oryx_exc exc = e->cpu->exc;
    oryx_error err;
    oryx_tb *tb = NULL;
    memory_show(e->s, e->cpu);
    e->l->host->vcpu_block(e->cpu->vcpu, pc, n, &tb, &err);
    memory_hide(e->s, e->cpu);
    e->cpu->exc = exc;
    return tb;
}

/* The block the reference has at pc, NULL: none that belongs to this entry. */
static oryx_tb *block_at(entry *e, uint64_t pc, uint32_t done)
{
    pair *p = e->p;
    if (!p->n_blocks)
        return done || pc != e->tb->pc ? NULL : &p->tb[REFERENCE];
    for (uint32_t i = 0; i < p->n_blocks; i++) {
        if (p->block[i].pc != pc)
            continue;
        if (!p->block[i].tb)
            p->block[i].tb = core_block(e, pc, p->block[i].n);
        pair *single = p->block[i].tb ? p->block[i].tb->code : NULL;
        return single ? &single->tb[REFERENCE] : NULL;
    }
    return NULL;
}

/* `target` instructions, or fewer where the reference leaves; and the exception or RESYNC that
 * `reason` says comes behind them. */
void run_reference(entry *e, uint32_t target, uint32_t reason)
{
    oryx_cpu *cpu = e->cpu;
    vcpu_side *s = e->s;
    picture *p = &s->after[REFERENCE];
    uint32_t done = 0;
    oryx_leave why = {0};
    p->reason = ORYX_LEAVE_LOOKUP;
    p->slot = s->n_path = 0;
    cpu->slots = s->ahead ? s->scratch_slots : e->slots;
    while (done < target || reason == ORYX_LEAVE_EXC || reason == ORYX_LEAVE_RESYNC) {
        oryx_tb *b = block_at(e, pc_of(e), done);
        if (!b || done > target || (s->ahead && done + b->n_insns > target) ||
            cpu->mode != e->tb->mode)
            break;
        if (e->cut && done + b->n_insns > target) {
            oryx_tb *less = core_block(e, b->pc, target - done);
            if (!less)
                break;
            b = &((pair *)less->code)->tb[REFERENCE];
        }
        if (s->n_path < PATH)
            s->path[s->n_path++] = (path_step){b->pc, b->phys, b->mode, done, b->n_insns};
        unkick(e);
        b->flags &= ~ORYX_TB_INVALID;
        s->running = b;
        cpu->slice.left = b->n_insns;
        cpu->held = e->all - done - b->n_insns;
        p->reason = enter_engine(e, REFERENCE, b, &why);
        p->slot = p->reason == ORYX_LEAVE_LINK ? why.slot : 0;
        done += b->n_insns - cpu->slice.left;
        if (p->reason == ORYX_LEAVE_EXC || p->reason == ORYX_LEAVE_RESYNC)
            break;
        if (cpu->slice.left == b->n_insns && !__atomic_load_n(&cpu->slice.kick, __ATOMIC_ACQUIRE))
            break; /* nothing was done, and nothing will be */
    }
    p->count = done;
    take(e, p);
}

/* The reference once more, as far as the other came: which may leave before an instruction that it
 * will do another way. */
static void follow(entry *e)
{
    const picture *p = &e->s->after[OTHER], *r = &e->s->after[REFERENCE];
    restart(e, REFERENCE, ANSWER);
    run_reference(e, p->count, p->reason);
    if (p->reason == ORYX_LEAVE_LOOKUP && (r->count != p->count || r->reason == ORYX_LEAVE_EXC)) {
        e->cut = true;
        restart(e, REFERENCE, ANSWER);
        run_reference(e, p->count, p->reason);
        e->cut = false;
    }
    if (e->s->window && !e->s->differs)
        memory_compare(e->s, e->cpu, e->s->at);
}

/* The other performs; where it leaves, the reference must come. */
static void region(entry *e, uint32_t slice, oryx_leave *why)
{
    for (uint32_t i = 0; i < e->p->n_blocks; i++) /* before stores may change their bytes */
        block_at(e, e->p->block[i].pc, 0);
    restart(e, OTHER, PERFORM);
    run_other(e, &e->p->tb[OTHER], slice, why);
    follow(e);
}

/* Through the window. False: there was an access to something else, and nothing has happened. */
static bool region_window(entry *e, uint32_t slice, oryx_leave *why)
{
    vcpu_side *s = e->s;
    s->window = s->ahead = true;
    s->stopped = false;
    restart(e, REFERENCE, PERFORM);
    run_reference(e, slice, ORYX_LEAVE_LOOKUP);
    s->ahead = false;
    memory_undo(s, e->cpu);
    s->window = !s->stopped;
    if (s->stopped)
        return false;
    restart(e, OTHER, DIRECT);
    run_other(e, &e->p->tb[OTHER], slice, why);
    follow(e);
    return true;
}

static void block(entry *e, bool window, oryx_leave *why)
{
    vcpu_side *s = e->s;
    uint32_t n = e->tb->n_insns;
    s->window = window;
    restart(e, REFERENCE, PERFORM);
    run_reference(e, n, ORYX_LEAVE_LOOKUP);
    if (window)
        memory_undo(s, e->cpu);
    restart(e, OTHER, window ? DIRECT : ANSWER);
    run_other(e, &e->p->tb[OTHER], n, why);
    if (!window)
        return;
    if (s->after[OTHER].reason == ORYX_LEAVE_LOOKUP &&
        s->after[OTHER].count <
            s->after[REFERENCE].count + (s->after[REFERENCE].reason == ORYX_LEAVE_EXC)) {
        follow(e);
        return;
    }
    memory_compare(s, e->cpu, s->n);
    s->at = s->n;
}

uint32_t drive(lockstep *l, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    vcpu_side *s = cpu->engine_data;
    entry e = {.l = l,
               .s = s,
               .cpu = cpu,
               .tb = tb,
               .p = tb->code,
               .all = cpu->slice.left,
               .slots = cpu->slots,
               .monitor = cpu->monitor};
    oryx_tb **jump = cpu->jump_cache;
    oryx_leave why = {0};
    for (uint32_t i = 0; i < e.p->n_blocks; i++)
        e.p->block[i].tb = NULL;
    take(&e, &s->before);
    memory_hide(s, cpu);
    s->inside = true;
    cpu->jump_cache = s->jump;
    s->outer = tb;
    s->rd = cpu->window.rd;
    s->wr = cpu->window.wr;
    bool window = s->rd && __atomic_load_n(&tb->flags, __ATOMIC_RELAXED) & (ORYX_TB_WINDOW_RD | ORYX_TB_WINDOW_WR);
    if (!e.p->n_blocks) {
        block(&e, window, &why);
    } else {
        uint32_t slice = e.all < AHEAD_MOST         ? e.all
                         : tb->n_insns > AHEAD_MOST ? tb->n_insns
                                                    : AHEAD_MOST;
        if (!window || !region_window(&e, slice, &why)) {
            s->window = false;
            region(&e, slice, &why);
        }
        l->regions++;
    }
    l->blocks++;
    char *text = equal(&e) ? NULL : report(&e);
    if (e.kicked)
        __atomic_store_n(&cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    cpu->engine_data = s;
    cpu->jump_cache = jump;
    cpu->window.rd = s->rd;
    cpu->window.wr = s->wr;
    cpu->slice.left = e.all - s->after[OTHER].count;
    cpu->held = 0;
    s->inside = false;
    memory_show(s, cpu);
    cpu->slots = e.slots;
    leave->tb = tb;
    leave->slot = s->after[OTHER].slot;
    if (!text)
        return s->after[OTHER].reason;
    fputs(text, stderr);
    free(text);
    cpu->exc = (oryx_exc){
        .hdr = ORYX_HDR(oryx_exc), .kind = ORYX_EXC_INTERNAL, .pc = tb->pc, .phys = ~0ull};
    return ORYX_LEAVE_EXC;
}
