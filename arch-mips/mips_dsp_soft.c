/* DSP operations that need more than a few IR operations: fractional products, comparisons, packing with saturation, accumulators.
 *
 * Called by the helpers of the rows in mips_dsp_alu.c and mips_dsp_acc.c. Words are MD00374's pseudocode; what overflows sets its bit of
 * DSPControl.ouflag, which is never cleared here. */
#include "mips_dsp.h"
#include "mips_sys.h"

static void overflow(mips_state *s, unsigned bit)
{
    s->dsp |= 1u << bit;
}

static int64_t sx(uint64_t v, unsigned bits)
{
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static int64_t most(unsigned bits)
{
    return (int64_t)(((uint64_t)1 << (bits - 1)) - 1);
}

/* v in `bits` bits, signed; what does not fit sets the flag. */
static int64_t saturate(mips_state *s, int64_t v, unsigned bits, unsigned flag)
{
    if (v >= -most(bits) - 1 && v <= most(bits))
        return v;
    overflow(s, flag);
    return v < 0 ? -most(bits) - 1 : most(bits);
}

/* Twice the product of fractions, -1 times -1 saturated. */
static int64_t fraction(mips_state *s, int64_t a, int64_t b, unsigned bits, unsigned flag)
{
    if (a == -most(bits) - 1 && b == a) {
        overflow(s, flag);
        return most(2 * bits);
    }
    return a * b * 2;
}

/* --- lanes ------------------------------------------------------------------------------------------------------------------ */

static int64_t rounded_right(int64_t a, unsigned n)
{
    return n ? ((a >> (n - 1)) + 1) >> 1 : a;
}

static int64_t lane(mips_state *s, unsigned op, uint64_t a, uint64_t b, unsigned bits, unsigned amount)
{
    int64_t x = sx(a, bits), y = sx(b, bits), v;
    switch (op) {
    case DSP_SUBUH_R: return (int64_t)(a - b + 1) >> 1;
    case DSP_SUBQH_R: return (x - y + 1) >> 1;
    case DSP_MUL:
        saturate(s, x * y, bits, DSP_OU_MUL);
        return x * y;
    case DSP_MUL_S: return saturate(s, x * y, bits, DSP_OU_MUL);
    case DSP_MULQ_S: return fraction(s, x, y, bits, DSP_OU_MUL) >> bits;
    case DSP_MULQ_RS:
        v = fraction(s, x, y, bits, DSP_OU_MUL);
        return v == most(2 * bits) ? most(bits) : (v + ((int64_t)1 << (bits - 1))) >> bits;
    case DSP_SHLL:
        v = (int64_t)((uint64_t)x << amount);
        saturate(s, v, bits, DSP_OU_SHIFT);
        return v;
    case DSP_SHLL_S: return saturate(s, (int64_t)((uint64_t)x << amount), bits, DSP_OU_SHIFT);
    case DSP_SHLLU:
        if (a << amount >> bits)
            overflow(s, DSP_OU_SHIFT);
        return (int64_t)(a << amount);
    case DSP_SHRA: return x >> amount;
    case DSP_SHRA_R: return rounded_right(x, amount);
    default: return (int64_t)(a >> amount);
    }
}

/* --- whole registers ------------------------------------------------------------------------------------------------------------ */

static uint32_t byte(uint32_t v, unsigned i)
{
    return v >> 8 * i & 0xff;
}

static uint32_t half(uint32_t v, unsigned i)
{
    return v >> 16 * i & 0xffff;
}

static int32_t shalf(uint32_t v, unsigned i)
{
    return (int16_t)half(v, i);
}

/* kind: 0 equal, 1 less, 2 less or equal; n elements, signed halfwords when there are two. */
static uint32_t conditions(uint32_t a, uint32_t b, unsigned kind, unsigned n)
{
    uint32_t cc = 0;
    for (unsigned i = 0; i < n; i++) {
        int32_t x = n == 2 ? shalf(a, i) : (int32_t)byte(a, i), y = n == 2 ? shalf(b, i) : (int32_t)byte(b, i);
        cc |= (uint32_t)(kind == 0 ? x == y : kind == 1 ? x < y : x <= y) << i;
    }
    return cc;
}

static void set_ccond(mips_state *s, uint32_t cc, unsigned n)
{
    uint32_t mask = ((1u << n) - 1) << DSP_CCOND_SHIFT;
    s->dsp = (s->dsp & ~mask) | cc << DSP_CCOND_SHIFT;
}

static uint32_t pick(const mips_state *s, uint32_t a, uint32_t b, unsigned bits)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 32 / bits; i++)
        v |= (s->dsp >> (DSP_CCOND_SHIFT + i) & 1 ? a : b) & ((bits == 8 ? 0xffu : 0xffffu) << i * bits);
    return v;
}

