/* Pointer authentication: QARMA5, the rows of C4.1.90 (data-processing, one source: PACIA.. XPAC; PACGA), LDRAA and LDRAB, the
 * combined branches (BRAA.., RETAA, ERETAA), and what the hint space does. DDI 0487, D8.10 and the shared pseudocode
 * ComputePAC, AddPAC, Auth, Strip.
 *
 * Called through the decode tables; the helpers by generated code. On a user-level CPU none of it is there (a64_id.c), and the
 * hints are NOPs. */
#include "a64_sys.h"
#include "a64_text.h"

/* --- QARMA5: cells of four bits, cell 0 the highest ------------------------------------------------------------------- */

static const uint8_t cell_order[16] = { 0, 11, 6, 13, 10, 1, 12, 7, 5, 14, 3, 8, 15, 4, 9, 2 };
static const uint8_t tweak_order[16] = { 6, 5, 14, 15, 0, 1, 2, 3, 7, 12, 13, 4, 8, 9, 10, 11 };
#define TWEAK_ROTATED 0x291bu /* cells 0 1 3 4 8 11 13 */
static const uint8_t sub[16] = { 11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10 };
static const uint8_t inverse_sub[16] = { 5, 14, 13, 8, 10, 11, 1, 9, 2, 6, 15, 0, 4, 12, 7, 3 };

static unsigned cell(uint64_t v, unsigned n)
{
    return v >> (60 - 4 * n) & 15;
}

static uint64_t put_cell(unsigned v, unsigned n)
{
    return (uint64_t)v << (60 - 4 * n);
}

static uint64_t shuffle(uint64_t v)
{
    uint64_t to = 0;
    for (unsigned i = 0; i < 16; i++)
        to |= put_cell(cell(v, cell_order[i]), i);
    return to;
}

static uint64_t inverse_shuffle(uint64_t v)
{
    uint64_t to = 0;
    for (unsigned i = 0; i < 16; i++)
        to |= put_cell(cell(v, i), cell_order[i]);
    return to;
}

static uint64_t substitute(uint64_t v, const uint8_t box[16])
{
    uint64_t to = 0;
    for (unsigned i = 0; i < 16; i++)
        to |= put_cell(box[cell(v, i)], i);
    return to;
}

static unsigned rotated(unsigned v, unsigned by)
{
    return (v << by | v >> (4 - by)) & 15;
}

/* The matrix circ(0, 1, 2, 1) of rotations on each column of four cells. */
static uint64_t multiply(uint64_t v)
{
    uint64_t to = 0;
    for (unsigned column = 0; column < 4; column++)
        for (unsigned row = 0; row < 4; row++)
            to |= put_cell(rotated(cell(v, column + 4 * ((row + 1) & 3)), 1) ^ rotated(cell(v, column + 4 * ((row + 2) & 3)), 2) ^
                               rotated(cell(v, column + 4 * ((row + 3) & 3)), 1), column + 4 * row);
    return to;
}

static uint64_t tweak(uint64_t v)
{
    uint64_t to = 0;
    for (unsigned i = 0; i < 16; i++) {
        unsigned c = cell(v, tweak_order[i]);
        if (TWEAK_ROTATED >> i & 1)
            c = c >> 1 | ((c ^ c >> 1) & 1) << 3;
        to |= put_cell(c, i);
    }
    return to;
}

static uint64_t inverse_tweak(uint64_t v)
{
    uint64_t to = 0;
    for (unsigned i = 0; i < 16; i++) {
        unsigned c = cell(v, i);
        if (TWEAK_ROTATED >> i & 1)
            c = (c << 1 & 15) | ((c ^ c >> 3) & 1);
        to |= put_cell(c, tweak_order[i]);
    }
    return to;
}

static uint64_t compute_pac(uint64_t data, uint64_t modifier, uint64_t key0, uint64_t key1)
{
    static const uint64_t rc[5] = { 0, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89, 0x452821e638d01377 };
    /* Bit 0, bits 63..2, and bit 63 xor bit 1. */
    uint64_t modk0 = key0 << 63 | (key0 >> 2) << 1 | ((key0 >> 63 ^ key0 >> 1) & 1);
    uint64_t mod = modifier, v = data ^ key0;
    for (unsigned i = 0; i < 5; i++) {
        v ^= key1 ^ mod ^ rc[i];
        if (i)
            v = multiply(shuffle(v));
        v = substitute(v, sub);
        mod = tweak(mod);
    }
    v = substitute(multiply(shuffle(v ^ modk0 ^ mod)), sub);
    v = multiply(shuffle(v)) ^ key1;
    v = multiply(substitute(inverse_shuffle(v), inverse_sub));
    v = inverse_shuffle(v) ^ key0 ^ mod;
    for (unsigned i = 0; i < 5; i++) {
        v = substitute(v, inverse_sub);
        if (i < 4)
            v = inverse_shuffle(multiply(v));
        mod = inverse_tweak(mod);
        v ^= rc[4 - i] ^ key1 ^ mod ^ UINT64_C(0xc0ac29b7c97c50dd);
    }
    return v ^ modk0;
}

