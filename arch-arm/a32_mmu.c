/* Address translation of class "arm": the short descriptors of Armv4 to Armv7 (DDI 0406C B3.5, DDI 0100I B4), FCSE, address
 * translation operations. The long ones are in a32_lpae.c.
 *
 * Called by the core on a miss of its translation caches (a32_mmu), and by CP15 operations. Reads tables through the vCPU's
 * space. The order of faults is the manual's: level by level external abort and translation, then access flag, domain,
 * permission. Invariant: the state block is never written here but for PAR. */
#include "a32_sys.h"

extern const oryx_host *a64_host;

oryx_status a32_refuse(a32_walk *out, unsigned fault, unsigned level, unsigned domain)
{
    out->fault = A32_MEM(fault, level, domain);
    return fault == A32_FAULT_PERMISSION || fault == A32_FAULT_DOMAIN ? ORYX_FAULT_PROT
           : fault == A32_FAULT_WALK                                  ? ORYX_FAULT_DEVICE
                                                                      : ORYX_FAULT_TRANSLATE;
}

/* What one leaf says, whatever its format. */
typedef struct leaf {
    uint64_t phys, size;
    uint8_t ap;          /* AP[2:0] */
    uint8_t domain, level;
    uint8_t xn, pxn, ns, super;
    uint8_t c, b, tex, s;
} leaf;

/* What a mode may do by AP[2:0]; sctlr for AFE and, in the old format, S and R. */
static uint32_t permissions(const a32_model *m, uint32_t sctlr, unsigned ap, unsigned user, int extended)
{
    const uint32_t rw = ORYX_PROT_READ | ORYX_PROT_WRITE, ro = ORYX_PROT_READ;
    if (extended && sctlr & SCTLR_AFE)
        return ap & 2 || !user ? (ap & 4 ? ro : rw) : 0;
    switch (ap) {
    case 0:
        if (m->features & A32_FEAT_V7 || (sctlr & (SCTLR_S | SCTLR_R)) == 0 || (sctlr & (SCTLR_S | SCTLR_R)) == (SCTLR_S | SCTLR_R))
            return 0;
        return sctlr & SCTLR_R || !user ? ro : 0;
    case 1: return user ? 0 : rw;
    case 2: return user ? ro : rw;
    case 3: return rw;
    case 5: return user ? 0 : ro;
    case 6: return ro;
    case 7: return m->features & A32_FEAT_V6K ? ro : 0;
    default: return 0;
    }
}

static oryx_status read_word(oryx_cpu *cpu, const a32_state *s, unsigned world, uint64_t at, uint32_t *out)
{
    oryx_space *space = a64_host->vcpu_space(cpu->vcpu);
    oryx_status st = a64_host->space_read(space, at, out, sizeof *out, world || !s->system.tz ? 0 : ORYX_ATTR_SECURE);
    if (a32_sctlr(s, world) & SCTLR_EE)
        *out = __builtin_bswap32(*out);
    return st;
}

