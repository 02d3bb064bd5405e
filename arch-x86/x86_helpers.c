/* Functions that IR calls: division of 128 bits, rotates through the carry, bit deposit, CRC-32C,
 * decimal arithmetic, EFLAGS, CPUID, segment loads. Rows are in x86_helpers.def. Invariant: those
 * marked P depend on nothing but their arguments. */
#include "x86_helpers.h"

static x86_state *state_of(oryx_cpu *cpu)
{
    return (x86_state *)(void *)cpu->state;
}

/* --- Division: dividend hi:lo
 * ------------------------------------------------------------------------------------------------
 */

typedef unsigned __int128 u128;
typedef __int128 s128;

uint32_t x86_div_overflow(uint64_t lo, uint64_t hi, uint64_t d)
{
    (void)lo;
    return hi >= d;
}

uint64_t x86_div_quotient(uint64_t lo, uint64_t hi, uint64_t d)
{
    return hi ? d ? (uint64_t)(((u128)hi << 64 | lo) / d) : 0 : d ? lo / d : 0;
}

uint64_t x86_div_remainder(uint64_t lo, uint64_t hi, uint64_t d)
{
    return hi ? d ? (uint64_t)(((u128)hi << 64 | lo) % d) : 0 : d ? lo % d : 0;
}

static uint64_t magnitude(uint64_t v)
{
    return (int64_t)v < 0 ? 0 - v : v;
}

/* Unsigned quotient and remainder of the magnitudes; false when even that overflows. */
static bool signed_parts(uint64_t lo, uint64_t hi, uint64_t d, u128 *q, uint64_t *r)
{
    u128 a = (u128)hi << 64 | lo;
    if ((int64_t)hi < 0)
        a = 0 - a;
    if (!d)
        return false;
    *q = a / magnitude(d);
    *r = (uint64_t)(a % magnitude(d));
    return true;
}

uint32_t x86_idiv_overflow(uint64_t lo, uint64_t hi, uint64_t d)
{
    u128 q;
    uint64_t r;
    if (!signed_parts(lo, hi, d, &q, &r))
        return 1;
    bool negative = ((int64_t)hi < 0) != ((int64_t)d < 0);
    return q > (u128)1 << 63 || (q == (u128)1 << 63 && !negative);
}

uint64_t x86_idiv_quotient(uint64_t lo, uint64_t hi, uint64_t d)
{
    u128 q = 0;
    uint64_t r;
    if (!signed_parts(lo, hi, d, &q, &r))
        return 0;
    return ((int64_t)hi < 0) != ((int64_t)d < 0) ? 0 - (uint64_t)q : (uint64_t)q;
}

uint64_t x86_idiv_remainder(uint64_t lo, uint64_t hi, uint64_t d)
{
    u128 q;
    uint64_t r = 0;
    if (!signed_parts(lo, hi, d, &q, &r))
        return 0;
    return (int64_t)hi < 0 ? 0 - r : r;
}

/* --- Rotates through the carry: what has the width in bits 0-7, the carry in bit 8
 * ----------------------------------------------- */

static u128 rotate(uint64_t a, uint32_t count, uint32_t what, bool left)
{
    unsigned width = what & 0xff, n = width + 1;
    u128 v = (u128)(what >> 8 & 1) << width | a, mask = ((u128)1 << n) - 1;
    count %= n;
    if (!left)
        count = (n - count) % n;
    return count ? (v << count | v >> (n - count)) & mask : v;
}

static uint64_t low_part(u128 v, uint32_t what)
{
    unsigned width = what & 0xff;
    return width == 64 ? (uint64_t)v : (uint64_t)v & (((uint64_t)1 << width) - 1);
}

uint64_t x86_rcl(uint64_t a, uint32_t count, uint32_t what)
{
    return low_part(rotate(a, count, what, true), what);
}

uint64_t x86_rcr(uint64_t a, uint32_t count, uint32_t what)
{
    return low_part(rotate(a, count, what, false), what);
}

uint32_t x86_rcl_carry(uint64_t a, uint32_t count, uint32_t what)
{
    return (uint32_t)(rotate(a, count, what, true) >> (what & 0xff)) & 1;
}

uint32_t x86_rcr_carry(uint64_t a, uint32_t count, uint32_t what)
{
    return (uint32_t)(rotate(a, count, what, false) >> (what & 0xff)) & 1;
}

/* --- Bits
 * ----------------------------------------------------------------------------------------------------------------------------
 */

uint64_t x86_pdep(uint64_t a, uint64_t mask)
{
    uint64_t v = 0;
    for (; mask; mask &= mask - 1, a >>= 1)
        if (a & 1)
            v |= mask & (0 - mask);
    return v;
}

uint64_t x86_pext(uint64_t a, uint64_t mask)
{
    uint64_t v = 0;
    for (unsigned n = 0; mask; mask &= mask - 1, n++)
        if (a & mask & (0 - mask))
            v |= (uint64_t)1 << n;
    return v;
}

