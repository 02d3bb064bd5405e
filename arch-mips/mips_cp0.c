/* Coprocessor 0's registers as MTC0 and MFC0 see them, reset, RDHWR: MD00091 chapter 9.
 *
 * Called by the helpers of mips_priv.c's rows, the register interface and reset. Invariant: what a register cannot hold on this model is
 * not in mips_state.cp0, and whatever the mode key depends on is followed by a RESYNC of the instruction that wrote it. */
#include "mips_sys.h"

/* The column "there" of mips_cp0.def. */
enum { TH_ALL, TH_R4000, TH_OLD4, TH_R1, TH_R2, TH_R6, TH_TLB, TH_TLB4, TH_TLB_5, TH_R2TLB, TH_W64TLB, TH_ULR, TH_KSCRATCH };
enum { K_RW, K_RO, K_FN };

static const struct row {
    uint8_t reg, sel, there, kind;
    uint64_t mask;
} rows[] = {
#define CP0(reg, sel, name, there, kind, mask) { reg, sel, TH_##there, K_##kind, mask },
#include "mips_cp0.def"
#undef CP0
};
#define N_ROWS ((int)(sizeof rows / sizeof rows[0]))

static bool exists(const mips_model *m, unsigned width, const struct row *r)
{
    bool tlb = m->mmu != MIPS_MMU_FIXED, r3000 = m->mmu == MIPS_MMU_R3000;
    switch (r->there) {
    case TH_ALL: return true;
    case TH_R4000: return !r3000;
    case TH_OLD4: return !r3000 && m->revision == 0;
    case TH_R1: return m->revision >= 1;
    case TH_R2: return m->revision >= 2;
    case TH_R6: return m->revision >= 6;
    case TH_TLB: return tlb;
    case TH_TLB4: return tlb && !r3000;
    case TH_TLB_5: return tlb && m->revision < 6;
    case TH_R2TLB: return tlb && m->revision >= 2;
    case TH_W64TLB: return tlb && width == I64;
    case TH_ULR: return m->config[3] & 0x2000;
    default: return m->kscratch >> r->sel & 1;
    }
}

int mips_cp0_find(const mips_model *m, unsigned width, unsigned reg, unsigned sel)
{
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].reg == reg && rows[i].sel == sel)
            return exists(m, width, &rows[i]) ? i : -1;
    return -1;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

static uint64_t sx(uint32_t v)
{
    return (uint64_t)(int64_t)(int32_t)v;
}

uint64_t mips_cp0_get(oryx_cpu *cpu, unsigned n)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    switch (n) {
    case CP0_random: return m->mmu == MIPS_MMU_R3000 ? mips_random(s, m) << 8 : mips_random(s, m);
    case CP0_userlocal: return s->userlocal;
    case CP0_count: return sx(mips_count(cpu));
    case CP0_cause: return sx(mips_cause(cpu));
    case CP0_prid: return m->prid;
    case CP0_config: return sx((uint32_t)s->cp0[n] | (mips_host->machine_arch(cpu->machine)->big_endian && m->mmu != MIPS_MMU_R3000 ? 0x8000u : 0));
    case CP0_lladdr: return s->cp0[n];
    default:
        if (n >= CP0_config1 && n <= CP0_config7)
            return sx(n == CP0_config5 ? (uint32_t)s->cp0[n] : m->config[n - CP0_config]);
        return s->cp0[n];
    }
}

/* EntryLo as MTC0 (wide: DMTC0) writes it: the frame number's bits that exist, C, D, V, G; RI and XI where PageGrain lets them. */
static uint64_t entrylo(const mips_state *s, const mips_model *m, uint64_t v, bool wide)
{
    uint64_t keep = ((UINT64_C(1) << (m->pa_bits - 6)) - 1), xi = s->cp0[CP0_pagegrain] & 0xc0000000u, rixi = 0;
    if (wide)
        rixi = v & (xi << 32);
    else
        rixi = (v & xi) << 32;
    if (!wide)
        keep &= xi || m->config[3] & 0x1000 ? 0x3fffffff : 0xffffffff; /* two bits are RI and XI where they exist */
    return (v & keep) | rixi;
}