/* Q15 to an unsigned byte. */
static uint32_t to_byte(mips_state *s, int32_t q)
{
    if (q < 0) {
        overflow(s, DSP_OU_SHIFT);
        return 0;
    }
    if (q > 0x7f80) {
        overflow(s, DSP_OU_SHIFT);
        return 0xff;
    }
    return (uint32_t)q >> 7;
}

static uint32_t to_half(mips_state *s, uint32_t q)
{
    return (uint32_t)(saturate(s, (int64_t)(int32_t)q + 0x8000, 32, DSP_OU_SHIFT) >> 16) & 0xffff;
}

static uint32_t muleu(mips_state *s, uint32_t bytes, uint32_t halves, unsigned left)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t p = byte(bytes, i + 2 * left) * half(halves, i);
        if (p > 0xffff) {
            overflow(s, DSP_OU_MUL);
            p = 0xffff;
        }
        v |= p << 16 * i;
    }
    return v;
}

static uint32_t whole(mips_state *s, unsigned op, uint32_t a, uint32_t b)
{
    uint32_t v;
    switch (op) {
    case DSP_ADDSC:
        v = a + b;
        s->dsp = (s->dsp & ~DSP_C) | (v < a ? DSP_C : 0);
        return v;
    case DSP_ADDWC: {
        int64_t sum = (int64_t)(int32_t)a + (int32_t)b + (s->dsp >> DSP_C_SHIFT & 1);
        saturate(s, sum, 32, DSP_OU_ADD);
        return (uint32_t)sum;
    }
    case DSP_MODSUB: return a ? a - (b & 0xff) : b >> 8 & 0xffff;
    case DSP_RADDU: return byte(a, 0) + byte(a, 1) + byte(a, 2) + byte(a, 3);
    case DSP_MULEU_L: return muleu(s, a, b, 1);
    case DSP_MULEU_R: return muleu(s, a, b, 0);
    case DSP_MULEQ_L: return (uint32_t)fraction(s, shalf(a, 1), shalf(b, 1), 16, DSP_OU_MUL);
    case DSP_MULEQ_R: return (uint32_t)fraction(s, shalf(a, 0), shalf(b, 0), 16, DSP_OU_MUL);
    case DSP_CMPU_EQ:
    case DSP_CMPU_LT:
    case DSP_CMPU_LE: set_ccond(s, conditions(a, b, op - DSP_CMPU_EQ, 4), 4); return 0;
    case DSP_CMPGU_EQ:
    case DSP_CMPGU_LT:
    case DSP_CMPGU_LE: return conditions(a, b, op - DSP_CMPGU_EQ, 4);
    case DSP_CMPGDU_EQ:
    case DSP_CMPGDU_LT:
    case DSP_CMPGDU_LE:
        v = conditions(a, b, op - DSP_CMPGDU_EQ, 4);
        set_ccond(s, v, 4);
        return v;
    case DSP_CMP_EQ:
    case DSP_CMP_LT:
    case DSP_CMP_LE: set_ccond(s, conditions(a, b, op - DSP_CMP_EQ, 2), 2); return 0;
    case DSP_PICK_QB: return pick(s, a, b, 8);
    case DSP_PICK_PH: return pick(s, a, b, 16);
    case DSP_PRECRQ_QB: return byte(a, 3) << 24 | byte(a, 1) << 16 | byte(b, 3) << 8 | byte(b, 1);
    case DSP_PRECR_QB: return byte(a, 2) << 24 | byte(a, 0) << 16 | byte(b, 2) << 8 | byte(b, 0);
    case DSP_PRECRQU_S:
        return to_byte(s, shalf(a, 1)) << 24 | to_byte(s, shalf(a, 0)) << 16 | to_byte(s, shalf(b, 1)) << 8 | to_byte(s, shalf(b, 0));
    case DSP_PRECRQ_RS: return to_half(s, a) << 16 | to_half(s, b);
    default: /* BITREV */
        v = 0;
        for (unsigned i = 0; i < 16; i++)
            v |= (b >> i & 1) << (15 - i);
        return v;
    }
}