/* The second level: a coarse or (fine) a fine table at base. */
static oryx_status second(oryx_cpu *cpu, const a32_state *s, unsigned world, uint32_t addr, uint32_t base, int fine, int extended, leaf *l,
                          a32_walk *out)
{
    uint32_t desc, at = fine ? (base & 0xfffff000) | (addr >> 10 & 0x3ff) << 2 : (base & 0xfffffc00) | (addr >> 12 & 0xff) << 2;
    const a32_model *m = a32_model_of(cpu);
    l->level = 2;
    if (read_word(cpu, s, world, at, &desc))
        return a32_refuse(out, A32_FAULT_WALK, 2, l->domain);
    l->c = desc >> 3 & 1, l->b = desc >> 2 & 1;
    switch (desc & 3) {
    case 0:
        return a32_refuse(out, A32_FAULT_TRANSLATION, 2, l->domain);
    case 1: /* 64K */
        l->phys = (desc & 0xffff0000) | (addr & 0xffff);
        l->size = 65536;
        l->ap = extended ? (desc >> 4 & 3) | (desc >> 7 & 4) : desc >> (4 + (addr >> 14 & 3) * 2) & 3;
        if (!extended && (desc >> 4 & 0xff) != (desc >> 4 & 3) * 0x55)
            l->size = 16384;
        l->xn = extended && desc >> 15 & 1;
        l->tex = desc >> 12 & 7;
        l->s = desc >> 10 & 1;
        return ORYX_OK;
    default: /* 4K, extended or with four subpages; 1K in fine tables */
        l->phys = (desc & 0xfffff000) | (addr & 0xfff);
        l->size = 4096;
        if (extended) {
            l->ap = (desc >> 4 & 3) | (desc >> 7 & 4);
            l->xn = desc & 1;
            l->tex = desc >> 6 & 7;
            l->s = desc >> 10 & 1;
        } else if ((desc & 3) == 3 && fine) {
            l->phys = (desc & 0xfffffc00) | (addr & 0x3ff);
            l->size = 1024;
            l->ap = desc >> 4 & 3;
        } else if ((desc & 3) == 3) {
            if (!(m->features & A32_FEAT_V6))
                return a32_refuse(out, A32_FAULT_TRANSLATION, 2, l->domain);
            l->ap = desc >> 4 & 3;
            l->tex = desc >> 6 & 7;
        } else {
            l->ap = desc >> (4 + (addr >> 10 & 3) * 2) & 3;
            if ((desc >> 4 & 0xff) != (desc >> 4 & 3) * 0x55)
                l->size = 1024;
        }
        return ORYX_OK;
    }
}

static oryx_status walk_short(oryx_cpu *cpu, const a32_state *s, unsigned world, uint32_t addr, int extended, leaf *l, a32_walk *out)
{
    const a32_model *m = a32_model_of(cpu);
    uint32_t ttbcr = m->features & A32_FEAT_V6 ? (uint32_t)s->system.sys[CP_ttbcr][world] : 0, n = ttbcr & 7, desc;
    int upper = n && addr >> (32 - n), has_pxn = (m->system & A32_SYS_LPAE) != 0;
    if (upper)
        n = 0;
    l->level = 1;
    if (ttbcr >> (upper ? 5 : 4) & 1)
        return a32_refuse(out, A32_FAULT_TRANSLATION, 1, 0);
    uint32_t base = (uint32_t)s->system.sys[upper ? CP_ttbr1 : CP_ttbr0][world] & ~((1u << (14 - n)) - 1);
    uint32_t at = base | (addr << n >> n >> 20) << 2;
    if (read_word(cpu, s, world, at, &desc))
        return a32_refuse(out, A32_FAULT_WALK, 1, 0);
    unsigned type = desc & 3;
    if (type == 0 || (type == 3 && m->features & A32_FEAT_V6 && !has_pxn))
        return a32_refuse(out, A32_FAULT_TRANSLATION, 1, 0);
    l->domain = desc >> 5 & 15;
    if (type == 1 || (type == 3 && !(m->features & A32_FEAT_V6))) {
        l->ns = desc >> 3 & 1;
        l->pxn = has_pxn && desc >> 2 & 1;
        return second(cpu, s, world, addr, desc, type == 3, extended, l, out);
    }
    l->c = desc >> 3 & 1, l->b = desc >> 2 & 1, l->tex = desc >> 12 & 7, l->s = desc >> 16 & 1;
    l->ap = (desc >> 10 & 3) | (extended ? desc >> 13 & 4 : 0);
    l->xn = extended && desc >> 4 & 1;
    l->pxn = has_pxn && desc & 1;
    l->ns = desc >> 19 & 1;
    if (extended && desc >> 18 & 1) { /* a supersection */
        l->super = 1;
        l->domain = 0;
        l->phys = (desc & 0xff000000) | (addr & 0xffffff);
        if (has_pxn || m->features & A32_FEAT_V7)
            l->phys |= (uint64_t)(desc >> 20 & 15) << 32 | (uint64_t)(desc >> 5 & 15) << 36;
        l->size = 1u << 24;
    } else {
        l->phys = (desc & 0xfff00000) | (addr & 0xfffff);
        l->size = 1u << 20;
    }
    return ORYX_OK;
}