static void set_status(oryx_cpu *cpu, uint32_t v)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    uint32_t old = (uint32_t)s->cp0[CP0_status];
    if (m->revision >= 6 && (v & ST_KSU) == ST_KSU)
        v = (v & ~ST_KSU) | (old & ST_KSU); /* reserved: not written */
    v = (v & m->status_rw) | (old & ~m->status_rw);
    s->cp0[CP0_status] = sx(v);
    if (m->status_rw & ST_FR)
        s->status_fr = v & ST_FR ? 1 : 0;
    if ((v ^ old) & (ST_KX | ST_SX | ST_UX))
        mips_flush(cpu);
}

static void set_cause(oryx_cpu *cpu, uint32_t v)
{
    mips_state *s = mips_state_of(cpu);
    uint32_t rw = mips_model_of(cpu)->revision >= 1 ? CA_IV | CA_WP | 0x300u : 0x300u, old = (uint32_t)s->cp0[CP0_cause];
    if (mips_model_of(cpu)->revision >= 2)
        rw |= CA_DC;
    if (mips_model_of(cpu)->revision >= 6)
        rw &= ~CA_WP;
    if ((v ^ old) & rw & CA_DC) { /* Count stops, or goes on from where it stopped */
        uint32_t count = mips_count(cpu);
        s->cp0[CP0_cause] = sx(old ^ CA_DC);
        mips_count_set(cpu, count);
    }
    s->cp0[CP0_cause] = sx((v & rw) | (old & ~rw));
    mips_irq_changed(cpu);
}

static uint64_t entryhi_mask(const mips_model *m, unsigned width)
{
    uint64_t v = 0xffffe0ff;
    if (m->mmu == MIPS_MMU_R3000)
        return 0xffffffc0 & ~0x3fu;
    if (m->features & MIPS_FEAT_R5)
        v |= 0x400; /* EHINV */
    if (width == I64)
        v |= UINT64_C(0xc000000000000000) | (((UINT64_C(1) << m->seg_bits) - 1) & ~UINT64_C(0x1fff));
    return v;
}

