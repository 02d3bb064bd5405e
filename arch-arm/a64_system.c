/* System instructions: DDI 0487, C4.1.87 (hints, barriers, PSTATE, SYS, system register moves).
 *
 * Called through the decode tables only. On a whole CPU (mode bit SYSTEM) registers are rows of a64_sysregs.def and traps are
 * decided by helpers (a64_sysreg.c). On a user-level CPU, EL0 as Linux sets it up: the cache maintenance of user space and
 * DC ZVA are allowed (UCI, DZE, UCT set), the virtual counter is readable, reads of ID registers give
 * the values Linux emulates, everything else is UNDEFINED. Pointer authentication and branch target
 * instructions of the hint space are NOPs there. */
#include "a64_sys.h"
#include "a64_text.h"

/* --- Hints, barriers ------------------------------------------------------------------------------------ */

void a64_text_hint(a64_text *t, const a64_fields *f, uint64_t pc)
{
    static const char *const names[40] = {
        "nop", "yield", "wfe", "wfi", "sev", "sevl", NULL, "xpaclri", "pacia1716", NULL, "pacib1716", NULL,
        "autia1716", NULL, "autib1716", NULL, "esb", "psb\tcsync", "tsb\tcsync", NULL, "csdb", NULL, "clearbhb",
        NULL, "paciaz", "paciasp", "pacibz", "pacibsp", "autiaz", "autiasp", "autibz", "autibsp", "bti", NULL,
        "bti\tc", NULL, "bti\tj", NULL, "bti\tjc", NULL,
    };
    (void)pc;
    if (f->i < 40 && names[f->i]) {
        a64_t_str(t, names[f->i]);
    } else {
        a64_t_str(t, "hint\t#");
        a64_t_hex(t, f->i);
    }
}

static int whole(const a64_lift *l)
{
    return (l->mode & A64_MODE_SYSTEM) != 0;
}

/* On a user-level CPU WFE and WFI are NOPs: at EL0 they may complete at once. WFE always is one when it does not trap: its
 * event may come at any time. */
ORYX_INSN(HINT, "11010101000000110010iiiiiii11111", "@hint", BASE)
{
    if (whole(l) && l->features & A64_FEAT_PAUTH)
        a64_pac_hint(l, f->i);
    if (whole(l) && (f->i == 2 || f->i == 3)) {
        oryx_val fe = a64_imm(l, ORYX_T_I32, f->i == 2);
        a64_call(l, A64_HELPER_wfx_check, ORYX_T_VOID, &fe, 1);
        if (f->i == 3) {
            a64_btype_done(l);
            oryx_raise(l->ir, ORYX_EXC_WAIT, a64_imm(l, ORYX_T_I64, 0), l->pc + 4);
            l->end = 1;
        }
    }
}

ORYX_INSN(CLREX, "11010101000000110011kkkk01011111", "clrex%?(k != 15){\t#%hex(k)}", BASE)
{
    (void)f;
    oryx_ir_emit(l->ir, ORYX_OP_CLREX, ORYX_T_VOID, ORYX_T_VOID, 0, 0, 0, 0);
}

static void fence(a64_lift *l, unsigned order)
{
    oryx_ir_emit(l->ir, ORYX_OP_FENCE, ORYX_T_VOID, ORYX_T_VOID, 0, 0, 0, order);
}

ORYX_INSN(DSB, "11010101000000110011kkkk10011111",
          "{k == 0} ssbb ;; {k == 4} pssbb ;; dsb\t%barrier(k)", BASE)
{
    (void)f;
    fence(l, ORYX_ORDER_SEQ);
}

/* The two low bits say which accesses are ordered: 1 loads, 2 stores, else all. */
ORYX_INSN(DMB, "11010101000000110011kkkk10111111", "dmb\t%barrier(k)", BASE)
{
    static const uint8_t orders[4] = { ORYX_ORDER_SEQ, ORYX_ORDER_ACQUIRE, ORYX_ORDER_RELEASE, ORYX_ORDER_SEQ };
    fence(l, orders[f->k & 3]);
}

