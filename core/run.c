/* The run loop: find the block at pc, let the engine execute until it wants the core, act on why it left.
 *
 * Embedders and OS personalities call it through oryx_vcpu_run. Counts are exact: slice.left is the budget, blocks subtract
 * on entry, and when fewer instructions are left than the next block has, a block cut to exactly that many is made and
 * cached under its own key, so repeated counted runs and single steps execute warm code. Requests (stop, timeout,
 * flush) are a bit set in v->requests and then a kick that makes the next block entry leave. How `until` works is told in
 * tb_cache.c. Invariant: while the loop is at its top, the vCPU holds no block older than v->seen. */
#include <string.h>

#include "cold.h"
#include "exec.h"
#include "mem_internal.h"
#include "watch.h"

#define LOCKUP 256u       /* exceptions in a row, none of which reaches an instruction: the CPU will never do anything again */
#define SLICE 0x7fffffffu /* keeps slice.left and kick together a positive int64 */

typedef struct run {
    oryx_vcpu *v;
    oryx_exit *exit;
    const uint64_t *until;
    uint32_t n_until;
    bool first;          /* nothing executed yet and skip_first */
    bool sleep;          /* ORYX_IDLE_SLEEP */
    bool over;           /* the next instruction is one that a watch held back: alone, and with its accesses noted */
    bool skip;           /* skip_first */
    uint32_t storm;      /* exceptions delivered in a row without an instruction between them */
    uint64_t storm_at;   /* r->done at the first of them */
    uint64_t count;      /* 0: no limit */
    uint64_t done;       /* instructions of this run */
    oryx__tb *from;      /* block left through an unlinked exit, and its slot */
    uint32_t slot, links; /* links: in a row without a quiet point */
} run;

/* --- finding blocks ---------------------------------------------------------------------------------------------------- */
static inline oryx__tb *cached(oryx_tb *const *at, const oryx_cpu *cpu, uint64_t pc)
{
    oryx_tb *tb = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    return tb && tb->pc == pc && tb->mode == cpu->mode ? (oryx__tb *)tb : NULL;
}

oryx_tb *oryx__run_tb_find(oryx_cpu *cpu, uint64_t pc)
{
    oryx__tb *tb = cached(&cpu->jump_cache[oryx_jump_hash(pc)], cpu, pc);
    if (!tb) {
        oryx_exc keep = cpu->exc;
        if (oryx__tb_find(cpu->vcpu, pc, 0, &tb) != ORYX_OK)
            cpu->exc = keep; /* the run loop meets the fault again and delivers it */
        if (tb && atomic_load_explicit(&tb->at_stop, memory_order_relaxed))
            tb = NULL;
    }
    return tb ? &tb->pub : NULL;
}

/* The block to enter at pc with `left` instructions in the budget. cold: or none, and v->cold is ready. */
static oryx_status find(oryx_vcpu *v, uint64_t pc, uint64_t left, bool cold, oryx__tb **out, oryx_error *err)
{
    oryx_cpu *cpu = v->cpu;
    oryx_status s;
    bool few = left < v->machine->tbs->max_insns;
    if (few) {
        oryx__tb *tb = cached(&v->step_cache[oryx__step_hash(pc)], cpu, pc);
        if (tb && tb->limit == left) {
            *out = tb;
            return ORYX_OK;
        }
    }
    oryx__tb *tb = cached(&cpu->jump_cache[oryx_jump_hash(pc)], cpu, pc);
    if (!tb && (s = oryx__tb_find(v, pc, 0, &tb)) != ORYX_OK)
        goto fault;
    if (!tb && few && (s = oryx__tb_find(v, pc, (uint32_t)left, &tb)) != ORYX_OK)
        goto fault;
    /* A region may want more than a block has: then a block cut to what a block has at most. */
    bool cut = tb && tb->pub.n_insns > left;
    uint32_t limit = (uint32_t)MIN(left, v->machine->tbs->max_insns);
    if (cut && (s = oryx__tb_find(v, pc, limit, &tb)) != ORYX_OK)
        goto fault;
    *out = tb;
    return tb ? ORYX_OK : oryx__tb_make(v, pc, few || cut ? limit : 0, cold && !few && !cut, out, err);
fault:
    cpu->exc.pc = pc;
    return s;
}