uint32_t mips_helper_dsp(oryx_cpu *cpu, uint32_t a, uint32_t b, uint32_t code)
{
    mips_state *s = mips_state_of(cpu);
    unsigned op = code & 0xff, bits = code >> 8;
    uint64_t mask = (UINT64_C(1) << bits) - 1, v = 0;
    if (op >= DSP_WHOLE)
        return whole(s, op, a, b);
    for (unsigned i = 0; i < 32; i += bits)
        v |= ((uint64_t)lane(s, op, a >> i & mask, b >> i & mask, bits, b & (bits - 1)) & mask) << i;
    return (uint32_t)v;
}

/* --- accumulators ------------------------------------------------------------------------------------------------------------------ */

static uint64_t get_acc(const mips_state *s, unsigned ac)
{
    return s->hi[ac] << 32 | (uint32_t)s->lo[ac];
}

static void set_acc(oryx_cpu *cpu, unsigned ac, uint64_t v)
{
    mips_state *s = mips_state_of(cpu);
    bool wide = mips_width(cpu) == I64;
    s->hi[ac] = wide ? (uint64_t)((int64_t)v >> 32) : v >> 32;
    s->lo[ac] = wide ? (uint64_t)(int64_t)(int32_t)v : (uint32_t)v;
}

/* Two products of fractions of halfwords, the right one's sign and its operands exchanged where asked. */
static int64_t fractions(mips_state *s, uint32_t a, uint32_t b, unsigned flag, bool cross, bool minus)
{
    int64_t left = fraction(s, shalf(a, 1), shalf(b, !cross), 16, flag), right = fraction(s, shalf(a, 0), shalf(b, cross), 16, flag);
    return minus ? left - right : left + right;
}

static int64_t products(uint32_t a, uint32_t b, bool cross, bool minus)
{
    int64_t left = (int64_t)shalf(a, 1) * shalf(b, !cross), right = (int64_t)shalf(a, 0) * shalf(b, cross);
    return minus ? left - right : left + right;
}

static int64_t bytes_dot(uint32_t a, uint32_t b, unsigned left)
{
    unsigned i = 2 * left;
    return (int64_t)byte(a, i + 1) * byte(b, i + 1) + (int64_t)byte(a, i) * byte(b, i);
}

/* acc plus v in 64 bits with saturation. */
static uint64_t saturated_sum(mips_state *s, uint64_t acc, int64_t v, unsigned flag)
{
    int64_t sum;
    if (!__builtin_add_overflow((int64_t)acc, v, &sum))
        return (uint64_t)sum;
    overflow(s, flag);
    return v < 0 ? UINT64_C(1) << 63 : INT64_MAX;
}

/* acc plus v as a word: it overflows when bits 32 and 31 differ, and what is above them is dropped. */
static uint64_t word_sum(mips_state *s, uint64_t acc, int64_t v, unsigned flag)
{
    return (uint64_t)saturate(s, sx(acc + (uint64_t)v, 33), 32, flag);
}