void mips_cp0_set(oryx_cpu *cpu, unsigned n, uint64_t v)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    unsigned w = mips_width(cpu);
    uint64_t old = s->cp0[n];
    switch (n) {
    case CP0_index:
        if (m->mmu == MIPS_MMU_R3000)
            s->cp0[n] = (old & 0x80000000u) | (v & 0x3f00);
        else
            s->cp0[n] = (old & sx(0x80000000u)) | (v & ((2u << (31 - __builtin_clz(m->tlb - 1u))) - 1));
        break;
    case CP0_entrylo0:
        if (m->mmu == MIPS_MMU_R3000) {
            s->cp0[n] = v & 0xffffff00;
            break;
        }
        /* fall through */
    case CP0_entrylo1:
        s->cp0[n] = entrylo(s, m, v, w == I64);
        break;
    case CP0_context:
        if (m->mmu == MIPS_MMU_R3000)
            s->cp0[n] = (v & 0xffe00000) | (old & 0x1ffffc);
        else
            s->cp0[n] = (v & ~UINT64_C(0x7fffff)) | (old & 0x7ffff0);
        break;
    case CP0_xcontext: {
        unsigned low = m->seg_bits - 9u; /* R, BadVPN2 below it */
        s->cp0[n] = (v & ~((UINT64_C(4) << low) - 1)) | (old & ((UINT64_C(4) << low) - 1));
        break;
    }
    case CP0_userlocal:
        s->userlocal = v;
        break;
    case CP0_pagemask:
        /* Pairs of ones from the bottom: 4 KiB to 256 MiB. Anything else leaves the register, as Release 6 says. */
        v &= 0x1fffe000;
        if (!((v + 0x2000) & v) && __builtin_ctzll(v + 0x2000) % 2)
            s->cp0[n] = v;
        else if (m->revision < 6)
            s->cp0[n] = v;
        break;
    case CP0_pagegrain:
        v &= m->config[3] & 0x1000 ? 0xe8000000u : 0;
        if (m->revision >= 6)
            v |= 0xc8000000u; /* RIE, XIE and IEC are fixed */
        s->cp0[n] = sx((uint32_t)v);
        break;
    case CP0_wired:
        s->random = 0;
        v &= (2u << (31 - __builtin_clz(m->tlb - 1u))) - 1;
        if (m->revision < 6 || v < m->tlb)
            s->cp0[n] = v;
        break;
    case CP0_hwrena:
        s->cp0[n] = v & (0xfu | (m->revision >= 6 ? 0x20u : 0) | (m->config[3] & 0x2000 ? 0x20000000u : 0));
        break;
    case CP0_count:
        mips_count_set(cpu, (uint32_t)v);
        break;
    case CP0_compare:
        s->cp0[n] = sx((uint32_t)v);
        s->cp0[CP0_cause] &= ~(uint64_t)CA_TI;
        mips_timer_changed(cpu);
        break;
    case CP0_entryhi: {
        uint64_t mask = entryhi_mask(m, w), asid = m->mmu == MIPS_MMU_R3000 ? 0xfc0 : 0xff;
        s->cp0[n] = v & mask;
        if ((old ^ v) & asid)
            mips_flush(cpu);
        break;
    }
    case CP0_status:
        set_status(cpu, (uint32_t)v);
        break;
    case CP0_cause:
        set_cause(cpu, (uint32_t)v);
        break;
    case CP0_ebase:
        s->cp0[n] = sx(0x80000000u | ((uint32_t)v & 0x3ffff000));
        break;
    case CP0_config: {
        uint32_t rw = m->mmu == MIPS_MMU_R3000 ? 0 : m->mmu == MIPS_MMU_FIXED ? 0x7e000007u : 7u;
        s->cp0[n] = (old & ~(uint64_t)rw) | (v & rw);
        break;
    }
    case CP0_config5:
        s->cp0[n] = (old & ~(uint64_t)m->config5_rw) | (v & m->config5_rw);
        break;
    case CP0_lladdr:
        if (m->config[5] & 0x10 && !(v & 1))
            cpu->monitor.active = 0; /* LLB is cleared by writing 0 */
        break;
    default:
        if (rows[n].kind == K_RW)
            s->cp0[n] = v & rows[n].mask;
        break;
    }
}

void mips_cp0_force(oryx_cpu *cpu, unsigned n, uint64_t v)
{
    mips_state *s = mips_state_of(cpu);
    if (rows[n].kind == K_RO) {
        s->cp0[n] = v;
    } else if (n == CP0_status) {
        s->cp0[n] = sx((uint32_t)v);
        if (s->level || mips_model_of(cpu)->status_rw & ST_FR) /* user level: the mode the kernel chose for the program */
            s->status_fr = v & ST_FR ? 1 : 0;
    } else {
        mips_cp0_set(cpu, n, v);
    }
    mips_flush(cpu);
}

void mips_cp0_reset(oryx_cpu *cpu, unsigned level)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    s->level = level;
    s->cp0[CP0_ebase] = sx(0x80000000u);
    s->cp0[CP0_pagegrain] = m->revision >= 6 ? sx(0xc8000000u) : 0;
    s->cp0[CP0_intctl] = m->revision >= 2 ? sx(7u << 29) : 0; /* the timer is IP7 */
    s->cp0[CP0_status] = m->mmu == MIPS_MMU_R3000 ? ST_BEV : ST_BEV | ST_ERL;
    if (m->revision >= 6 && m->features & MIPS_FEAT_FPU)
        s->cp0[CP0_status] |= ST_FR;
    if (level == MIPS_BARE) /* code that somebody runs by itself: coprocessors work, 64-bit addresses too */
        s->cp0[CP0_status] |= sx(m->status_rw & (ST_CU(0) | ST_CU(1) | ST_CU(2) | 0xe0u)) & 0xffffffffu;
    s->status_fr = s->cp0[CP0_status] & ST_FR ? 1 : 0;
    s->pc = mips_width(cpu) == I64 ? sx(0xbfc00000u) : 0xbfc00000u;
    for (unsigned i = 0; i < MIPS_TLB_MAX; i++)
        s->tlb[i].hi = m->mmu == MIPS_MMU_R3000 ? 0x80000000u : UINT64_MAX; /* no address matches */
}