/* --- leaving ---------------------------------------------------------------------------------------------------------------- */
static bool leave(run *r, uint32_t reason)
{
    r->exit->reason = reason;
    return true;
}

/* The run ends with hits. */
static bool hit(run *r)
{
    const struct oryx__hits *h = &r->v->tlbs->watcher.now;
    r->exit->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = ORYX_EXC_WATCH, .pc = *oryx__pc_slot(r->v), .phys = ~(uint64_t)0 };
    if (h->n) {
        const oryx_watch_hit *first = &h->at[0];
        r->exit->exc.access = first->access & ORYX_WATCH_EXEC ? ORYX_ACCESS_FETCH : first->access & ORYX_WATCH_WRITE ? ORYX_ACCESS_WRITE
                                                                                                        : ORYX_ACCESS_READ;
        r->exit->exc.pc = first->pc;
        r->exit->exc.addr = first->addr;
        r->exit->exc.phys = first->phys;
        r->exit->exc.size = (uint32_t)first->size;
    }
    return leave(r, ORYX_EXIT_DEBUG);
}

/* Served in order of urgency; what is not served stays for the next run but TIMEOUT, which dies with its run. */
static bool requests(run *r)
{
    oryx_vcpu *v = r->v;
    __atomic_store_n(&v->cpu->slice.kick, 0, __ATOMIC_SEQ_CST);
    uint32_t q = atomic_exchange(&v->requests, 0);
    if (q & ORYX__REQ_TLB_FLUSH)
        oryx__tlb_flush(v);
    if (q & ORYX__REQ_RETRANSLATE)
        oryx__window_retranslate(v);
    if (q & ORYX__REQ_UNMAP)
        oryx__tbs_unmap(v, 0, 0);
    if (q & ORYX__REQ_ALARM)
        oryx__vcpu_alarm(v);
    if (q & ORYX__REQ_STOP) {
        atomic_fetch_or(&v->requests, q & ORYX__REQ_WATCH);
        return leave(r, ORYX_EXIT_STOP);
    }
    if (q & ORYX__REQ_WATCH && oryx__watch_others(v))
        return hit(r);
    return q & ORYX__REQ_TIMEOUT && leave(r, ORYX_EXIT_TIMEOUT);
}

/* Exceptions whose pc is the next instruction: the one that raised them is done and counts. */
static bool retires(uint32_t kind)
{
    switch (kind) {
    case ORYX_EXC_SYSCALL:
    case ORYX_EXC_HYPERCALL:
    case ORYX_EXC_MONITORCALL:
    case ORYX_EXC_WAIT:
    case ORYX_EXC_RETURN:
        return true;
    default:
        return false;
    }
}

static uint32_t exit_of(uint32_t kind)
{
    switch (kind) {
    case ORYX_EXC_SYSCALL:
        return ORYX_EXIT_SYSCALL;
    case ORYX_EXC_HALT:
    case ORYX_EXC_WAIT:
        return ORYX_EXIT_HALT;
    case ORYX_EXC_MEMORY:
    case ORYX_EXC_FETCH:
        return ORYX_EXIT_FAULT;
    default:
        return ORYX_EXIT_EXCEPTION;
    }
}

static void quiet(run *r)
{
    oryx_vcpu *v = r->v;
    r->from = NULL;
    r->links = 0;
    atomic_store_explicit(&v->seen, atomic_load_explicit(&v->machine->tbs->epoch, memory_order_acquire), memory_order_release);
}

/* Ends before the instruction at pc, with hits that ask for it; or goes on with it. */
static bool hit_before(run *r, uint64_t pc)
{
    struct oryx__watcher *w = &r->v->tlbs->watcher;
    for (uint32_t i = 0; i < w->now.n; i++)
        w->now.at[i].pc = pc;
    if (!oryx__watch_tell(r->v))
        return false;
    w->told = 1;
    w->told_pc = pc;
    w->told_insns = r->v->insns;
    return hit(r);
}