/* Code is coherent in Oryx, so nothing but ordering is left to do. */
ORYX_INSN(ISB, "11010101000000110011kkkk11011111", "isb%?(k != 15){\t#%hex(k)}", BASE)
{
    (void)f;
    fence(l, ORYX_ORDER_ISYNC);
}

/* --- PSTATE ------------------------------------------------------------------------------------------------ */

/* Puts bits of the pstate slot and leaves for the run loop: how code is lifted and what interrupts may change with them. */
static void put_pstate(a64_lift *l, uint32_t mask, uint32_t bits, int clear)
{
    a64_btype_done(l);
    oryx_val ps = oryx_get(l->ir, ORYX_T_I32, A64_OFF(pstate));
    ps = oryx_bin(l->ir, ORYX_OP_AND, ORYX_T_I32, ps, a64_imm(l, ORYX_T_I32, ~(clear ? mask & bits : mask)));
    if (!clear)
        ps = oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I32, ps, a64_imm(l, ORYX_T_I32, bits));
    oryx_put(l->ir, ORYX_T_I32, A64_OFF(pstate), ps);
    oryx_resync(l->ir, l->pc + 4);
    l->end = 1;
}

static void write_row(a64_lift *l, unsigned sr, unsigned rt, oryx_val v)
{
    oryx_val args[2] = { v, a64_imm(l, ORYX_T_I32, sr | rt << 16) };
    a64_call(l, A64_HELPER_sysreg_write, ORYX_T_VOID, args, 2);
    a64_btype_done(l);
    oryx_resync(l->ir, l->pc + 4);
    l->end = 1;
}

static void check_sys(a64_lift *l, uint32_t id, unsigned rt)
{
    oryx_val word = a64_imm(l, ORYX_T_I32, id | rt << 16);
    a64_call(l, A64_HELPER_sys_check, ORYX_T_VOID, &word, 1);
}

/* On a user-level CPU the masks and SPSel cannot be changed (SCTLR_EL1.UMA is 0). */
ORYX_INSN(MSR_imm, "1101010100000ooo0100kkkkppp11111",
          "[(o == 3 && p >= 6) || (o == 3 && (p == 1 || p == 2) && k < 2) || (o == 0 && p >= 3 && p <= 5 && k < 2)] "
          "msr\t%?(o){%pick(p - 1, \"ssbs dit ? ? ? daifset daifclr\")}{%pick(p - 3, \"uao pan spsel\")}, #%hex(k)", BASE)
{
    unsigned el = A64_MODE_EL(l->mode), field = f->o << 3 | f->p;
    uint32_t sys = l->model->system;
    int there = whole(l);
    switch (field) {
    case 3: there = there && el && sys & A64_MF_UAO; break;
    case 4: there = there && el && sys & A64_MF_PAN; break;
    case 5: there = there && el; break;
    case 3 << 3 | 1: there = there && sys & A64_MF_SSBS; break;
    case 3 << 3 | 2: there = there && sys & A64_MF_DIT; break;
    default: break;
    }
    if (!there) {
        a64_undefined(l);
        return;
    }
    switch (field) {
    case 3: put_pstate(l, PS_UAO, f->k ? PS_UAO : 0, 0); break;
    case 4: write_row(l, SR_pan, 31, a64_imm(l, ORYX_T_I64, f->k ? PS_PAN : 0)); break;
    case 5: write_row(l, SR_spsel, 31, a64_imm(l, ORYX_T_I64, f->k)); break;
    case 3 << 3 | 1: put_pstate(l, PS_SSBS, f->k ? PS_SSBS : 0, 0); break;
    case 3 << 3 | 2: put_pstate(l, PS_DIT, f->k ? PS_DIT : 0, 0); break;
    default:
        if (!el)
            check_sys(l, A64_SYS(0u, 3, 4, f->k, f->p), 31);
        put_pstate(l, f->p == 6 ? 0 : PS_DAIF, f->k << 6, f->p == 7);
    }
}

