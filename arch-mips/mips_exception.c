/* Exceptions: entry with Cause, EPC, BD and the vectors, ERET; interrupts; Count and Compare. MD00091 chapter 6.
 *
 * Called by the core (deliver, interrupt, alarm) between blocks and by helpers. Invariant: cpu->irq's own bits are IRQ_SOFT while Cause
 * has a software interrupt and IRQ_TIMER while Cause.TI is set, so the run loop asks whenever one may be due. */
#include "mips_sys.h"

const char *const mips_irqs[] = { "ip2", "ip3", "ip4", "ip5", "ip6", "ip7", "nmi", NULL };
const char *const mips_irq_outs[] = { "timer", NULL };
#define IRQ_NMI (1u << 6)
#define IRQ_SOFT (UINT64_C(1) << 48)
#define IRQ_TIMER (UINT64_C(1) << 49)
#define COUNT_NS 2 /* virtual time of a step of Count: every second cycle (RDHWR CCRes) */

static uint64_t sx(uint32_t v)
{
    return (uint64_t)(int64_t)(int32_t)v;
}

static bool r3000(const oryx_cpu *cpu)
{
    return mips_model_of(cpu)->mmu == MIPS_MMU_R3000;
}

/* --- modes ------------------------------------------------------------------------------------------------------------- */

unsigned mips_ksu(const mips_state *s)
{
    uint32_t st = (uint32_t)s->cp0[CP0_status];
    if (s->level == MIPS_USER)
        return 2;
    if (!(s->cp0[CP0_config] & 0x80000000u) && s->cp0[CP0_config] == 0) /* R3000 has no Config: KUc */
        return st & 2 ? 2 : 0;
    if (st & ST_ERL)
        return 3;
    return st & ST_EXL ? 0 : (st & ST_KSU) >> 3 == 3 ? 0 : (st & ST_KSU) >> 3;
}

uint64_t mips_system_mode(const oryx_cpu *cpu)
{
    const mips_state *s = mips_state_of(cpu);
    uint32_t st = (uint32_t)s->cp0[CP0_status];
    unsigned ksu = mips_ksu(s);
    uint64_t key = MIPS_MODE_SYSTEM | (uint64_t)ksu << 7;
    if (s->level == MIPS_SYSTEM)
        key |= MIPS_MODE_DELIVERS;
    if (ksu % 3 == 0 || st & ST_CU(0))
        key |= MIPS_MODE_CU0;
    key |= (st & ST_CU(1) ? MIPS_MODE_CU1 : 0) | (st & ST_CU(2) ? MIPS_MODE_CU2 : 0);
    if (mips_width(cpu) == I64 && ((ksu == 1 && !(st & ST_SX)) || (ksu == 2 && !(st & (ST_UX | ST_PX)))))
        key |= MIPS_MODE_NO64;
    if (s->cp0[CP0_config5] & C5_FRE && s->status_fr)
        key |= MIPS_MODE_FRE;
    if (r3000(cpu) && st & 0x10000)
        key |= MIPS_MODE_ISC;
    return key;
}

/* --- Count and Compare ---------------------------------------------------------------------------------------------------- */

static bool stopped(const oryx_cpu *cpu)
{
    return mips_state_of(cpu)->cp0[CP0_cause] & CA_DC;
}

static uint64_t ticks(const oryx_cpu *cpu)
{
    return mips_host->machine_vtime(cpu->machine) / COUNT_NS;
}

/* While Cause.DC stops it, count_at is the value itself. */
uint32_t mips_count(oryx_cpu *cpu)
{
    uint64_t at = mips_state_of(cpu)->count_at;
    return (uint32_t)(stopped(cpu) ? at : ticks(cpu) - at);
}

void mips_count_set(oryx_cpu *cpu, uint32_t v)
{
    mips_state_of(cpu)->count_at = stopped(cpu) ? v : ticks(cpu) - v;
    mips_timer_changed(cpu);
}

static void own_line(oryx_cpu *cpu, uint64_t bit, bool on)
{
    if (on)
        __atomic_or_fetch(&cpu->irq, bit, __ATOMIC_SEQ_CST);
    else
        __atomic_and_fetch(&cpu->irq, ~bit, __ATOMIC_SEQ_CST);
}