/* A watch held an access of the instruction at pc back; nothing of it is done. */
static bool held_back(run *r)
{
    oryx_vcpu *v = r->v;
    struct oryx__watcher *w = &v->tlbs->watcher;
    uint64_t pc = *oryx__pc_slot(v);
    v->cpu->exc.kind = ORYX_EXC_NONE;
    r->over = true;
    w->step = ORYX__STEP;
    if (!w->now.n)
        return false;
    w->step = ORYX__STEP_TOLD;
    if (r->skip && !r->done && w->told && w->told_pc == pc && w->told_insns == v->insns)
        return false; /* the last run ended with it */
    if (hit_before(r, pc)) {
        w->step = 0;
        return true;
    }
    if (*oryx__pc_slot(v) != pc) { /* its function went elsewhere */
        r->over = false;
        w->step = 0;
    }
    return false;
}

/* The instruction at pc was executed with its accesses noted. gone: the run is over for another reason. */
static bool stepped(run *r, bool gone)
{
    struct oryx__watcher *w = &r->v->tlbs->watcher;
    w->step = 0;
    return (w->now.n || w->now.lost) && oryx__watch_tell(r->v) && !gone ? hit(r) : gone;
}

/* cpu->exc is complete. Delivered to the guest, or the run ends with it. */
static bool exception(run *r)
{
    oryx_vcpu *v = r->v;
    oryx_machine *m = v->machine;
    oryx_exc exc = v->cpu->exc;
    if (exc.kind == ORYX_EXC_WATCH)
        return held_back(r);
    v->cpu->exc.kind = ORYX_EXC_NONE;
    exc.hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    if (oryx__probes_any(m))
        oryx__probes_exception(m, v->cpu, &exc);
    if (exc.kind == ORYX_EXC_WAIT && m->arch->interrupt) {
        uint64_t left = r->count ? r->count - r->done : SLICE;
        quiet(r); /* others may drop code while this vCPU waits */
        if (oryx__vcpu_wait(v, left, r->sleep))
            return false;
        r->exit->exc = exc;
        return leave(r, ORYX_EXIT_HALT);
    }
    if (m->arch->deliver && m->arch->deliver(v->cpu, &exc) == ORYX_OK) {
        if (m->arch->mode_key)
            v->cpu->mode = m->arch->mode_key(v->cpu);
        /* A vector that faults itself comes back for ever, and no count of instructions would end it. */
        if (r->storm_at != r->done)
            r->storm = 0;
        r->storm_at = r->done;
        if (++r->storm < LOCKUP)
            return false;
    }
    r->exit->exc = exc;
    return leave(r, exit_of(exc.kind));
}

static bool raise_here(run *r, uint32_t kind, uint64_t pc)
{
    r->v->cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = kind, .access = ORYX_ACCESS_FETCH, .pc = pc, .addr = pc,
                                 .phys = ~(uint64_t)0, .status = ORYX_FAULT_ALIGN };
    return exception(r);
}

static bool in_until(const run *r, uint64_t pc)
{
    for (uint32_t i = 0; i < r->n_until; i++)
        if (r->until[i] == pc)
            return true;
    return false;
}

/* --- the loop ------------------------------------------------------------------------------------------------------------- */
/* Deliver device alarms that are due; the budget until the next one. */
static uint64_t until_alarm(run *r, uint64_t alarm, uint64_t left)
{
    oryx_machine *m = r->v->machine;
    uint64_t now = oryx_machine_vtime(m);
    if (now >= alarm) {
        oryx__devices_alarm(m, now);
        alarm = atomic_load_explicit(&m->next_alarm, memory_order_relaxed);
    }
    return alarm > now ? MIN(left, alarm - now) : 1;
}