ORYX_INSN(CFINV, "11010101000000000100000000011111", "cfinv", FLAGM)
{
    oryx_val packed = oryx_ir_emit(l->ir, ORYX_OP_FLPACK, ORYX_T_I32, ORYX_T_FL, a64_flags(l), 0, 0, 0);
    packed = oryx_bin(l->ir, ORYX_OP_XOR, ORYX_T_I32, packed, a64_imm(l, ORYX_T_I32, ORYX_FLAG_C));
    (void)f;
    a64_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, ORYX_T_FL, ORYX_T_I32, packed, 0, 0, 0));
}

/* --- SYS, SYSL ------------------------------------------------------------------------------------------------ */

static const struct sysop {
    uint16_t id;
    uint16_t has_register;
    const char *text;
} sysops[] = {
#define SYSOP(op1, crn, crm, op2, has_register, text) { A64_SYS(0, op1, crn, crm, op2), has_register, text },
#include "a64_sysop.def"
#undef SYSOP
};

void a64_text_sys(a64_text *t, const a64_fields *f, uint64_t pc)
{
    uint32_t id = A64_SYS(0u, f->o, f->k, f->l, f->p);
    (void)pc;
    for (size_t i = 0; i < sizeof sysops / sizeof sysops[0]; i++) {
        if (sysops[i].id != id)
            continue;
        a64_t_str(t, sysops[i].text);
        if (sysops[i].has_register) {
            a64_t_str(t, ", ");
            a64_t_x(t, f->t);
        }
        return;
    }
    a64_t_str(t, "sys\t#");
    a64_t_u(t, f->o);
    a64_t_str(t, ", C");
    a64_t_u(t, f->k);
    a64_t_str(t, ", C");
    a64_t_u(t, f->l);
    a64_t_str(t, ", #");
    a64_t_u(t, f->p);
    if (f->t != 31) {
        a64_t_str(t, ", ");
        a64_t_x(t, f->t);
    }
}

/* DC ZVA: zeroes the naturally aligned block of 4 << DCZID_EL0 bytes that holds the address. */
static void zero_block(a64_lift *l, unsigned t)
{
    oryx_val addr = oryx_bin(l->ir, ORYX_OP_AND, ORYX_T_I64, a64_reg(l, ORYX_T_I64, t),
                             a64_imm(l, ORYX_T_I64, ~(UINT64_C(4) << A64_DCZID_EL0) + 1));
    oryx_val zero = oryx_vconst(l->ir, ORYX_T_V128, 0, 0);
    for (unsigned at = 0; at < 4u << A64_DCZID_EL0; at += 16)
        oryx_store(l->ir, ORYX_T_V128,
                   at ? oryx_bin(l->ir, ORYX_OP_ADD, ORYX_T_I64, addr, a64_imm(l, ORYX_T_I64, at)) : addr, zero,
                   ORYX_MO_128);
}

/* Cache maintenance by address does nothing: memory and code are coherent. It does not fault on an unmapped
 * address either (hardware may; qemu-aarch64 does not). */