void mips_irq_changed(oryx_cpu *cpu)
{
    const mips_state *s = mips_state_of(cpu);
    own_line(cpu, IRQ_SOFT, s->cp0[CP0_cause] & 0x300);
}

/* The next time Count reaches Compare, which is never now. */
void mips_timer_changed(oryx_cpu *cpu)
{
    mips_state *s = mips_state_of(cpu);
    oryx_device *d = mips_host->vcpu_device(cpu->vcpu);
    bool on = s->cp0[CP0_cause] & CA_TI;
    own_line(cpu, IRQ_TIMER, on);
    if (!d || s->level != MIPS_SYSTEM || r3000(cpu))
        return;
    mips_host->device_set_irq(d, 0, on);
    uint64_t wait = (uint32_t)((uint32_t)s->cp0[CP0_compare] - mips_count(cpu));
    mips_host->device_alarm(d, stopped(cpu) ? UINT64_MAX : (ticks(cpu) + (wait ? wait : UINT64_C(1) << 32)) * COUNT_NS);
}

void mips_alarm(oryx_cpu *cpu, uint64_t now)
{
    (void)now;
    mips_state *s = mips_state_of(cpu);
    if (!stopped(cpu) && (int32_t)(mips_count(cpu) - (uint32_t)s->cp0[CP0_compare]) >= 0)
        s->cp0[CP0_cause] |= CA_TI;
    mips_timer_changed(cpu);
}

/* --- entry ------------------------------------------------------------------------------------------------------------- */

uint32_t mips_cause(const oryx_cpu *cpu)
{
    const mips_state *s = mips_state_of(cpu);
    uint64_t lines = __atomic_load_n(&cpu->irq, __ATOMIC_RELAXED);
    uint32_t v = (uint32_t)s->cp0[CP0_cause] & ~0xfc00u;
    v |= (uint32_t)(lines & 0x3f) << 10;
    if (v & CA_TI)
        v |= 0x8000; /* IntCtl.IPTI is 7 */
    return mips_model_of(cpu)->revision >= 2 ? v : v & ~CA_TI;
}

static uint64_t wide(const oryx_cpu *cpu, uint32_t v)
{
    return mips_width(cpu) == I64 ? sx(v) : v;
}

static uint64_t vectors(const oryx_cpu *cpu)
{
    const mips_state *s = mips_state_of(cpu);
    if (s->cp0[CP0_status] & ST_BEV)
        return wide(cpu, r3000(cpu) ? 0xbfc00100u : 0xbfc00200u);
    return wide(cpu, mips_model_of(cpu)->revision >= 2 ? (uint32_t)s->cp0[CP0_ebase] & 0xfffff000u : 0x80000000u);
}

/* EPC and BD: in a slot whose instruction is not done, the branch. */
static void save_pc(oryx_cpu *cpu, uint64_t cp0_pc[1], bool *slot)
{
    const mips_state *s = mips_state_of(cpu);
    unsigned kind = MIPS_MODE_SLOT(s->exec);
    *slot = kind != MIPS_SLOT_NONE && kind != MIPS_SLOT_FORBIDDEN && !(s->exec & MIPS_MODE_DONE);
    cp0_pc[0] = mips_resume(cpu);
}

static void take_r3000(oryx_cpu *cpu, unsigned code, uint32_t ce, bool refill)
{
    mips_state *s = mips_state_of(cpu);
    uint32_t st = (uint32_t)s->cp0[CP0_status];
    bool slot;
    save_pc(cpu, &s->cp0[CP0_epc], &slot);
    s->cp0[CP0_cause] = ((uint32_t)s->cp0[CP0_cause] & 0x300) | code << 2 | ce << 28 | (slot ? CA_BD : 0);
    s->cp0[CP0_status] = (st & ~0x3fu) | (st << 2 & 0x3c); /* KU and IE go up the stack: kernel, disabled */
    s->pc = vectors(cpu) + (refill ? 0 : 0x80);
    s->exec = 0;
}

static void take(oryx_cpu *cpu, unsigned code, uint32_t ce, uint64_t offset)
{
    mips_state *s = mips_state_of(cpu);
    uint32_t cause = (uint32_t)s->cp0[CP0_cause] & ~(0x7cu | 3u << 28);
    bool slot;
    if (!(s->cp0[CP0_status] & ST_EXL)) {
        save_pc(cpu, &s->cp0[CP0_epc], &slot);
        cause = (cause & ~CA_BD) | (slot ? CA_BD : 0);
    } else if (offset < 0x180) {
        offset = 0x180; /* nested: the general vector, the old EPC */
    }
    s->cp0[CP0_cause] = sx(cause | code << 2 | ce << 28);
    s->cp0[CP0_status] |= ST_EXL;
    s->pc = vectors(cpu) + offset;
    s->exec = 0;
}