/* A line is high: the frontend decides. */
static void interrupt(run *r)
{
    oryx_vcpu *v = r->v;
    oryx_machine *m = v->machine;
    uint64_t pc = *oryx__pc_slot(v), lines = __atomic_load_n(&v->cpu->irq, __ATOMIC_SEQ_CST);
    if (!m->arch->interrupt || m->arch->interrupt(v->cpu, lines) != ORYX_OK)
        return;
    r->from = NULL;
    r->first = false;
    if (m->arch->mode_key)
        v->cpu->mode = m->arch->mode_key(v->cpu);
    if (oryx__probes_any(m)) {
        oryx_exc exc = { .hdr = ORYX_HDR(oryx_exc), .kind = ORYX_EXC_INTERRUPT, .pc = pc, .phys = ~(uint64_t)0, .syndrome = lines };
        oryx__probes_exception(m, v->cpu, &exc);
    }
}

/* Enter compiled code with `left` instructions in the slice. Returns why it came back, *n what was executed. */
static inline uint32_t enter(oryx_vcpu *v, oryx__tb *tb, uint64_t left, bool over, oryx_leave *why, uint64_t *n)
{
    oryx_machine *m = v->machine;
    oryx_cpu *cpu = v->cpu;
    __atomic_store_n(&v->granted, left, __ATOMIC_RELAXED);
    cpu->slice.left = (uint32_t)left;
    cpu->io.base = v->insns + left;
    if (v->window != atomic_load_explicit(&v->space->window.state, memory_order_acquire))
        oryx__window_load(v);
    if (over) {
        oryx__hits_clear(&v->tlbs->watcher.now);
        v->tlbs->watcher.pc = *oryx__pc_slot(v);
        __atomic_store_n(&cpu->slice.kick, 0, __ATOMIC_SEQ_CST); /* what is asked for waits for one instruction */
        __atomic_store_n(&cpu->window.rd, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&cpu->window.wr, 0, __ATOMIC_RELAXED);
        v->window = 0; /* and is loaded anew */
    }
    uint32_t reason = m->engine->enter(m->engine_self, cpu, &tb->pub, why);
    if (cpu->host_fp)
        cpu->host_fp(cpu);
    *n = left - cpu->slice.left;
    __atomic_store_n(&v->granted, 0, __ATOMIC_RELAXED);
    cpu->slice.left = 0;
    return reason;
}

/* Execute what was not compiled; the same answers. */
static uint32_t enter_cold(oryx_vcpu *v, uint64_t left, uint64_t *n)
{
    __atomic_store_n(&v->granted, left, __ATOMIC_RELAXED);
    v->cpu->slice.left = (uint32_t)left;
    v->cpu->io.base = v->insns + left;
    uint32_t reason = oryx__cold_run(v);
    *n = left - v->cpu->slice.left;
    __atomic_store_n(&v->granted, 0, __ATOMIC_RELAXED);
    v->cpu->slice.left = 0;
    return reason;
}

/* What an entry led to. True: the run is over. */
static bool after(run *r, uint32_t reason, const oryx_leave *why, uint64_t n, bool first, bool over)
{
    oryx_vcpu *v = r->v;
    oryx_machine *m = v->machine;
    oryx_cpu *cpu = v->cpu;
    r->from = NULL;
    if (!n && (reason == ORYX_LEAVE_HOT || reason == ORYX_LEAVE_BUDGET))
        r->first = first; /* nothing was executed yet */
    switch (reason) {
    case ORYX_LEAVE_LINK:
        if (why->tb && !(__atomic_load_n(&why->tb->flags, __ATOMIC_RELAXED) & (ORYX_TB_NO_LINK | ORYX_TB_INVALID))) {
            r->from = (oryx__tb *)why->tb;
            r->slot = why->slot;
        }
        break;
    case ORYX_LEAVE_HOT:
        oryx__tb_hot(v, *oryx__pc_slot(v));
        break;
    case ORYX_LEAVE_RESYNC:
        if (m->arch->mode_key)
            cpu->mode = m->arch->mode_key(cpu);
        break;
    case ORYX_LEAVE_BUDGET:
        if (__atomic_load_n(&cpu->slice.kick, __ATOMIC_RELAXED) && !atomic_load(&v->requests))
            __atomic_store_n(&cpu->slice.kick, 0, __ATOMIC_SEQ_CST);
        break;
    case ORYX_LEAVE_EXC:
        n += retires(cpu->exc.kind);
        break;
    default:
        break;
    }
    r->done += n;
    __atomic_store_n(&v->insns, v->insns + n, __ATOMIC_RELAXED);
    cpu->io.base = v->insns;
    if (reason == ORYX_LEAVE_EXC) {
        bool gone = exception(r);
        return over ? stepped(r, gone) : gone;
    }
    if (over && !n && reason == ORYX_LEAVE_BUDGET) {
        r->over = true;
        return false;
    }
    if (over && stepped(r, false))
        return true;
    /* The common end of a counted run, without another look at the top. */
    return r->count && r->done == r->count && !r->n_until && !atomic_load_explicit(&v->requests, memory_order_relaxed) &&
           !__atomic_load_n(&cpu->irq, __ATOMIC_RELAXED) && leave(r, ORYX_EXIT_COUNT);
}