static void whole_sys(a64_lift *l, const a64_fields *f)
{
    uint32_t id = A64_SYS(0u, f->o, f->k, f->l, f->p);
    unsigned el = A64_MODE_EL(l->mode), level = A64_MODE_LEVEL(l->mode);
    unsigned least = f->o == 3 ? 0 : f->o == 4 ? 2 : f->o == 6 ? 3 : 1;
    oryx_val args[2] = { a64_reg(l, ORYX_T_I64, f->t), a64_imm(l, ORYX_T_I32, id) };
    int at = f->k == 7 && (f->l == 8 || (f->l == 9 && f->o == 0)), tlbi = f->k == 8, known = 0;
    for (size_t i = 0; i < sizeof sysops / sizeof sysops[0]; i++)
        known |= sysops[i].id == id;
    if (tlbi) /* no outer shareable forms, no ranges */
        known &= f->l == 3 || f->l == 7 || (f->o == 4 && (f->l == 0 || f->l == 4) && (f->p == 1 || f->p == 5));
    else if (at)
        known &= f->l == 8 || (l->model->system & A64_MF_PAN) != 0;
    else /* IC, DC and nothing newer */
        known &= f->k == 7 && (f->l == 1 || f->l == 5 || f->l == 6 || f->l == 10 || f->l == 11 || f->l == 14 || f->l == 4) &&
                 (f->l == 5 || f->p == 0 || f->p == 1 || f->p == 2) && !(f->l == 4 && f->p != 1);
    if (!known || el < least || (f->o == 4 && level < 2)) {
        a64_undefined(l);
        return;
    }
    if (el < 2)
        check_sys(l, id, f->t);
    if (at || tlbi) {
        a64_call(l, at ? A64_HELPER_at : A64_HELPER_tlbi, ORYX_T_VOID, args, 2);
        a64_btype_done(l);
        oryx_resync(l->ir, l->pc + 4);
        l->end = 1;
    } else if (id == A64_SYS(0, 3, 7, 4, 1)) { /* DC ZVA */
        zero_block(l, f->t);
    } else if (f->p == 1 && (f->l == 5 || f->l == 6 || f->l == 10 || f->l == 11 || f->l == 14)) {
        args[1] = a64_imm(l, ORYX_T_I32, f->l == 6); /* DC IVAC */
        a64_call(l, A64_HELPER_dc_va, ORYX_T_VOID, args, 2);
    }
}

ORYX_INSN(SYS, "1101010100001oookkkkllllpppttttt", "@sys", BASE)
{
    if (whole(l)) {
        whole_sys(l, f);
        return;
    }
    switch (A64_SYS(0u, f->o, f->k, f->l, f->p)) {
    case A64_SYS(0, 3, 7, 4, 1): /* DC ZVA */
        zero_block(l, f->t);
        break;
    case A64_SYS(0, 3, 7, 5, 1):  /* IC IVAU */
    case A64_SYS(0, 3, 7, 10, 1): /* DC CVAC */
    case A64_SYS(0, 3, 7, 11, 1): /* DC CVAU */
    case A64_SYS(0, 3, 7, 14, 1): /* DC CIVAC */
        break;
    default:
        a64_undefined(l);
    }
}

ORYX_INSN(SYSL, "1101010100101oookkkkllllpppttttt", "sysl\t%x(t), #%u(o), C%u(k), C%u(l), #%u(p)", BASE)
{
    (void)f;
    a64_undefined(l);
}

/* --- System register move ---------------------------------------------------------------------------------------- */

static const struct sysreg {
    uint16_t id;
    const char *name;
} sysregs[] = {
#define SYSREG(op0, op1, crn, crm, op2, name) { A64_SYS(op0, op1, crn, crm, op2), name },
#include "a64_sysreg.def"
#undef SYSREG
};

void a64_t_sysreg(a64_text *t, unsigned id, unsigned write)
{
    size_t low = 0, high = sizeof sysregs / sizeof sysregs[0];
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (sysregs[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < sizeof sysregs / sizeof sysregs[0] && sysregs[low].id == id) {
        /* One encoding has two names: the debug data transfer register, by direction. */
        a64_t_str(t, write && id == A64_SYS(2, 3, 0, 5, 0) ? "dbgdtrtx_el0" : sysregs[low].name);
        return;
    }
    const unsigned parts[5] = { id >> 14, id >> 11 & 7, id >> 7 & 15, id >> 3 & 15, id & 7 };
    static const char *const before[5] = { "s", "_", "_c", "_c", "_" };
    for (unsigned i = 0; i < 5; i++) {
        a64_t_str(t, before[i]);
        a64_t_u(t, parts[i]);
    }
}

static uint32_t register_id(const a64_fields *f)
{
    return A64_SYS(2u | f->b, f->o, f->k, f->l, f->p);
}

static oryx_val shifted(a64_lift *l, unsigned op, oryx_val v, uint32_t mask, unsigned by)
{
    v = oryx_bin(l->ir, ORYX_OP_AND, ORYX_T_I32, v, a64_imm(l, ORYX_T_I32, mask));
    return by ? oryx_bin(l->ir, op, ORYX_T_I32, v, a64_imm(l, ORYX_T_I32, by)) : v;
}

static oryx_val or3(a64_lift *l, oryx_val a, oryx_val b, oryx_val c)
{
    return oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I32, a, oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I32, b, c));
}