/* Memory attributes as a 32-bit PAR shows them: SH, NOS, Inner, Outer. DDI 0406C B4.1.112, B3.8.2. */
static uint32_t attributes(const a32_state *s, unsigned world, const leaf *l)
{
    unsigned c = l->c, b = l->b, tex = l->tex, share = l->s;
    static const uint8_t inner_of[4] = { 0, 5, 6, 7 };
    if (a32_sctlr(s, world) & SCTLR_TRE) {
        unsigned n = (tex & 1) << 2 | c << 1 | b;
        uint32_t prrr = (uint32_t)s->system.sys[CP_prrr][world], nmrr = (uint32_t)s->system.sys[CP_nmrr][world];
        unsigned type = prrr >> 2 * n & 3;
        if (type != 2)
            return (type ? 3 : 1) << 4 | 1 << 7;
        unsigned sh = prrr >> (18 + share) & 1, nos = !(prrr >> (24 + n) & 1);
        return (uint32_t)inner_of[nmrr >> 2 * n & 3] << 4 | (nmrr >> (16 + 2 * n) & 3) << 2 | sh << 7 | (sh && nos ? 1u << 10 : 0);
    }
    if (tex & 4)
        return (uint32_t)inner_of[c << 1 | b] << 4 | (tex & 3) << 2 | share << 7;
    switch (tex << 2 | c << 1 | b) {
    case 0: return 1 << 4 | 1 << 7;
    case 1:
    case 8: return 3 << 4 | 1 << 7;
    case 2: return 6 << 4 | 2 << 2 | share << 7;
    case 3: return 7 << 4 | 3 << 2 | share << 7;
    case 7: return 5 << 4 | 1 << 2 | share << 7;
    default: return share << 7;
    }
}

oryx_status a32_translate(oryx_cpu *cpu, uint32_t addr, uint32_t access, unsigned world, unsigned user, a32_walk *out)
{
    const a32_state *s = a32_state_of(cpu);
    const a32_model *m = a32_model_of(cpu);
    uint32_t sctlr = a32_sctlr(s, world);
    if (!(addr >> 25))
        addr |= (uint32_t)s->system.sys[CP_fcseidr][world] & 0xfe000000;
    *out = (a32_walk){ .phys = addr, .size = 4096, .prot = ORYX_PROT_ALL, .ns = (uint8_t)(world || !s->system.tz), .sh = 2,
                       .par = 1 << 4 | 1 << 7 };
    if (!(sctlr & SCTLR_M))
        return ORYX_OK;
    if (a32_lpae(s, m, world))
        return a32_walk_long(cpu, addr, access, world, user, out);
    int extended = m->features & A32_FEAT_V7 || (m->features & A32_FEAT_V6 && sctlr & SCTLR_XP);
    leaf l = { 0 };
    oryx_status st = walk_short(cpu, s, world, addr, extended, &l, out);
    if (st)
        return st;
    if (extended && sctlr & SCTLR_AFE && !(l.ap & 1))
        return a32_refuse(out, A32_FAULT_ACCESS, l.level, l.domain);
    unsigned client = (unsigned)(s->system.sys[CP_dacr][world] >> 2 * l.domain & 3);
    if (!(client & 1))
        return a32_refuse(out, A32_FAULT_DOMAIN, l.level, l.domain);
    uint32_t prot = ORYX_PROT_ALL;
    if (client == 1) {
        prot = permissions(m, sctlr, l.ap, user, extended);
        int exec = prot & ORYX_PROT_READ && !l.xn && !(l.pxn && !user);
        if (m->system & A32_SYS_LPAE) {
            exec = exec && !(sctlr & SCTLR_WXN && prot & ORYX_PROT_WRITE);
            exec = exec && !(sctlr & SCTLR_UWXN && !user && permissions(m, sctlr, l.ap, 1, extended) & ORYX_PROT_WRITE);
        }
        if (exec)
            prot |= ORYX_PROT_EXEC;
    }
    if (l.ns)
        out->ns = 1;
    if (!world && s->system.tz && l.ns && a32_scr(s) & SCR_SIF)
        prot &= ~ORYX_PROT_EXEC;
    static const uint32_t need[] = { ORYX_PROT_READ, ORYX_PROT_WRITE, ORYX_PROT_EXEC };
    if (!(prot & need[access]))
        return a32_refuse(out, A32_FAULT_PERMISSION, l.level, l.domain);
    out->phys = l.phys;
    out->size = l.size;
    out->prot = prot;
    out->par = attributes(s, world, &l) | (l.super ? 2u : 0);
    return ORYX_OK;
}