/* Execute one entry into compiled code, and what it led to. True: the run is over. */
static bool step(run *r)
{
    oryx_vcpu *v = r->v;
    oryx_machine *m = v->machine;
    oryx_cpu *cpu = v->cpu;
    if (!r->from || ++r->links > 64)
        quiet(r);
    bool over = r->over;
    r->over = false;
    if (!over && atomic_load_explicit(&v->requests, memory_order_relaxed) && requests(r))
        return true;
    if (!over && __atomic_load_n(&cpu->irq, __ATOMIC_RELAXED))
        interrupt(r);
    uint64_t pc = *oryx__pc_slot(v);
    uint64_t left = r->count ? r->count - r->done : SLICE;
    if (!left)
        return leave(r, r->n_until && !r->first && in_until(r, pc) ? ORYX_EXIT_UNTIL : ORYX_EXIT_COUNT);
    left = MIN(left, SLICE);
    uint64_t alarm = atomic_load_explicit(&m->next_alarm, memory_order_relaxed);
    if (over)
        left = 1;
    else if (alarm != ~(uint64_t)0)
        left = until_alarm(r, alarm, left);
    if (pc & (m->arch->insn_align - 1))
        return raise_here(r, ORYX_EXC_PC_ALIGN, pc);
    oryx__tb *tb;
    /* Before translating: an address to stop at need not be executable. */
    if (r->n_until && !r->first && in_until(r, pc))
        return leave(r, ORYX_EXIT_UNTIL);
    const struct oryx__tbs *tbs = m->tbs;
    bool cold = tbs->seen && !over && !r->n_until && !oryx__probes_any(m);
    oryx_status s = find(v, pc, left, cold, &tb, &r->exit->error);
    if (s == ORYX_E_NOMEM) { /* of the engine's code memory: once more with an empty cache */
        oryx__tbs_flush(m);
        quiet(r);
        oryx__tbs_flush(m);
        s = find(v, pc, left, false, &tb, &r->exit->error);
    }
    if (s != ORYX_OK) {
        v->tlbs->watcher.step = 0;
        if (cpu->exc.kind != ORYX_EXC_NONE)
            return exception(r);
        return leave(r, ORYX_EXIT_ERROR);
    }
    if (!tb) {
        oryx_leave none = { 0 };
        uint64_t executed;
        bool was_first = r->first;
        r->first = false;
        uint32_t why_cold = enter_cold(v, left, &executed);
        return after(r, why_cold, &none, executed, was_first, false);
    }
    if (atomic_load_explicit(&tb->at_stop, memory_order_relaxed) && !r->n_until && ++v->stop_misses > 256) {
        oryx__stops_set(v, NULL, 0); /* left over from an older run, and in the way */
        v->stop_misses = 0;
    }
    if (atomic_load_explicit(&tb->at_stop, memory_order_relaxed) && !r->first && !over &&
        oryx__watch_exec(v, pc, tb->space, tb->pub.phys)) {
        r->from = NULL;
        if (hit_before(r, pc))
            return true;
        r->first = *oryx__pc_slot(v) == pc; /* its function may have changed anything: from the top, past this one */
        return false;
    }
    if (r->from)
        oryx__tb_link(m, r->from, r->slot, tb);
    bool first = r->first;
    r->first = false;
    oryx_leave why = { 0 };
    uint64_t n;
    uint32_t reason = enter(v, tb, left, over, &why, &n);
    return after(r, reason, &why, n, first, over);
}