/* Polynomial 11EDC6F41h, reflected. */
uint32_t x86_crc32(uint32_t crc, uint64_t data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        crc ^= (uint8_t)(data >> (8 * i));
        for (unsigned k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

/* --- Decimal: SDM 2A "AAA"..
 * ----------------------------------------------------------------------------------------------------------
 */

static uint32_t result_flags(uint8_t al)
{
    uint32_t f = __builtin_parity(al) ? 0 : X86_PF;
    return f | (al ? 0 : X86_ZF) | (al & 0x80 ? X86_SF : 0);
}

/* ax in, packed flags in; ax | flags << 16. what: AAA AAS DAA DAS. */
uint64_t x86_bcd(uint32_t what, uint32_t ax, uint32_t flags)
{
    uint8_t al = (uint8_t)ax, ah = (uint8_t)(ax >> 8), old = al;
    bool adjust = (al & 15) > 9 || flags & X86_AF, carry = flags & X86_CF;
    uint32_t f = 0;
    if (what < 2) { /* AAA, AAS */
        if (adjust) {
            uint16_t v = (uint16_t)(what ? ax - 0x106 : ax + 0x106);
            al = (uint8_t)v;
            ah = (uint8_t)(v >> 8);
            f = X86_AF | X86_CF;
        }
        al &= 15;
        return (uint64_t)(f | result_flags(al)) << 16 | (uint32_t)ah << 8 | al;
    }
    bool high = old > 0x99 || carry;
    if (adjust) {
        if (what == 3 && (al < 6 || carry))
            f |= X86_CF;
        al = (uint8_t)(what == 3 ? al - 6 : al + 6);
        f |= X86_AF;
    }
    if (high) {
        al = (uint8_t)(what == 3 ? al - 0x60 : al + 0x60);
        f |= X86_CF;
    }
    return (uint64_t)(f | result_flags(al)) << 16 | (uint32_t)ah << 8 | al;
}

/* --- EFLAGS
 * ------------------------------------------------------------------------------------------------------------------------------
 */

uint32_t x86_eflags(const x86_state *s)
{
    return s->eflags | (s->fl & X86_ARITH) | (s->fl & ORYX_FLAG_O ? X86_OF : 0) |
           (s->step == 1 ? 0 : X86_DF);
}

void x86_set_eflags(x86_state *s, uint32_t v)
{
    s->fl = (v & X86_ARITH) | (v & X86_OF ? ORYX_FLAG_O : 0);
    s->step = v & X86_DF ? ~(uint64_t)0 : 1;
    s->eflags = (v & ~(X86_ARITH | X86_OF | X86_DF)) | 2;
}

uint32_t x86_helper_eflags(oryx_cpu *cpu)
{
    return x86_eflags(state_of(cpu));
}

/* What a program of the lowest privilege may change; IF and IOPL stay silently. */
void x86_popf(oryx_cpu *cpu, uint32_t v, uint32_t mask)
{
    x86_state *s = state_of(cpu);
    uint32_t may = mask & (X86_ARITH | X86_OF | X86_DF | X86_TF | X86_NT | X86_AC | X86_ID);
    x86_set_eflags(s, (x86_eflags(s) & ~may & ~X86_RF) | (v & may));
}

/* --- Segments: user programs have the flat ones of Linux and what set_thread_area made
 * -------------------------------------------------------- */

void x86_load_segment(oryx_cpu *cpu, uint32_t seg, uint32_t selector)
{
    x86_seg *s = &state_of(cpu)->seg[seg];
    s->selector = (uint16_t)selector;
    if (!(selector & ~3u) || state_of(cpu)->mode == 2)
        s->base = 0;
}

/* --- Time, random numbers
 * ----------------------------------------------------------------------------------------------------------------------
 */

/* A virtual nanosecond is a tick: the clock that CPUID names has 1 GHz. */
uint64_t x86_rdtsc(oryx_cpu *cpu)
{
    return x86_host->machine_vtime(cpu->machine) + state_of(cpu)->tsc_offset;
}

/* splitmix64: the same numbers in every run. */
uint64_t x86_random(oryx_cpu *cpu)
{
    uint64_t z = state_of(cpu)->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* --- MXCSR: its sticky flags are cpu->fp.flags, in the same order but for the denormal operand ------------------------------------------ */

static uint32_t to_mxcsr(uint32_t flags)
{
    return (flags & ORYX_FPF_INVALID) | (flags & 0x1e) << 1 | (flags & ORYX_FPF_DENORMAL ? 2 : 0);
}

void x86_ldmxcsr(oryx_cpu *cpu, uint32_t v)
{
    state_of(cpu)->mxcsr = v & ~0x3fu;
    cpu->fp.flags = (v & 1) | (v >> 1 & 0x1e) | (v & 2 ? ORYX_FPF_DENORMAL : 0);
}

uint32_t x86_stmxcsr(oryx_cpu *cpu, uint32_t flags)
{
    return state_of(cpu)->mxcsr | to_mxcsr(flags);
}