/* The same layouts as in a64_fpenv.c, in IR. */
static oryx_val read_nzcv(a64_lift *l)
{
    oryx_val p = oryx_ir_emit(l->ir, ORYX_OP_FLPACK, ORYX_T_I32, ORYX_T_FL, a64_flags(l), 0, 0, 0);
    return or3(l, shifted(l, ORYX_OP_SHL, p, ORYX_FLAG_S | ORYX_FLAG_Z, 24), shifted(l, ORYX_OP_SHL, p, ORYX_FLAG_C, 29),
               shifted(l, ORYX_OP_SHL, p, ORYX_FLAG_O, 20));
}

static void write_nzcv(a64_lift *l, oryx_val v)
{
    v = or3(l, shifted(l, ORYX_OP_SHR, v, 0xc0000000, 24), shifted(l, ORYX_OP_SHR, v, 0x20000000, 29),
            shifted(l, ORYX_OP_SHR, v, 0x10000000, 20));
    a64_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, ORYX_T_FL, ORYX_T_I32, v, 0, 0, 0));
}

static oryx_val read_fpsr(a64_lift *l)
{
    oryx_val v = oryx_ir_emit(l->ir, ORYX_OP_FFLAGS, ORYX_T_I32, ORYX_T_I32, 0, 0, 0, 0);
    return or3(l, shifted(l, ORYX_OP_SHL, v, 0x1f, 0), shifted(l, ORYX_OP_SHL, v, ORYX_FPF_DENORMAL, 2),
               shifted(l, ORYX_OP_SHL, v, ORYX_FPF_SATURATED, 21));
}

static void write_fpsr(a64_lift *l, oryx_val v)
{
    v = or3(l, shifted(l, ORYX_OP_SHR, v, 0x1f, 0), shifted(l, ORYX_OP_SHR, v, 1u << 7, 2),
            shifted(l, ORYX_OP_SHR, v, 1u << 27, 21));
    oryx_ir_emit(l->ir, ORYX_OP_FSETFLAGS, ORYX_T_VOID, ORYX_T_VOID, v, 0, 0, 0);
}

/* Whole CPUs: the row of a register that may be accessed at this level in principle, or -1 with UNDEFINED raised. */
static int row_here(a64_lift *l, uint32_t id)
{
    static const uint8_t least[8] = { 1, 1, 1, 0, 2, 3, 3, 1 };
    unsigned el = A64_MODE_EL(l->mode);
    int sr = a64_sysreg_find(id);
    if (sr < 0 || el < least[id >> 11 & 7]) {
        a64_undefined(l);
        return -1;
    }
    return sr;
}

/* Reads that no state traps and that need no computing. */
static int plain(unsigned sr)
{
    const a64_sr *r = &a64_sysregs[sr];
    return r->kind == SRK_RW && !r->trap && !r->flags && r->mask == UINT64_MAX;
}

static int read_only(unsigned sr)
{
    unsigned kind = a64_sysregs[sr].kind;
    return kind == SRK_ID || kind == SRK_RO || sr == SR_currentel || sr == SR_isr_el1 || sr == SR_oslsr_el1 || sr == SR_ccsidr_el1 ||
           sr == SR_dczid_el0 || sr == SR_cntpct_el0 || sr == SR_cntvct_el0 || sr == SR_mdccsr_el0 || sr == SR_pmceid0_el0 ||
           sr == SR_pmceid1_el0 || sr == SR_aidr_el1 || sr == SR_mdrar_el1 || sr == SR_dbgauthstatus_el1 || sr == SR_lorid_el1;
}

/* The id space of Armv8: op0 3, op1 0, CRn 0, CRm 2 to 7, reads as zero where no register is defined. */
static int id_space(uint32_t id)
{
    return (id >> 7) == A64_SYS(3, 0, 0, 0, 0) >> 7 && (id >> 3 & 15) >= 1 && (id >> 3 & 15) < 8;
}