/* Indexes: bit 0 user, bit 1 the non-secure world. */
oryx_status a32_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t index, oryx_mmu_result *out)
{
    const a32_state *s = a32_state_of(cpu);
    if (!s->system.level)
        return ORYX_OK;
    unsigned world = index == ORYX_MMU_CURRENT ? a32_world(s) : index >> 1 & 1;
    unsigned user = index == ORYX_MMU_CURRENT ? a32_mode(s) == M_USR : index & 1;
    if (addr >> 32) { /* nothing of this CPU's */
        out->attrs = user ? ORYX_ATTR_USER : 0;
        return a32_sctlr(s, world) & SCTLR_M ? ORYX_FAULT_TRANSLATE : ORYX_OK;
    }
    a32_walk w;
    oryx_status st = a32_translate(cpu, (uint32_t)addr, access, world, user, &w);
    if (st) {
        out->syndrome = w.fault;
        return st;
    }
    out->phys = w.phys;
    out->page_size = w.size;
    out->prot = w.prot;
    out->attrs = (user ? ORYX_ATTR_USER : 0) | (w.ns ? 0 : ORYX_ATTR_SECURE);
    return ORYX_OK;
}

void a32_flush(oryx_cpu *cpu)
{
    a64_host->vcpu_tlb_flush(cpu->vcpu, 0, 0);
}

/* The status field of PAR for a refusal, in the short format: FSR's bits. */
static uint32_t short_status(uint32_t fault)
{
    static const uint8_t section[] = { 0x05, 0x03, 0x09, 0x0d, 0x0c }, page[] = { 0x07, 0x06, 0x0b, 0x0f, 0x0e };
    unsigned kind = fault & 15, level = fault >> 4 & 3;
    return kind > A32_FAULT_WALK ? 8 : level == 2 ? page[kind] : section[kind];
}

static uint32_t long_status(uint32_t fault)
{
    static const uint8_t codes[] = { 0x04, 0x08, 0x3c, 0x0c, 0x14 };
    unsigned kind = fault & 15;
    return (kind > A32_FAULT_WALK ? 0 : codes[kind]) | (fault >> 4 & 3);
}

/* op2: bit 0 write, bit 1 user, bit 2 of the non-secure world. DDI 0406C B4.2.4. */
void a32_address_translation(oryx_cpu *cpu, uint32_t addr, unsigned op2)
{
    a32_state *s = a32_state_of(cpu);
    unsigned world = op2 & 4 ? 1 : a32_world(s);
    a32_walk w;
    oryx_status st = a32_translate(cpu, addr, op2 & 1 ? ORYX_ACCESS_WRITE : ORYX_ACCESS_READ, world, op2 >> 1 & 1, &w);
    uint64_t *par = &s->system.sys[CP_par][a32_bank(s)];
    uint32_t ns = w.ns && s->system.tz ? 1u << 9 : s->system.tz ? 0 : 1u << 9;
    if (a32_lpae(s, a32_model_of(cpu), world)) {
        *par = st ? UINT64_C(0x800) | long_status(w.fault) << 1 | 1
                  : (uint64_t)w.attr << 56 | (w.phys & UINT64_C(0xfffffff000)) | 0x800 | ns | (uint32_t)w.sh << 7;
    } else if (st) {
        *par = short_status(w.fault) << 1 | 1;
    } else {
        uint32_t super = w.par & 2;
        *par = (super ? (uint32_t)w.phys & 0xff000000 : (uint32_t)w.phys & 0xfffff000) | w.par | ns;
    }
}