/* BadVAddr, Context, XContext, EntryHi of an address that did not translate. */
static void bad_address(oryx_cpu *cpu, uint64_t addr, unsigned code)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    bool wide_cpu = mips_width(cpu) == I64, tlb = code != EXC_ADEL && code != EXC_ADES;
    if (!wide_cpu)
        addr &= 0xffffffffu;
    s->cp0[CP0_badvaddr] = addr;
    if (m->mmu == MIPS_MMU_R3000) {
        s->cp0[CP0_context] = (s->cp0[CP0_context] & 0xffe00000) | (addr >> 10 & 0x1ffffc);
        if (tlb)
            s->cp0[CP0_entryhi] = (addr & 0xfffff000) | (s->cp0[CP0_entryhi] & 0xfc0);
        return;
    }
    if (!tlb || m->mmu == MIPS_MMU_FIXED)
        return;
    s->cp0[CP0_context] = (s->cp0[CP0_context] & ~UINT64_C(0x7fffff)) | (addr >> 9 & 0x7ffff0);
    uint64_t hi = addr & ~UINT64_C(0x1fff);
    if (wide_cpu) {
        uint64_t segment = (UINT64_C(1) << m->seg_bits) - 1;
        unsigned low = m->seg_bits - 9u;
        uint64_t low_bits = (UINT64_C(4) << low) - 1;
        hi &= UINT64_C(0xc000000000000000) | segment;
        s->cp0[CP0_xcontext] = (s->cp0[CP0_xcontext] & ~low_bits) | addr >> 62 << low | (addr & segment) >> 13 << 4;
    }
    s->cp0[CP0_entryhi] = hi | (s->cp0[CP0_entryhi] & 0xff);
}

static unsigned code_of(const oryx_exc *exc)
{
    unsigned code = (unsigned)(exc->syndrome >> 32 & 0x1f);
    bool write = exc->kind == ORYX_EXC_MEMORY && exc->access == ORYX_ACCESS_WRITE;
    if (code && exc->kind != ORYX_EXC_SYSCALL)
        return code;
    switch (exc->kind) {
    case ORYX_EXC_UNDEFINED: return EXC_RI;
    case ORYX_EXC_PRIVILEGED: return EXC_CPU;
    case ORYX_EXC_SYSCALL: return EXC_SYS;
    case ORYX_EXC_BREAKPOINT: return EXC_BP;
    case ORYX_EXC_TRAP: return EXC_TR;
    case ORYX_EXC_ARITHMETIC: return EXC_OV;
    case ORYX_EXC_FP: return EXC_FPE;
    case ORYX_EXC_PC_ALIGN: return EXC_ADEL;
    case ORYX_EXC_MEMORY:
    case ORYX_EXC_FETCH:
        if (exc->status == ORYX_FAULT_ALIGN)
            return write ? EXC_ADES : EXC_ADEL;
        return exc->kind == ORYX_EXC_FETCH ? EXC_IBE : EXC_DBE;
    default: return 0;
    }
}

oryx_status mips_deliver(oryx_cpu *cpu, const oryx_exc *exc)
{
    mips_state *s = mips_state_of(cpu);
    unsigned code = code_of(exc);
    if (s->level != MIPS_SYSTEM || !code)
        return ORYX_E_UNSUPPORTED; /* semihosting, halts and internal errors are the embedder's */
    uint64_t offset = 0x180;
    bool refill = exc->syndrome & MIPS_SYN_WALK && exc->syndrome & MIPS_SYN_REFILL;
    if (exc->kind == ORYX_EXC_MEMORY || exc->kind == ORYX_EXC_FETCH || exc->kind == ORYX_EXC_PC_ALIGN) {
        if (code != EXC_IBE && code != EXC_DBE)
            bad_address(cpu, exc->kind == ORYX_EXC_PC_ALIGN ? exc->pc : exc->addr, code);
        if (refill)
            offset = exc->syndrome & MIPS_SYN_WIDE ? 0x80 : 0;
    }
    uint32_t ce = code == EXC_CPU ? (uint32_t)(exc->syndrome >> 40 & 3) : 0;
    cpu->monitor.active = 0;
    if (r3000(cpu))
        take_r3000(cpu, code, ce, refill);
    else
        take(cpu, code, ce, offset);
    return ORYX_OK;
}