/* The block of a run of few instructions that was made here before, when nothing asks for the loop. */
static inline oryx__tb *again(const oryx_vcpu *v, uint64_t count)
{
    const oryx_cpu *cpu = v->cpu;
    const oryx_machine *m = v->machine;
    if (atomic_load_explicit(&v->requests, memory_order_relaxed) || __atomic_load_n(&cpu->irq, __ATOMIC_RELAXED) ||
        atomic_load_explicit(&m->next_alarm, memory_order_relaxed) != ~(uint64_t)0)
        return NULL;
    uint64_t pc = *(const uint64_t *)(const void *)(cpu->state + m->arch->pc_offset);
    oryx__tb *tb = cached(&v->step_cache[oryx__step_hash(pc)], cpu, pc);
    return tb && tb->limit == count ? tb : NULL;
}

/* An entry into compiled code and why it ended. */
typedef struct entry {
    bool made;
    uint32_t reason;
    uint64_t n;
    oryx_leave why;
} entry;

static inline void blank(oryx_exit *exit)
{
    exit->error.code = ORYX_OK;
    exit->error.text[0] = 0;
    oryx_exc *e = &exit->exc;
    e->hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    e->kind = e->access = e->size = 0;
    e->pc = e->syndrome = e->addr = e->phys = 0;
    e->status = ORYX_OK;
}

static inline void begin(oryx_vcpu *v, pthread_t self)
{
    atomic_store_explicit(&v->thread, self, memory_order_relaxed);
    v->cpu->exc.kind = ORYX_EXC_NONE;
    if (v->tlbs->watcher.now.n || v->tlbs->watcher.now.lost)
        oryx__hits_clear(&v->tlbs->watcher.now);
    /* From the claim on, which comes before any look-up, retired blocks wait for this vCPU (reclaim in tb_cache.c). */
    atomic_store_explicit(&v->seen, atomic_load(&v->machine->tbs->epoch), memory_order_release);
}

static inline void end(oryx_vcpu *v, oryx__owner *marked)
{
    if (v->cold && v->cold->kept)
        oryx__cold_end(v);
    atomic_store_explicit(&v->seen, ~(uint64_t)0, memory_order_release);
    atomic_store_explicit(&v->thread, 0, memory_order_relaxed);
    bool several = atomic_load_explicit(&v->machine->several, memory_order_relaxed);
    atomic_store_explicit(marked ? &marked->mark : &v->running, 0, memory_order_release);
    if (several)
        oryx__vcpu_left(v->machine, v);
}

/* A marked vCPU and a run of few instructions that ends as it did the last time it began here: all that such a run takes.
 * False: the run is not over; x says whether compiled code was entered. */