/* --- helpers ------------------------------------------------------------------------------------------------------------ */

uint64_t mips_helper_mfc0(oryx_cpu *cpu, uint32_t n)
{
    uint64_t v = mips_cp0_get(cpu, n & 0xff);
    if ((n & 0xff) == CP0_entrylo0 || (n & 0xff) == CP0_entrylo1) {
        if (n & MTC0_HIGH)
            return v >> 30 & 0xffffffff;
        if (!(n & MTC0_WIDE)) /* MFC0 shows RI and XI in bits 31 and 30 */
            return sx((uint32_t)(v & 0x3fffffff) | (uint32_t)(v >> 32 & 0xc0000000u) |
                      (mips_model_of(cpu)->config[3] & 0x1000 ? 0 : (uint32_t)v & 0xc0000000u));
    }
    if (n & MTC0_HIGH)
        return v >> 32;
    return n & MTC0_WIDE ? v : sx((uint32_t)v);
}

void mips_helper_mtc0(oryx_cpu *cpu, uint64_t v, uint32_t n)
{
    mips_state *s = mips_state_of(cpu);
    unsigned i = n & 0xff;
    if (n & MTC0_HIGH) {
        if (i == CP0_entrylo0 || i == CP0_entrylo1)
            s->cp0[i] = (s->cp0[i] & UINT64_C(0xc00000003fffffff)) |
                        ((v << 30) & ((UINT64_C(1) << (mips_model_of(cpu)->pa_bits - 6)) - 1) & ~UINT64_C(0x3fffffff));
        return;
    }
    if (i == CP0_entrylo0 || i == CP0_entrylo1) {
        if (!(n & MTC0_WIDE) && mips_width(cpu) == I64) { /* RI and XI from bits 31 and 30 */
            bool rixi = mips_model_of(cpu)->config[3] & 0x1000;
            v = rixi ? (v & 0x3fffffff) | (v & 0xc0000000u) << 32 : v & 0xffffffffu;
        }
    } else if (!(n & MTC0_WIDE)) {
        v = sx((uint32_t)v);
    }
    if (mips_width(cpu) == I32 && i != CP0_entrylo0 && i != CP0_entrylo1)
        v = (uint32_t)v;
    mips_cp0_set(cpu, i, v);
}

/* Registers of RDHWR: by HWREna in user mode, all with coprocessor 0. A user-level CPU has what Linux gives. */
uint64_t mips_helper_rdhwr(oryx_cpu *cpu, uint32_t n)
{
    const mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    uint32_t on = s->level == MIPS_USER ? 0x2000000fu | (m->revision >= 6 ? 0x20u : 0)
                  : mips_ksu(s) % 3 == 0 || s->cp0[CP0_status] & ST_CU(0)
                      ? 0x2fu | (m->config[3] & 0x2000 ? 0x20000000u : 0) : (uint32_t)s->cp0[CP0_hwrena];
    if (m->revision < 6)
        on &= ~0x20u;
    switch (on >> n & 1 ? n : 32) {
    case 0: return s->cp0[CP0_ebase] & 0x3ff;
    case 1: return 32;                       /* SYNCI_Step */
    case 2: return sx(mips_count(cpu));
    case 3: return 2;                        /* CCRes: Count moves every second cycle */
    case 5: return m->config[5] >> 13 & 1;   /* XNP: no paired LL and SC */
    case 29: return s->userlocal;
    default:
        mips_raise_now(cpu, ORYX_EXC_UNDEFINED, 0);
        return 0;
    }
}