void mips_helper_dsp_acc(oryx_cpu *cpu, uint32_t a, uint32_t b, uint32_t code)
{
    mips_state *s = mips_state_of(cpu);
    unsigned ac = code >> 8, flag = DSP_OU_ACC + ac;
    uint64_t acc = get_acc(s, ac);
    switch (code & 0xff) {
    case DSP_DPAU_L: acc += (uint64_t)bytes_dot(a, b, 1); break;
    case DSP_DPAU_R: acc += (uint64_t)bytes_dot(a, b, 0); break;
    case DSP_DPSU_L: acc -= (uint64_t)bytes_dot(a, b, 1); break;
    case DSP_DPSU_R: acc -= (uint64_t)bytes_dot(a, b, 0); break;
    case DSP_DPA: acc += (uint64_t)products(a, b, false, false); break;
    case DSP_DPS: acc -= (uint64_t)products(a, b, false, false); break;
    case DSP_DPAX: acc += (uint64_t)products(a, b, true, false); break;
    case DSP_DPSX: acc -= (uint64_t)products(a, b, true, false); break;
    case DSP_MULSA: acc += (uint64_t)products(a, b, false, true); break;
    case DSP_DPAQ_S: acc += (uint64_t)fractions(s, a, b, flag, false, false); break;
    case DSP_DPSQ_S: acc -= (uint64_t)fractions(s, a, b, flag, false, false); break;
    case DSP_DPAQX_S: acc += (uint64_t)fractions(s, a, b, flag, true, false); break;
    case DSP_DPSQX_S: acc -= (uint64_t)fractions(s, a, b, flag, true, false); break;
    case DSP_DPAQX_SA: acc = (uint64_t)saturate(s, (int64_t)(acc + (uint64_t)fractions(s, a, b, flag, true, false)), 32, flag); break;
    case DSP_DPSQX_SA: acc = (uint64_t)saturate(s, (int64_t)(acc - (uint64_t)fractions(s, a, b, flag, true, false)), 32, flag); break;
    case DSP_MULSAQ_S: acc += (uint64_t)fractions(s, a, b, flag, false, true); break;
    case DSP_DPAQ_SA_L:
    case DSP_DPSQ_SA_L: {
        bool top = a == 0x80000000u && b == a;
        int64_t v = top ? INT64_MAX : (int64_t)(int32_t)a * (int32_t)b * 2;
        if (top)
            overflow(s, flag);
        acc = saturated_sum(s, acc, (code & 0xff) == DSP_DPSQ_SA_L ? -v : v, flag);
        break;
    }
    case DSP_MAQ_S_L: acc += (uint64_t)fraction(s, shalf(a, 1), shalf(b, 1), 16, flag); break;
    case DSP_MAQ_S_R: acc += (uint64_t)fraction(s, shalf(a, 0), shalf(b, 0), 16, flag); break;
    case DSP_MAQ_SA_L: acc = word_sum(s, acc, fraction(s, shalf(a, 1), shalf(b, 1), 16, flag), flag); break;
    default: acc = word_sum(s, acc, fraction(s, shalf(a, 0), shalf(b, 0), 16, flag), flag); break;
    }
    set_acc(cpu, ac, acc);
}

/* n: the shift, or the size less one. A shifted word that does not fit sets the flag, rounded or not. */
uint32_t mips_helper_dsp_extract(oryx_cpu *cpu, uint32_t n, uint32_t code)
{
    mips_state *s = mips_state_of(cpu);
    int64_t acc = (int64_t)get_acc(s, code >> 8);
    unsigned op = code & 0xff;
    n &= 31;
    if (op <= DSP_EXTR_RS) {
        int64_t cut = acc >> n, up = n ? (cut + (acc >> (n - 1) & 1)) : cut;
        saturate(s, cut, 32, DSP_OU_EXTRACT);
        int64_t fits = saturate(s, up, 32, DSP_OU_EXTRACT);
        return (uint32_t)(op == DSP_EXTR ? cut : op == DSP_EXTR_R ? up : fits);
    }
    if (op == DSP_EXTR_S_H)
        return (uint32_t)saturate(s, acc >> n, 16, DSP_OU_EXTRACT);
    unsigned pos = s->dsp & DSP_POS;
    if (pos < n) { /* fewer bits are left than asked for */
        s->dsp |= DSP_EFI;
        return 0;
    }
    s->dsp &= ~DSP_EFI;
    if (op == DSP_EXTPDP)
        s->dsp = (s->dsp & ~DSP_POS) | ((pos - (n + 1)) & DSP_POS);
    return (uint32_t)((uint64_t)acc >> (pos - n)) & (uint32_t)((UINT64_C(2) << n) - 1);
}