/* Breakpoint and watchpoint registers: none is implemented that would do anything. */
static int debug_pair(uint32_t id)
{
    return (id >> 7) == A64_SYS(2, 0, 0, 0, 0) >> 7 && (id & 7) >= 4 && (id >> 3 & 15) < 16;
}

static void whole_write(a64_lift *l, const a64_fields *f)
{
    uint32_t id = register_id(f);
    if (debug_pair(id) && A64_MODE_EL(l->mode))
        return;
    int sr = row_here(l, id);
    if (sr < 0)
        return;
    if (read_only((unsigned)sr) || (sr == SR_pmuserenr_el0 && !A64_MODE_EL(l->mode)) ||
        (sr == SR_cntfrq_el0 && !A64_MODE_EL(l->mode)))
        a64_undefined(l);
    else if (sr == SR_spsr_el1 || plain((unsigned)sr))
        oryx_put(l->ir, ORYX_T_I64, A64_OFF(sys) + 8u * (unsigned)sr, a64_reg(l, ORYX_T_I64, f->t));
    else
        write_row(l, (unsigned)sr, f->t, a64_reg(l, ORYX_T_I64, f->t));
}

static void whole_read(a64_lift *l, const a64_fields *f)
{
    uint32_t id = register_id(f);
    int zero = A64_MODE_EL(l->mode) && (debug_pair(id) || (id_space(id) && a64_sysreg_find(id) < 0));
    if (zero) {
        a64_set_reg(l, ORYX_T_I64, f->t, a64_imm(l, ORYX_T_I64, 0));
        return;
    }
    int sr = row_here(l, id);
    if (sr < 0)
        return;
    if (sr == SR_oslar_el1 || sr == SR_pmswinc_el0) {
        a64_undefined(l); /* write-only */
    } else if (sr == SR_currentel) {
        a64_set_reg(l, ORYX_T_I64, f->t, a64_imm(l, ORYX_T_I64, A64_MODE_EL(l->mode) << 2));
    } else if (plain((unsigned)sr)) {
        a64_set_reg(l, ORYX_T_I64, f->t, oryx_get(l->ir, ORYX_T_I64, A64_OFF(sys) + 8u * (unsigned)sr));
    } else {
        oryx_val word = a64_imm(l, ORYX_T_I32, (unsigned)sr | f->t << 16);
        a64_set_reg(l, ORYX_T_I64, f->t, a64_call(l, A64_HELPER_sysreg_read, ORYX_T_I64, &word, 1));
    }
}

/* FPCR and FPSR trap as FP instructions do. */
static int fp_trapped(a64_lift *l)
{
    if (!(l->mode & A64_MODE_FPTRAP))
        return 0;
    a64_fp_trap(l);
    return 1;
}

ORYX_INSN(MSR_reg, "110101010001boookkkkllllpppttttt",
          "msr\t%sysreg((2 | b) << 14 | o << 11 | k << 7 | l << 3 | p, 1), %x(t)", BASE)
{
    oryx_val v;
    uint32_t id = register_id(f);
    if ((id == A64_SYS(3, 3, 4, 4, 0) || id == A64_SYS(3, 3, 4, 4, 1)) && fp_trapped(l))
        return;
    switch (id) {
    case A64_SYS(3, 3, 4, 2, 0): /* NZCV */
        write_nzcv(l, a64_reg(l, ORYX_T_I32, f->t));
        break;
    case A64_SYS(3, 3, 4, 4, 0): /* FPCR: what follows is lifted again under the new mode key */
        v = a64_imm(l, ORYX_T_I32, A64_FPCR_MASK | (l->features & A64_FEAT_FP16 ? A64_FPCR_FZ16 : 0));
        v = oryx_bin(l->ir, ORYX_OP_AND, ORYX_T_I32, a64_reg(l, ORYX_T_I32, f->t), v);
        oryx_put(l->ir, ORYX_T_I32, A64_OFF(fpcr), v);
        a64_btype_done(l);
        oryx_resync(l->ir, l->pc + 4);
        l->end = 1;
        break;
    case A64_SYS(3, 3, 4, 4, 1): /* FPSR */
        write_fpsr(l, a64_reg(l, ORYX_T_I32, f->t));
        break;
    case A64_SYS(3, 3, 13, 0, 2): /* TPIDR_EL0 */
        oryx_put(l->ir, ORYX_T_I64, A64_OFF(tpidr_el0), a64_reg(l, ORYX_T_I64, f->t));
        break;
    case A64_SYS(3, 3, 13, 0, 3): /* TPIDRRO_EL0 */
        if (A64_MODE_EL(l->mode))
            oryx_put(l->ir, ORYX_T_I64, A64_OFF(tpidrro_el0), a64_reg(l, ORYX_T_I64, f->t));
        else
            a64_undefined(l);
        break;
    default:
        if (whole(l))
            whole_write(l, f);
        else
            a64_undefined(l);
    }
}