/* --- where the code stands in a pointer ---------------------------------------------------------------------------------- */

typedef struct layout {
    unsigned top;    /* highest bit of the field: 55 with tags, 63 without */
    unsigned bottom; /* lowest */
    int tagged, two; /* two: the regime has an upper range */
} layout;

static layout layout_of(const a64_state *s, unsigned el, int upper)
{
    unsigned regime = a64_regime(el);
    uint64_t tcr = SYS_EL(s, tcr, regime);
    unsigned tsz = tcr >> (regime == 1 && upper ? 16 : 0) & 63;
    layout l = { .two = regime == 1 };
    l.tagged = regime == 1 ? tcr >> (upper ? 38 : 37) & 1 : tcr >> 20 & 1;
    l.top = l.tagged ? 55 : 63;
    l.bottom = 64 - (tsz < 16 ? 16 : tsz > 39 ? 39 : tsz);
    return l;
}

static uint64_t ones(unsigned high, unsigned low)
{
    return (UINT64_MAX >> (63 - high)) & (UINT64_MAX << low);
}

/* ptr with its field replaced by copies of bit 55 (or of select). */
static uint64_t extended(uint64_t ptr, layout l, int select)
{
    uint64_t field = ones(l.top, l.bottom);
    return select ? ptr | field : ptr & ~field;
}

/* Which half ptr belongs to before it is signed: AddPAC. */
static int half(const a64_state *s, unsigned el, uint64_t ptr)
{
    uint64_t tcr = s->sys[SR_tcr_el1];
    if (a64_regime(el) == 1)
        return tcr >> 37 & 3 ? ptr >> 55 & 1 : ptr >> 63;
    return layout_of(s, el, 0).tagged ? ptr >> 55 & 1 : ptr >> 63;
}

static uint64_t add_pac(const a64_state *s, uint64_t ptr, uint64_t modifier, const uint64_t *key)
{
    unsigned el = a64_el(s);
    int select = half(s, el, ptr);
    layout l = layout_of(s, el, select);
    uint64_t field = ones(l.top, l.bottom), pac = compute_pac(extended(ptr, l, select), modifier, key[1], key[0]);
    if ((ptr & field) && (ptr & field) != field)
        pac ^= UINT64_C(1) << (l.top - 1); /* bad extension bits: the code is spoilt */
    field &= ~(UINT64_C(1) << 55);
    return (ptr & ~field & ~(UINT64_C(1) << 55)) | (pac & field) | (uint64_t)(unsigned)select << 55;
}

static uint64_t authenticate(const a64_state *s, uint64_t ptr, uint64_t modifier, const uint64_t *key, unsigned b)
{
    unsigned el = a64_el(s);
    int select = ptr >> 55 & 1;
    layout l = layout_of(s, el, select);
    uint64_t plain = extended(ptr, l, select), field = ones(l.top, l.bottom) & ~(UINT64_C(1) << 55);
    uint64_t pac = compute_pac(plain, modifier, key[1], key[0]), code = b ? 2 : 1;
    if (!((pac ^ ptr) & field))
        return plain;
    unsigned at = l.tagged ? 53 : 61;
    return (plain & ~(UINT64_C(3) << at)) | code << at;
}

/* word: key (IA IB DA DB) in bits 0 and 1; 4 authenticate, 8 strip, 16 PACGA. */
enum { PAC_AUTH = 4, PAC_STRIP = 8, PAC_GENERIC = 16 };

uint64_t a64_helper_pac(oryx_cpu *cpu, uint64_t ptr, uint64_t modifier, uint32_t word)
{
    static const uint8_t enable[4] = { 31, 30, 27, 13 };
    static const uint8_t keys[4] = { SR_apiakeylo_el1, SR_apibkeylo_el1, SR_apdakeylo_el1, SR_apdbkeylo_el1 };
    const a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s), key = word & 3;
    if (word & PAC_STRIP)
        return extended(ptr, layout_of(s, el, ptr >> 55 & 1), ptr >> 55 & 1);
    if (!(word & PAC_GENERIC) && !(SYS_EL(s, sctlr, a64_regime(el)) >> enable[key] & 1))
        return ptr;
    unsigned to = 0;
    if (el < 2 && a64_el2_on(s) && !(s->sys[SR_hcr_el2] & HCR_API))
        to = 2;
    else if (el < 3 && s->level == 3 && !(s->sys[SR_scr_el3] & SCR_API))
        to = 3;
    if (to) {
        a64_raise_trap(cpu, to, ESR(0x09));
        return 0;
    }
    if (word & PAC_GENERIC)
        return compute_pac(ptr, modifier, s->sys[SR_apgakeyhi_el1], s->sys[SR_apgakeylo_el1]) & UINT64_C(0xffffffff00000000);
    const uint64_t *k = &s->sys[keys[key]];
    return word & PAC_AUTH ? authenticate(s, ptr, modifier, k, key & 1) : add_pac(s, ptr, modifier, k);
}
_Static_assert(SR_apiakeyhi_el1 == SR_apiakeylo_el1 + 1 && SR_apdbkeyhi_el1 == SR_apdbkeylo_el1 + 1, "a key is two rows in order");