/* --- interrupts -------------------------------------------------------------------------------------------------------- */

/* Status and pc of a reset that keeps the rest: NMI. */
static void take_nmi(oryx_cpu *cpu)
{
    mips_state *s = mips_state_of(cpu);
    s->cp0[CP0_errorepc] = mips_resume(cpu);
    s->cp0[CP0_status] = (s->cp0[CP0_status] & ~(uint64_t)(ST_SR | ST_TS)) | ST_BEV | ST_NMI | ST_ERL;
    s->pc = wide(cpu, 0xbfc00000u);
    s->exec = 0;
    own_line(cpu, IRQ_NMI, false); /* an edge */
}

oryx_status mips_interrupt(oryx_cpu *cpu, uint64_t lines)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    if (s->level != MIPS_SYSTEM)
        return ORYX_E_UNSUPPORTED;
    if (lines & IRQ_NMI && !r3000(cpu)) {
        take_nmi(cpu);
        return ORYX_OK;
    }
    uint32_t st = (uint32_t)s->cp0[CP0_status], cause = mips_cause(cpu), pending;
    if (s->cp0[CP0_cause] & CA_TI)
        cause |= 0x8000;
    pending = cause & st & ST_IM;
    if (!pending || !(st & ST_IE) || (!r3000(cpu) && st & (ST_EXL | ST_ERL)))
        return ORYX_E_BUSY;
    cpu->monitor.active = 0;
    if (r3000(cpu)) {
        take_r3000(cpu, EXC_INT, 0, false);
        return ORYX_OK;
    }
    uint64_t offset = 0x180;
    if (m->revision >= 1 && cause & CA_IV) {
        uint32_t spacing = (uint32_t)s->cp0[CP0_intctl] & 0x3e0;
        offset = 0x200;
        if (m->config[3] & 0x20 && spacing && !(st & ST_BEV)) /* VI: the highest line has its own vector */
            offset += (uint64_t)(31 - (unsigned)__builtin_clz(pending >> 8)) * spacing;
    }
    take(cpu, EXC_INT, 0, offset);
    return ORYX_OK;
}

/* --- from helpers ------------------------------------------------------------------------------------------------------ */

void mips_raise_now(oryx_cpu *cpu, unsigned kind, uint64_t syndrome)
{
    cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = kind, .syndrome = syndrome, .phys = UINT64_MAX };
}

/* ERET: where to, the state being that it returns to. */
uint64_t mips_helper_eret(oryx_cpu *cpu, uint32_t nc)
{
    mips_state *s = mips_state_of(cpu);
    uint64_t pc;
    if (s->cp0[CP0_status] & ST_ERL) {
        pc = s->cp0[CP0_errorepc];
        s->cp0[CP0_status] &= ~(uint64_t)ST_ERL;
    } else {
        pc = s->cp0[CP0_epc];
        s->cp0[CP0_status] &= ~(uint64_t)ST_EXL;
    }
    if (!nc)
        cpu->monitor.active = 0;
    return mips_width(cpu) == I64 ? pc : (uint32_t)pc;
}

/* The mode key after a helper changed it; and the next block goes through the run loop. */
uint64_t mips_helper_new_mode(oryx_cpu *cpu)
{
    __atomic_store_n(&cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    return mips_key(cpu);
}

/* DI, EI: Status as it was. */
uint64_t mips_helper_ie(oryx_cpu *cpu, uint32_t on)
{
    mips_state *s = mips_state_of(cpu);
    uint64_t old = s->cp0[CP0_status];
    s->cp0[CP0_status] = on ? old | ST_IE : old & ~(uint64_t)ST_IE;
    return old;
}

void mips_helper_rfe(oryx_cpu *cpu)
{
    mips_state *s = mips_state_of(cpu);
    uint32_t st = (uint32_t)s->cp0[CP0_status];
    s->cp0[CP0_status] = (st & ~0xfu) | (st >> 2 & 0xf);
}