ORYX_INSN(MRS, "110101010011boookkkkllllpppttttt",
          "mrs\t%x(t), %sysreg((2 | b) << 14 | o << 11 | k << 7 | l << 3 | p, 0)", BASE)
{
    uint32_t id = register_id(f);
    if ((id == A64_SYS(3, 3, 4, 4, 0) || id == A64_SYS(3, 3, 4, 4, 1)) && fp_trapped(l))
        return;
    switch (id) {
    case A64_SYS(3, 3, 4, 2, 0): /* NZCV */
        a64_set_reg(l, ORYX_T_I32, f->t, read_nzcv(l));
        return;
    case A64_SYS(3, 3, 4, 4, 0): /* FPCR */
        a64_set_reg(l, ORYX_T_I32, f->t, oryx_get(l->ir, ORYX_T_I32, A64_OFF(fpcr)));
        return;
    case A64_SYS(3, 3, 4, 4, 1): /* FPSR */
        a64_set_reg(l, ORYX_T_I32, f->t, read_fpsr(l));
        return;
    case A64_SYS(3, 3, 13, 0, 2): /* TPIDR_EL0 */
        a64_set_reg(l, ORYX_T_I64, f->t, oryx_get(l->ir, ORYX_T_I64, A64_OFF(tpidr_el0)));
        return;
    case A64_SYS(3, 3, 13, 0, 3): /* TPIDRRO_EL0 */
        a64_set_reg(l, ORYX_T_I64, f->t, oryx_get(l->ir, ORYX_T_I64, A64_OFF(tpidrro_el0)));
        return;
    default:
        break;
    }
    if (whole(l)) {
        whole_read(l, f);
        return;
    }
    switch (id) {
    case A64_SYS(3, 3, 0, 0, 1): /* CTR_EL0 */
        a64_set_reg(l, ORYX_T_I64, f->t, a64_imm(l, ORYX_T_I64, A64_CTR_EL0));
        return;
    case A64_SYS(3, 3, 0, 0, 7): /* DCZID_EL0 */
        a64_set_reg(l, ORYX_T_I64, f->t, a64_imm(l, ORYX_T_I64, A64_DCZID_EL0));
        return;
    case A64_SYS(3, 3, 14, 0, 0): /* CNTFRQ_EL0 */
        a64_set_reg(l, ORYX_T_I64, f->t, a64_imm(l, ORYX_T_I64, A64_CNTFRQ_EL0));
        return;
    case A64_SYS(3, 3, 14, 0, 2): /* CNTVCT_EL0 */
        a64_set_reg(l, ORYX_T_I64, f->t, a64_call(l, A64_HELPER_cntvct, ORYX_T_I64, NULL, 0));
        return;
    default:
        break;
    }
    /* Linux emulates reads of op0 3, op1 0, CRn 0: MIDR, MPIDR, REVIDR and CRm 2 to 7. */
    if ((id >> 7) == A64_SYS(3, 0, 0, 0, 0) >> 7 &&
        (f->l ? f->l >= 2 && f->l < 8 : f->p == 0 || f->p == 5 || f->p == 6))
        a64_set_reg(l, ORYX_T_I64, f->t, a64_imm(l, ORYX_T_I64, a64_id_register(l->model, id)));
    else
        a64_undefined(l);
}