/* --- instructions --------------------------------------------------------------------------------------------------------- */

oryx_val a64_pac(a64_lift *l, oryx_val ptr, oryx_val modifier, uint32_t word)
{
    oryx_val args[3] = { ptr, modifier, a64_imm(l, ORYX_T_I32, word) };
    return a64_call(l, A64_HELPER_pac, ORYX_T_I64, args, 3);
}

static oryx_val x(a64_lift *l, unsigned n)
{
    return a64_reg(l, ORYX_T_I64, n);
}

ORYX_INSN(PAC, "110110101100000100zaeknnnnnddddd",
          "[!z || n == 31] {z} %?(a){aut}{pac}%?(e){d}{i}z%?(k){b}{a}\t%x(d) ;; "
          "%?(a){aut}{pac}%?(e){d}{i}%?(k){b}{a}\t%x(d), %xsp(n)", PAUTH)
{
    oryx_val modifier = f->z ? a64_imm(l, ORYX_T_I64, 0) : a64_reg_sp(l, ORYX_T_I64, f->n);
    a64_set_reg(l, ORYX_T_I64, f->d, a64_pac(l, x(l, f->d), modifier, f->e * 2 + f->k + f->a * PAC_AUTH));
}

ORYX_INSN(XPAC, "110110101100000101000e11111ddddd", "xpac%?(e){d}{i}\t%x(d)", PAUTH)
{
    a64_set_reg(l, ORYX_T_I64, f->d, a64_pac(l, x(l, f->d), a64_imm(l, ORYX_T_I64, 0), f->e * 2 | PAC_STRIP));
}

ORYX_INSN(PACGA, "10011010110mmmmm001100nnnnnddddd", "pacga\t%x(d), %x(n), %xsp(m)", PAUTH)
{
    a64_set_reg(l, ORYX_T_I64, f->d, a64_pac(l, x(l, f->n), a64_reg_sp(l, ORYX_T_I64, f->m), PAC_GENERIC));
}

ORYX_INSN(LDRA, "11111000ks1iiiiiiiiiw1nnnnnttttt",
          "ldra%?(k){b}{a}\t%x(t), [%xsp(n)%imm(a64_sx(s << 9 | i, 10) * 8)]%?(w){!}", PAUTH)
{
    oryx_val base = a64_pac(l, a64_reg_sp(l, ORYX_T_I64, f->n), a64_imm(l, ORYX_T_I64, 0), (2 + f->k) | PAC_AUTH);
    uint64_t offset = (uint64_t)(a64_sx(f->s << 9 | f->i, 10) * 8);
    oryx_val addr = oryx_bin(l->ir, ORYX_OP_ADD, ORYX_T_I64, base, a64_imm(l, ORYX_T_I64, offset));
    oryx_val v = oryx_load(l->ir, ORYX_T_I64, addr, ORYX_MO_64);
    if (f->w)
        a64_set_reg_sp(l, ORYX_T_I64, f->n, addr);
    if (!f->w || f->t != f->n || f->n == 31)
        a64_set_reg(l, ORYX_T_I64, f->t, v);
}

/* The hint space: 7 XPACLRI; 8 to 14 on X17 with X16; 24 to 31 on X30 with zero or SP. */
void a64_pac_hint(a64_lift *l, unsigned hint)
{
    unsigned reg = hint < 16 ? 17 : 30, key = hint >> 1 & 1, auth = hint >> 2 & 1;
    if (hint == 7) {
        a64_set_reg(l, ORYX_T_I64, 30, a64_pac(l, x(l, 30), a64_imm(l, ORYX_T_I64, 0), PAC_STRIP));
        return;
    }
    if (hint < 8 || hint > 31 || (hint > 14 && hint < 24) || (hint < 16 && hint & 1))
        return;
    oryx_val modifier = hint < 16 ? x(l, 16) : hint & 1 ? a64_reg_sp(l, ORYX_T_I64, 31) : a64_imm(l, ORYX_T_I64, 0);
    a64_set_reg(l, ORYX_T_I64, reg, a64_pac(l, x(l, reg), modifier, key | auth * PAC_AUTH));
}