static inline __attribute__((always_inline)) bool quick(oryx_vcpu *v, pthread_t self, oryx__owner *marked,
                                                        const oryx_limits_run *limits, oryx_exit *exit, entry *x)
{
    const oryx_machine *m = v->machine;
    if (!limits || limits->hdr.size < sizeof(*limits) || limits->count - 1 >= m->tbs->max_insns - 1 || limits->timeout_us ||
        limits->n_until || v->space->window.host)
        return false;
    uint64_t count = limits->count;
    begin(v, self);
    if (m->arch->mode_key)
        v->cpu->mode = m->arch->mode_key(v->cpu);
    oryx__tb *tb = again(v, count);
    if (!tb)
        return false;
    x->made = true;
    x->reason = enter(v, tb, count, false, &x->why, &x->n);
    if (x->reason > ORYX_LEAVE_LOOKUP || x->n != count || atomic_load_explicit(&v->requests, memory_order_relaxed) ||
        __atomic_load_n(&v->cpu->irq, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&v->insns, v->insns + count, __ATOMIC_RELAXED);
    v->cpu->io.base = v->insns;
    v->tlbs->watcher.told = 0;
    blank(exit);
    exit->reason = ORYX_EXIT_COUNT;
    exit->pc = *oryx__pc_slot(v);
    exit->insns = count;
    end(v, marked);
    return true;
}

/* v is claimed. */
static __attribute__((noinline)) oryx_status claimed(oryx_vcpu *v, pthread_t self, oryx__owner *marked,
                                                     const oryx_limits_run *limits, oryx_exit *exit, const entry *x)
{
    oryx_machine *m = v->machine;
    run r = { .v = v, .exit = exit };
    uint64_t timeout = 0;
    if (limits) {
        r.count = ORYX_HAS(limits, count) ? limits->count : 0;
        timeout = ORYX_HAS(limits, timeout_us) ? limits->timeout_us : 0;
        r.n_until = ORYX_HAS(limits, n_until) ? limits->n_until : 0;
        r.until = r.n_until ? limits->until : NULL;
        r.first = r.skip = ORYX_HAS(limits, skip_first) && limits->skip_first;
        r.sleep = ORYX_HAS(limits, idle) && limits->idle == ORYX_IDLE_SLEEP;
        if (r.n_until && !r.until) {
            end(v, marked);
            return ORYX_E_INVALID;
        }
    }
    blank(exit);
    if (!x->made)
        begin(v, self);
    oryx_status s = ORYX_OK;
    if (r.n_until)
        s = oryx__stops_set(v, r.until, r.n_until);
    if (s == ORYX_OK && timeout)
        s = oryx__timer_arm(v, timeout);
    if (s == ORYX_OK) {
        bool over = false, first = r.first;
        if (x->made) {
            r.first = false;
            over = after(&r, x->reason, &x->why, x->n, first, false);
        } else if (m->arch->mode_key) {
            v->cpu->mode = m->arch->mode_key(v->cpu);
        }
        oryx_vcpu *outer = oryx__window_enter(v);
        while (!over && !step(&r))
            ;
        oryx__window_leave(outer);
        if (timeout) {
            oryx__timer_disarm(v);
            atomic_fetch_and(&v->requests, ~ORYX__REQ_TIMEOUT);
        }
        v->tlbs->watcher.step = 0;
        if (exit->reason != ORYX_EXIT_DEBUG)
            v->tlbs->watcher.told = 0;
        exit->pc = *oryx__pc_slot(v);
        exit->insns = r.done;
    }
    end(v, marked);
    return s;
}

oryx_status oryx_vcpu_run(oryx_vcpu *v, const oryx_limits_run *limits, oryx_exit *exit)
{
    if (!v || !exit || !ORYX_HAS(exit, error))
        return ORYX_E_INVALID;
    pthread_t self = pthread_self();
    entry x;
    x.made = false;
    oryx__owner *marked = oryx__vcpu_mark(v, self);
    if (marked && quick(v, self, marked, limits, exit, &x))
        return ORYX_OK;
    if (!marked && !oryx__vcpu_claim(v))
        return ORYX_E_STATE; /* nested, or on another thread */
    return claimed(v, self, marked, limits, exit, &x);
}

uint64_t oryx_vcpu_insns(oryx_vcpu *v)
{
    uint64_t n = __atomic_load_n(&v->insns, __ATOMIC_RELAXED);
    /* Another thread sees what was done when the engine was last left: the slice is the running engine's own. */
    if (!pthread_equal(atomic_load_explicit(&v->thread, memory_order_relaxed), pthread_self()))
        return n;
    /* Inside a block: as if the whole block were done. */
    return v->granted ? n + v->granted - v->cpu->slice.left - v->cpu->held : n;
}
