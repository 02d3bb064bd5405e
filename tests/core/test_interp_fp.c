/* engine-interp: floating point.
 *
 * Oracles: the host's SSE unit (all rounding modes, FTZ, DAZ, flags; NaNs under the x86 rule) on patterns around every
 * boundary; for Arm's own rules the cases of the Arm manual's pseudocode (FPProcessNaNs, FPMulAdd, FPMulX, FPMaxNum, FPRound,
 * FPToFixed, FPConvert) written out; underflow before rounding and half precision by exact arithmetic in the test. */
#include <math.h>

#include "interp_rig.h"

#define I ORYX_FPF_INVALID
#define Z ORYX_FPF_DIVZERO
#define O ORYX_FPF_OVERFLOW
#define U ORYX_FPF_UNDERFLOW
#define X ORYX_FPF_INEXACT
#define D ORYX_FPF_DENORMAL

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}

/* A pattern near something interesting. */
static uint64_t pattern(int wide)
{
    uint64_t r = rnd(), frac = wide ? 52 : 23, top = wide ? 2047 : 255, e, f, mask = (1ull << frac) - 1;
    switch (r & 15) {
    case 0: e = 0; break;
    case 1: e = 1; break;
    case 2: e = top; break;
    case 3: e = top - 1; break;
    case 4: case 5: e = top / 2 + (r >> 8 & 63) - 32; break;
    case 6: e = frac + (r >> 8 & 7); break;
    case 7: case 8: e = top / 2 - top / 4 + (r >> 8 & 3); break; /* squares near the least normal */
    case 9: e = top / 2 + (r >> 8 & 3) - 1; break;
    default: e = rnd() % top; break;
    }
    switch (r >> 32 & 7) {
    case 0: f = 0; break;
    case 1: f = 1; break;
    case 2: f = mask; break;
    case 3: f = 1ull << (r >> 40) % frac; break;
    case 4: f = mask ^ 1ull << (r >> 40) % frac; break;
    case 5: f = rnd() & mask & ~0ull << (r >> 40) % frac; break;
    default: f = rnd() & mask; break;
    }
    return (r >> 63) << (wide ? 63 : 31) | (e & top) << frac | f;
}

/* A block that applies op to registers 0, 1, 2 and leaves the result in 3. */
static void unit(rig *r, oryx_tb *tb, unsigned op, unsigned type, unsigned lane, unsigned from, uint64_t imm)
{
    oryx_ir *ir = rig_begin(r, 0x1000);
    rig_insn(r, 0x1000);
    oryx_val a = oryx_get(ir, from, REG(0)), b = 0, c = 0;
    if (op != ORYX_OP_FSQRT && op != ORYX_OP_FROUND && op != ORYX_OP_FCVT && op != ORYX_OP_FTOI && op != ORYX_OP_ITOF)
        b = oryx_get(ir, from, REG(1));
    if (op == ORYX_OP_FMA)
        c = oryx_get(ir, from, REG(2));
    oryx_put(ir, op == ORYX_OP_FLFCMP ? ORYX_T_FL : type, REG(3), oryx_ir_emit(ir, op, type, lane, a, b, c, imm));
    oryx_goto(ir, 0x1004, 0);
    rig_compile(r, tb);
}

static uint64_t run(rig *r, oryx_tb *tb, uint64_t a, uint64_t b, uint64_t c)
{
    set_reg(r, 0, a, 0);
    set_reg(r, 1, b, 0);
    set_reg(r, 2, c, 0);
    set_reg(r, 3, 0, 0);
    r->cpu->slice.left = 1;
    assert_int_equal(rig_enter(r, tb), ORYX_LEAVE_LINK);
    return get_reg(r, 3).lo;
}

/* --- against SSE ------------------------------------------------------------------------------------------------------ */
#if defined(__x86_64__)
static uint32_t csr_for(const oryx_fpenv *e)
{
    static const uint32_t rc[4] = { 0, 2, 1, 3 }; /* nearest, up, down, zero */
    return 0x1f80u | rc[e->rounding] << 13 | (e->flush_out ? 0x8000u : 0) | (e->flush_in ? 0x40u : 0);
}

static uint32_t flags_from(uint32_t csr)
{
    return (csr & 1 ? I : 0) | (csr & 4 ? Z : 0) | (csr & 8 ? O : 0) | (csr & 16 ? U : 0) | (csr & 32 ? X : 0);
}

#define SSE2(insn)                                                                                                    \
    __asm__ volatile("ldmxcsr %3\n\t" insn " %2, %0\n\tstmxcsr %1\n\tldmxcsr %4"                                      \
                     : "+x"(x), "=m"(out) : "x"(y), "m"(csr), "m"(dflt))
#define CASES(s)                                                                                                      \
    switch (op) {                                                                                                     \
    case ORYX_OP_FADD: SSE2("adds" s); break;                                                                         \
    case ORYX_OP_FSUB: SSE2("subs" s); break;                                                                         \
    case ORYX_OP_FMUL: SSE2("muls" s); break;                                                                         \
    case ORYX_OP_FDIV: SSE2("divs" s); break;                                                                         \
    case ORYX_OP_FSQRT: y = x; SSE2("sqrts" s); break;                                                                \
    default:                                                                                                          \
        __asm__ volatile("ldmxcsr %4\n\tvfmadd213s" s " %3, %2, %0\n\tstmxcsr %1\n\tldmxcsr %5"                       \
                         : "+x"(x), "=m"(out) : "x"(y), "x"(z), "m"(csr), "m"(dflt));                                 \
        break;                                                                                                        \
    }

static uint64_t host(unsigned op, int wide, uint64_t a, uint64_t b, uint64_t c, const oryx_fpenv *e, uint32_t *flags)
{
    uint32_t csr = csr_for(e), dflt = 0x1f80, out = 0;
    uint64_t res = 0;
    if (wide) {
        double x, y, z;
        memcpy(&x, &a, 8);
        memcpy(&y, &b, 8);
        memcpy(&z, &c, 8);
        CASES("d")
        memcpy(&res, &x, 8);
    } else {
        float x, y, z;
        memcpy(&x, &a, 4);
        memcpy(&y, &b, 4);
        memcpy(&z, &c, 4);
        CASES("s")
        memcpy(&res, &x, 4);
    }
    *flags = flags_from(out);
    return res;
}

static int nan_bits(uint64_t v, int wide)
{
    return wide ? (v & ~0ull >> 1) > 0x7ff0000000000000 : (v & 0x7fffffff) > 0x7f800000;
}

static void against_host(void **st)
{
    static const uint16_t ops[] = { ORYX_OP_FADD, ORYX_OP_FSUB, ORYX_OP_FMUL, ORYX_OP_FDIV, ORYX_OP_FSQRT, ORYX_OP_FMA };
    (void)st;
    rig *r = rig_new(1);
    for (unsigned k = 0; k < 6; k++) {
        if (ops[k] == ORYX_OP_FMA && !__builtin_cpu_supports("fma"))
            continue;
        for (int wide = 0; wide < 2; wide++) {
            oryx_tb tb;
            unsigned type = wide ? ORYX_T_F64 : ORYX_T_F32;
            unit(r, &tb, ops[k], type, type, type, 0);
            for (unsigned n = 0; n < 60000; n++) {
                oryx_fpenv *e = &r->cpu->fp;
                uint64_t a = pattern(wide), b = pattern(wide), c = pattern(wide);
                uint32_t want_flags, sticky = n & 64 ? X : 0;
                *e = (oryx_fpenv){ .rounding = n & 3, .flush_out = n >> 2 & 1, .flush_in = n >> 3 & 1, .nan_rule = ORYX_NAN_X86 };
                if (n & 16)
                    *e = (oryx_fpenv){ .nan_rule = ORYX_NAN_X86 }; /* the common environment: host fast path */
                e->flags = sticky;
                uint64_t want = host(ops[k], wide, a, b, c, e, &want_flags), got = run(r, &tb, a, b, c);
                uint32_t flags = e->flags & ~D;
                if (ops[k] == ORYX_OP_FMA && nan_bits(want, wide)) {
                    assert_true(nan_bits(got, wide)); /* which NaN is not the same rule */
                    continue;
                }
                if (got != want || flags != (want_flags | sticky))
                    fail_msg("op %u f%d %llx %llx %llx rm %u fz %u daz %u: %llx flags %x, host %llx flags %x", ops[k],
                             wide ? 64 : 32, (unsigned long long)a, (unsigned long long)b, (unsigned long long)c, e->rounding,
                             e->flush_out, e->flush_in, (unsigned long long)got, flags, (unsigned long long)want, want_flags);
            }
            r->ops->discard(r->engine, &tb);
        }
    }
    rig_free(r);
}
#endif

/* --- Arm's rules, written out ----------------------------------------------------------------------------------------- */
enum { FZ = 1, DN = 2, UP = 4, DOWN = 8, ZERO = 16, AHP = 32 };

static void arm_env(rig *r, unsigned how)
{
    r->cpu->fp = (oryx_fpenv){ .rounding = how & UP ? ORYX_RM_UP : how & DOWN ? ORYX_RM_DOWN : how & ZERO ? ORYX_RM_ZERO : 0,
                               .flush_in = how & FZ, .flush_out = how & FZ, .default_nan = !!(how & DN), .tiny_before = 1,
                               .alt_half = !!(how & AHP), .nan_rule = ORYX_NAN_ARM };
}

#define SN1   0x7f800001u /* signalling */
#define SN2   0xff812345u
#define QN1   0x7fc00011u
#define QN2   0xffc54321u
#define QUIET 0x00400000u
#define DNAN  0x7fc00000u
#define INF   0x7f800000u
#define NEG   0x80000000u
#define ONE   0x3f800000u
#define TWO   0x40000000u
#define DEN   0x00000001u
#define MIN   0x00800000u
#define MAX   0x7f7fffffu

static void arm_table(void **st)
{
    static const struct {
        uint16_t op, how;
        uint32_t a, b, c, want, flags;
    } t[] = {
        /* FPProcessNaNs: signalling before quiet, then operand order; DN */
        { ORYX_OP_FADD, 0, QN1, SN2, 0, SN2 | QUIET, I },
        { ORYX_OP_FADD, 0, SN1, SN2, 0, SN1 | QUIET, I },
        { ORYX_OP_FADD, 0, QN1, QN2, 0, QN1, 0 },
        { ORYX_OP_FADD, 0, ONE, QN2, 0, QN2, 0 },
        { ORYX_OP_FMUL, DN, QN1, ONE, 0, DNAN, 0 },
        { ORYX_OP_FSUB, DN, ONE, SN2, 0, DNAN, I },
        { ORYX_OP_FSUB, 0, ONE, QN1, 0, QN1, 0 }, /* the sign of a NaN operand of a subtraction stays */
        { ORYX_OP_FADD, 0, INF, INF | NEG, 0, DNAN, I },
        { ORYX_OP_FSUB, 0, INF, INF, 0, DNAN, I },
        { ORYX_OP_FDIV, 0, 0, NEG, 0, DNAN, I },
        { ORYX_OP_FDIV, 0, INF, INF, 0, DNAN, I },
        { ORYX_OP_FDIV, 0, ONE, NEG, 0, INF | NEG, Z },
        { ORYX_OP_FDIV, 0, INF, 0, 0, INF, 0 },
        { ORYX_OP_FSQRT, 0, ONE | NEG, 0, 0, DNAN, I },
        { ORYX_OP_FSQRT, 0, NEG, 0, 0, NEG, 0 },
        { ORYX_OP_FSQRT, 0, SN1, 0, 0, SN1 | QUIET, I },
        /* exact zero sums */
        { ORYX_OP_FSUB, 0, ONE, ONE, 0, 0, 0 },
        { ORYX_OP_FSUB, DOWN, ONE, ONE, 0, NEG, 0 },
        { ORYX_OP_FADD, 0, NEG, NEG, 0, NEG, 0 },
        { ORYX_OP_FADD, UP, NEG, 0, 0, 0, 0 },
        { ORYX_OP_FADD, DOWN, NEG, 0, 0, NEG, 0 },
        /* flush to zero: inputs set IDC only, outputs set UFC only, before rounding */
        { ORYX_OP_FADD, FZ, DEN, DEN, 0, 0, D },
        { ORYX_OP_FADD, FZ, DEN | NEG, DEN | NEG, 0, NEG, D },
        { ORYX_OP_FADD, FZ, DEN, QN1, 0, QN1, D },
        { ORYX_OP_FADD, 0, DEN, DEN, 0, 2, 0 },
        { ORYX_OP_FMUL, FZ, MIN, 0x3f000000, 0, 0, U },
        { ORYX_OP_FMUL, FZ, MIN, 0xbf000000, 0, NEG, U },
        { ORYX_OP_FMUL, 0, MIN, 0x3f000000, 0, 0x00400000, 0 },
        { ORYX_OP_FMUL, FZ | UP, 0x00ffffff, 0x3f000000, 0, 0, U }, /* 1.99..9 * 2^-127: would round to the least normal */
        { ORYX_OP_FMUL, 0, 0x00ffffff, 0x3f000000, 0, MIN, U | X },
        { ORYX_OP_FMUL, 0, 0x3f800001, 0x007fffff, 0, MIN, U | X }, /* tiny before rounding, normal after */
        { ORYX_OP_FMUL, 0, DEN, DEN, 0, 0, U | X },
        { ORYX_OP_FMUL, UP, DEN, DEN, 0, DEN, U | X },
        { ORYX_OP_FMUL, 0, MAX, MAX, 0, INF, O | X },
        { ORYX_OP_FMUL, ZERO, MAX, MAX, 0, MAX, O | X },
        { ORYX_OP_FMUL, DOWN, MAX, MAX | NEG, 0, INF | NEG, O | X },
        { ORYX_OP_FMUL, UP, MAX, MAX | NEG, 0, MAX | NEG, O | X },
        /* FPMulX */
        { ORYX_OP_FMULX, 0, INF, 0, 0, TWO, 0 },
        { ORYX_OP_FMULX, 0, NEG, INF, 0, TWO | NEG, 0 },
        { ORYX_OP_FMULX, FZ, INF | NEG, DEN, 0, TWO | NEG, D },
        { ORYX_OP_FMULX, 0, INF, SN1, 0, SN1 | QUIET, I },
        { ORYX_OP_FMUL, 0, INF, 0, 0, DNAN, I },
        /* FPMulAdd: the addend first among NaNs, 0 * inf with a quiet addend is the default NaN */
        { ORYX_OP_FMA, 0, QN1, ONE, QN2, QN2, 0 },
        { ORYX_OP_FMA, 0, SN1, ONE, QN2, SN1 | QUIET, I },
        { ORYX_OP_FMA, 0, SN1, SN1, SN2, SN2 | QUIET, I },
        { ORYX_OP_FMA, 0, ONE, QN1, ONE, QN1, 0 },
        { ORYX_OP_FMA, 0, 0, INF, QN2, DNAN, I },
        { ORYX_OP_FMA, 0, INF, NEG, QN2, DNAN, I },
        { ORYX_OP_FMA, 0, 0, INF, SN2, SN2 | QUIET, I },
        { ORYX_OP_FMA, 0, 0, INF, ONE, DNAN, I },
        { ORYX_OP_FMA, 0, INF, ONE, INF | NEG, DNAN, I },
        { ORYX_OP_FMA, 0, 0, ONE, NEG, 0, 0 },
        { ORYX_OP_FMA, DOWN, 0, ONE, NEG, NEG, 0 },
        { ORYX_OP_FMA, 0, NEG, ONE, NEG, NEG, 0 },
        { ORYX_OP_FMA, DOWN, ONE, ONE, ONE | NEG, NEG, 0 },
        { ORYX_OP_FMA, FZ, ONE, ONE, DEN, ONE, D },
        /* minimum, maximum */
        { ORYX_OP_FMIN, 0, 0, NEG, 0, NEG, 0 },
        { ORYX_OP_FMIN, 0, NEG, 0, 0, NEG, 0 },
        { ORYX_OP_FMAX, 0, NEG, 0, 0, 0, 0 },
        { ORYX_OP_FMAX, 0, ONE, QN1, 0, QN1, 0 },
        { ORYX_OP_FMAX, 0, SN1, ONE, 0, SN1 | QUIET, I },
        { ORYX_OP_FMAX, 0, INF | NEG, ONE | NEG, 0, ONE | NEG, 0 },
        { ORYX_OP_FMIN, FZ, DEN, ONE, 0, 0, D },
        { ORYX_OP_FMAX, FZ, DEN | NEG, ONE | NEG, 0, NEG, D },
        { ORYX_OP_FMINNM, 0, QN1, ONE, 0, ONE, 0 },
        { ORYX_OP_FMINNM, 0, ONE, QN1, 0, ONE, 0 },
        { ORYX_OP_FMAXNM, 0, QN1, INF | NEG, 0, INF | NEG, 0 },
        { ORYX_OP_FMAXNM, 0, QN1, QN2, 0, QN1, 0 },
        { ORYX_OP_FMAXNM, 0, QN1, SN2, 0, SN2 | QUIET, I },
        { ORYX_OP_FMINNM, 0, SN1, ONE, 0, SN1 | QUIET, I },
        { ORYX_OP_FMINNM, DN, QN1, QN1, 0, DNAN, 0 },
    };
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        for (unsigned k = 0; k < sizeof t / sizeof *t; k++) {
            oryx_tb tb;
            unit(r, &tb, t[k].op, ORYX_T_F32, ORYX_T_F32, ORYX_T_F32, 0);
            arm_env(r, t[k].how);
            uint64_t got = run(r, &tb, t[k].a, t[k].b, t[k].c);
            if (got != t[k].want || r->cpu->fp.flags != t[k].flags)
                fail_msg("row %u: %llx flags %x, want %x flags %x", k, (unsigned long long)got, r->cpu->fp.flags, t[k].want,
                         t[k].flags);
            r->ops->discard(r->engine, &tb);
        }
        rig_free(r);
    }
}

/* Products of two f32 are exact in double: tininess before rounding and inexactness by definition. */
static void arm_underflow(void **st)
{
    (void)st;
    rig *r = rig_new(1);
    oryx_tb tb;
    unsigned tiny_seen = 0;
    unit(r, &tb, ORYX_OP_FMUL, ORYX_T_F32, ORYX_T_F32, ORYX_T_F32, 0);
    for (unsigned n = 0; n < 200000; n++) {
        uint32_t a = (uint32_t)pattern(0), b = (uint32_t)pattern(0), got;
        float x, y, z;
        memcpy(&x, &a, 4);
        memcpy(&y, &b, 4);
        if (isnan(x) || isnan(y) || isinf(x) || isinf(y))
            continue;
        double exact = (double)x * (double)y;
        arm_env(r, n & 1 ? FZ : 0);
        got = (uint32_t)run(r, &tb, a, b, 0);
        memcpy(&z, &got, 4);
        if (n & 1) {
            int dx = x != 0 && fabsf(x) < 0x1p-126f, dy = y != 0 && fabsf(y) < 0x1p-126f;
            int tiny = !dx && !dy && exact != 0 && fabs(exact) < 0x1p-126;
            if (dx || dy || tiny) {
                assert_int_equal(got, (a ^ b) & NEG);
                assert_int_equal(r->cpu->fp.flags, (dx || dy ? D : 0) | (tiny ? U : 0));
            }
            continue;
        }
        int tiny = exact != 0 && fabs(exact) < 0x1p-126, inexact = !isinf(z) && (double)z != exact;
        tiny_seen += (unsigned)tiny;
        assert_int_equal(!!(r->cpu->fp.flags & U), tiny && inexact);
        if (!isinf(z))
            assert_int_equal(!!(r->cpu->fp.flags & X), inexact);
    }
    assert_true(tiny_seen > 1000);
    r->ops->discard(r->engine, &tb);
    rig_free(r);
}

/* --- conversions -------------------------------------------------------------------------------------------------------- */

static long double rounded(long double v, unsigned rm)
{
    long double f = floorl(v), d = v - f;
    switch (rm) {
    case ORYX_RM_NEAREST: return d > 0.5L || (d == 0.5L && fmodl(f, 2) != 0) ? f + 1 : f;
    case ORYX_RM_UP: return d > 0 ? f + 1 : f;
    case ORYX_RM_DOWN: return f;
    case ORYX_RM_ZERO: return v < 0 && d > 0 ? f + 1 : f;
    default: return d > 0.5L || (d == 0.5L && v > 0) ? f + 1 : f; /* ties away */
    }
}

static void to_integer(void **st)
{
    (void)st;
    rig *r = rig_new(1);
    for (int wide = 0; wide < 2; wide++)
        for (int to = 0; to < 2; to++)
            for (unsigned rm = 0; rm <= ORYX_RM_AWAY; rm++)
                for (int sign = 0; sign < 2; sign++)
                    for (unsigned fbits = 0; fbits <= (to ? 64 : 32); fbits += to ? 16 : 8) {
                        oryx_tb tb;
                        unsigned type = wide ? ORYX_T_F64 : ORYX_T_F32, w = to ? 64 : 32;
                        unit(r, &tb, ORYX_OP_FTOI, to ? ORYX_T_I64 : ORYX_T_I32, type, type, rm | (uint64_t)sign << 3 | fbits << 8);
                        for (unsigned n = 0; n < 800; n++) {
                            uint64_t a = pattern(wide), bias = wide ? 1023 : 127, frac = wide ? 52 : 23;
                            if (n & 3) /* an exponent around the integer's range */
                                a = (a & ((1ull << frac) - 1)) | (rnd() & 1) << (wide ? 63 : 31) |
                                    (bias - fbits - 3 + rnd() % (w + 6)) << frac;
                            long double v;
                            double d;
                            float f;
                            memcpy(&d, &a, 8);
                            memcpy(&f, &a, 4);
                            v = wide ? (long double)d : (long double)f;
                            arm_env(r, 0);
                            uint64_t got = run(r, &tb, a, 0, 0), want;
                            uint32_t flags = 0;
                            long double lo = sign ? -ldexpl(1, (int)w - 1) : 0, hi = ldexpl(1, (int)w - sign) - 1;
                            if (isnan(v)) {
                                want = 0;
                                flags = I;
                            } else {
                                long double scaled = ldexpl(v, (int)fbits), i = isinf(v) ? v : rounded(scaled, rm);
                                flags = i < lo || i > hi ? I : i != scaled ? X : 0;
                                i = i < lo ? lo : i > hi ? hi : i;
                                want = i < 0 ? 0 - (uint64_t)-i : (uint64_t)i;
                                want &= to ? ~0ull : 0xffffffff;
                            }
                            if (got != want || r->cpu->fp.flags != flags)
                                fail_msg("f%d %llx to %s%u rm %u fbits %u: %llx flags %x, want %llx flags %x", wide ? 64 : 32,
                                         (unsigned long long)a, sign ? "s" : "u", w, rm, fbits, (unsigned long long)got,
                                         r->cpu->fp.flags, (unsigned long long)want, flags);
                        }
                        r->ops->discard(r->engine, &tb);
                    }
    rig_free(r);
}

/* x (exact) rounded to a multiple of 2^q: by the same definition as `rounded`. */
static void from_integer(void **st)
{
    (void)st;
    rig *r = rig_new(1);
    for (int wide = 0; wide < 2; wide++)
        for (int from = 0; from < 2; from++)
            for (int sign = 0; sign < 2; sign++)
                for (unsigned fbits = 0; fbits <= (from ? 64 : 32); fbits += from ? 16 : 8) {
                    oryx_tb tb;
                    unsigned type = wide ? ORYX_T_F64 : ORYX_T_F32, lane = from ? ORYX_T_I64 : ORYX_T_I32;
                    unit(r, &tb, ORYX_OP_ITOF, type, lane, lane, (uint64_t)sign << 3 | fbits << 8);
                    for (unsigned n = 0; n < 1500; n++) {
                        uint64_t a = rnd() >> rnd() % 64, res;
                        if (n & 4)
                            a |= ~0ull << rnd() % 64;
                        if (n & 8)
                            a = (a & ~0ull << rnd() % 64) + (rnd() % 3) - 1;
                        unsigned rm = n & 3, prec = wide ? 53 : 24;
                        if (!from)
                            a &= 0xffffffff;
                        long double v = sign ? (from ? (long double)(int64_t)a : (long double)(int32_t)a) : (long double)a;
                        int e = 0;
                        frexpl(v, &e);
                        long double unit_ = ldexpl(1, e - (int)prec), i = v == 0 ? 0 : rounded(v / unit_, rm) * unit_;
                        static const uint8_t how[4] = { 0, UP, DOWN, ZERO };
                        arm_env(r, how[rm]);
                        uint64_t got = run(r, &tb, a, 0, 0);
                        double d = (double)ldexpl(i, -(int)fbits); /* exact */
                        float f = (float)d;
                        if (wide)
                            memcpy(&res, &d, 8);
                        else
                            res = 0, memcpy(&res, &f, 4);
                        assert_int_equal(got, res);
                        assert_int_equal(r->cpu->fp.flags, i != v ? X : 0);
                    }
                    r->ops->discard(r->engine, &tb);
                }
    rig_free(r);
}

static void to_integral(void **st)
{
    (void)st;
    rig *r = rig_new(1);
    for (int wide = 0; wide < 2; wide++)
        for (unsigned rm = 0; rm <= ORYX_RM_AWAY; rm++)
            for (int exact = 0; exact < 2; exact++) {
                oryx_tb tb;
                unsigned type = wide ? ORYX_T_F64 : ORYX_T_F32;
                unit(r, &tb, ORYX_OP_FROUND, type, type, type, rm | (uint64_t)exact << 3);
                for (unsigned n = 0; n < 20000; n++) {
                    uint64_t a = pattern(wide), got;
                    double d, rd;
                    float f, rf;
                    memcpy(&d, &a, 8);
                    memcpy(&f, &a, 4);
                    long double v = wide ? (long double)d : (long double)f;
                    arm_env(r, 0);
                    got = run(r, &tb, a, 0, 0);
                    memcpy(&rd, &got, 8);
                    memcpy(&rf, &got, 4);
                    long double res = wide ? (long double)rd : (long double)rf;
                    if (isnan(v)) {
                        uint64_t q = wide ? 1ull << 51 : 1ull << 22;
                        assert_int_equal(got, a | q);
                        assert_int_equal(r->cpu->fp.flags, a & q ? 0 : I);
                        continue;
                    }
                    long double want = isinf(v) ? v : rounded(v, rm);
                    assert_true(res == want);
                    assert_int_equal(got >> (wide ? 63 : 31), a >> (wide ? 63 : 31));
                    assert_int_equal(r->cpu->fp.flags, exact && want != v ? X : 0);
                }
                r->ops->discard(r->engine, &tb);
            }
    rig_free(r);
}

/* --- half precision: the grid of all halves ------------------------------------------------------------------------------- */

static double half_value(uint32_t h, int alt)
{
    int e = h >> 10 & 31, f = h & 1023;
    if (e == 31 && !alt)
        return f ? NAN : INFINITY;
    return e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);
}

/* Magnitude x > 0 finite to a half, from the grid; flags. */
static uint32_t half_of(double x, int neg, unsigned rm, int alt, uint32_t *flags)
{
    uint32_t top = alt ? 0x7fff : 0x7bff, lo = 0, hi = top;
    double last = half_value(top, alt), next = alt ? 131072.0 : 65536.0;
    while (lo < hi) { /* the greatest half not above x */
        uint32_t mid = (lo + hi + 1) / 2;
        if (half_value(mid, alt) <= x)
            lo = mid;
        else
            hi = mid - 1;
    }
    double a = half_value(lo, alt), b = lo == top ? next : half_value(lo + 1, alt);
    *flags = 0;
    if (x == a)
        return lo;
    int up = rm == ORYX_RM_NEAREST ? x - a > b - x || (x - a == b - x && (lo & 1))
             : rm == ORYX_RM_UP    ? !neg
             : rm == ORYX_RM_DOWN  ? neg
                                   : 0;
    if (lo == top && (up || x >= next)) { /* rounds past the largest */
        if (alt) {
            *flags = I;
            return 0x7fff;
        }
        *flags = O | X;
        return 0x7c00;
    }
    if (lo == top && x > last && x >= next) {
        *flags = O | X;
        return top;
    }
    *flags = X | (x < 0x1p-14 ? U : 0);
    return lo + (uint32_t)up;
}

static void halves(void **st)
{
    static const uint8_t how[4] = { 0, UP, DOWN, ZERO };
    (void)st;
    rig *r = rig_new(1);
    oryx_tb up32, up64, down32, down64;
    unit(r, &up32, ORYX_OP_FCVT, ORYX_T_F32, ORYX_T_I16, ORYX_T_I16, 0);
    unit(r, &up64, ORYX_OP_FCVT, ORYX_T_F64, ORYX_T_I16, ORYX_T_I16, 0);
    unit(r, &down32, ORYX_OP_FCVT, ORYX_T_I16, ORYX_T_F32, ORYX_T_F32, 0);
    unit(r, &down64, ORYX_OP_FCVT, ORYX_T_I16, ORYX_T_F64, ORYX_T_F64, 0);
    for (int alt = 0; alt < 2; alt++)
        for (uint32_t h = 0; h < 0x10000; h++) {
            double v = copysign(half_value(h & 0x7fff, alt), h & 0x8000 ? -1.0 : 1.0), d;
            float f = (float)v, g;
            arm_env(r, alt ? AHP | FZ : FZ); /* FZ does not concern halves */
            uint64_t a = run(r, &up32, h, 0, 0), b = run(r, &up64, h, 0, 0);
            memcpy(&g, &a, 4);
            memcpy(&d, &b, 8);
            if (isnan(v)) {
                assert_int_equal(a, (h & 0x8000u) << 16 | 0x7fc00000 | (h & 0x3ffu) << 13);
                assert_int_equal(b, (uint64_t)(h & 0x8000) << 48 | 0x7ff8000000000000 | (uint64_t)(h & 0x3ff) << 42);
                assert_int_equal(r->cpu->fp.flags, h & 0x200 ? 0 : I);
                continue;
            }
            assert_true(memcmp(&f, &g, 4) == 0 && memcmp(&d, &v, 8) == 0);
            assert_int_equal(r->cpu->fp.flags, 0);
            /* and back, exactly */
            assert_int_equal(run(r, &down32, a, 0, 0), h);
            assert_int_equal(run(r, &down64, b, 0, 0), h);
            assert_int_equal(r->cpu->fp.flags, 0);
        }
    for (unsigned n = 0; n < 200000; n++) {
        unsigned rm = n & 3, alt = n >> 2 & 1, wide = n >> 3 & 1;
        uint64_t a, e = (wide ? 1023 : 127) - 28 + rnd() % 48, frac = wide ? 52 : 23;
        a = (rnd() & 1) << (wide ? 63 : 31) | e << frac | (pattern((int)wide) & ((1ull << frac) - 1));
        if (n & 16)
            a &= ~0ull << (frac - 11 + (n >> 5 & 1)); /* near ties */
        double d;
        float f;
        memcpy(&d, &a, 8);
        memcpy(&f, &a, 4);
        d = wide ? d : (double)f;
        uint32_t flags, want = half_of(fabs(d), signbit(d) != 0, rm, (int)alt, &flags);
        if (!alt && want == 0x7c00 && (rm == ORYX_RM_ZERO || (rm == ORYX_RM_UP && signbit(d)) || (rm == ORYX_RM_DOWN && !signbit(d))))
            want = 0x7bff;
        want |= signbit(d) ? 0x8000 : 0;
        arm_env(r, how[rm] | (alt ? AHP : 0));
        uint64_t got = run(r, wide ? &down64 : &down32, a, 0, 0);
        if (got != want || r->cpu->fp.flags != flags)
            fail_msg("%a rm %u alt %u: %llx flags %x, want %x flags %x", d, rm, alt, (unsigned long long)got, r->cpu->fp.flags,
                     want, flags);
    }
    /* alternative format: no infinities or NaNs */
    arm_env(r, AHP);
    assert_int_equal(run(r, &down32, INF | NEG, 0, 0), 0xffff);
    assert_int_equal(r->cpu->fp.flags, I);
    arm_env(r, AHP);
    assert_int_equal(run(r, &down32, QN2, 0, 0), 0x8000);
    assert_int_equal(r->cpu->fp.flags, I);
    arm_env(r, DN);
    assert_int_equal(run(r, &down32, QN2, 0, 0), 0x7e00);
    assert_int_equal(r->cpu->fp.flags, 0);
    arm_env(r, 0);
    assert_int_equal(run(r, &down32, SN2, 0, 0), 0xfe00 | (SN2 >> 13 & 0x3ff));
    assert_int_equal(r->cpu->fp.flags, I);
    r->ops->discard(r->engine, &up32);
    r->ops->discard(r->engine, &up64);
    r->ops->discard(r->engine, &down32);
    r->ops->discard(r->engine, &down64);
    /* between single and double: the host's conversion */
    unit(r, &up64, ORYX_OP_FCVT, ORYX_T_F64, ORYX_T_F32, ORYX_T_F32, 0);
    unit(r, &down32, ORYX_OP_FCVT, ORYX_T_F32, ORYX_T_F64, ORYX_T_F64, 0);
    for (unsigned n = 0; n < 100000; n++) {
        uint64_t a = pattern(0), b = pattern(1), res = 0;
        float f;
        double d;
        memcpy(&f, &a, 4);
        if (!isnan(f)) {
            d = (double)f;
            memcpy(&res, &d, 8);
            arm_env(r, 0);
            assert_int_equal(run(r, &up64, a, 0, 0), res);
            assert_int_equal(r->cpu->fp.flags, 0);
        }
        memcpy(&d, &b, 8);
        if (!isnan(d)) {
            f = (float)d;
            res = 0;
            memcpy(&res, &f, 4);
            arm_env(r, 0);
            assert_int_equal(run(r, &down32, b, 0, 0), res);
            uint32_t flags = (double)f == d ? 0 : isinf(f) ? O | X : fabs(d) < 0x1p-126 ? U | X : X;
            assert_int_equal(r->cpu->fp.flags, flags);
        }
    }
    r->ops->discard(r->engine, &up64);
    r->ops->discard(r->engine, &down32);
    rig_free(r);
}

/* --- comparison, flags access ------------------------------------------------------------------------------------------------ */

static void comparison(void **st)
{
    (void)st;
    rig *r = rig_new(1);
    for (int wide = 0; wide < 2; wide++)
        for (int signal = 0; signal < 2; signal++) {
            oryx_tb tb, v[3];
            unsigned type = wide ? ORYX_T_F64 : ORYX_T_F32;
            static const unsigned cc[3] = { ORYX_CC_EQ, ORYX_CC_GES, ORYX_CC_GTS };
            unit(r, &tb, ORYX_OP_FLFCMP, ORYX_T_FL, type, type, (uint64_t)signal);
            for (unsigned k = 0; k < 3; k++)
                unit(r, &v[k], ORYX_OP_VFCMP, ORYX_T_V64, type, ORYX_T_V64, cc[k]);
            for (unsigned n = 0; n < 30000; n++) {
                uint64_t a = pattern(wide), b = n & 7 ? pattern(wide) : a;
                double x, y;
                float f, g;
                memcpy(&x, &a, 8);
                memcpy(&y, &b, 8);
                memcpy(&f, &a, 4);
                memcpy(&g, &b, 4);
                if (!wide) {
                    x = (double)f;
                    y = (double)g;
                }
                uint64_t q = wide ? 1ull << 51 : 1ull << 22;
                int un = isnan(x) || isnan(y), snan = (isnan(x) && !(a & q)) || (isnan(y) && !(b & q));
                uint32_t want = un ? ORYX_FLAG_C | ORYX_FLAG_O : x == y ? ORYX_FLAG_Z | ORYX_FLAG_C : x < y ? ORYX_FLAG_S : ORYX_FLAG_C;
                arm_env(r, 0);
                assert_int_equal(run(r, &tb, a, b, 0) & 0xffffffff, want);
                assert_int_equal(r->cpu->fp.flags, snan || (un && signal) ? I : 0);
                for (unsigned k = 0; k < 3; k++) {
                    int yes = k == 0 ? x == y : k == 1 ? x >= y : x > y;
                    arm_env(r, 0);
                    uint64_t got = run(r, &v[k], wide ? a : a | 0x3f80000000000000, wide ? b : b | 0x3f80000000000000, 0);
                    /* the second single lane compares 1.0 with 1.0 */
                    uint64_t mask = wide ? ~0ull : 0xffffffff, other = wide || k == 2 ? 0 : ~0ull << 32;
                    assert_int_equal(got, (yes ? mask : 0) | other);
                    assert_int_equal(r->cpu->fp.flags, snan || (un && k) ? I : 0);
                }
            }
            r->ops->discard(r->engine, &tb);
            for (unsigned k = 0; k < 3; k++)
                r->ops->discard(r->engine, &v[k]);
        }
    rig_free(r);
}

/* FFLAGS sees what ops of the same block did; FSETFLAGS forgets it. */
static void sticky(void **st)
{
    (void)st;
    for (int frame = 0; frame < 2; frame++) {
        rig *r = rig_new(frame);
        oryx_ir *ir = rig_begin(r, 0);
        rig_insn(r, 0);
        oryx_val third = oryx_bin(ir, ORYX_OP_FDIV, ORYX_T_F64, oryx_get(ir, ORYX_T_F64, REG(0)), oryx_get(ir, ORYX_T_F64, REG(1)));
        oryx_val seen = oryx_ir_emit(ir, ORYX_OP_FFLAGS, ORYX_T_I32, ORYX_T_I32, 0, 0, 0, 0);
        oryx_ir_emit(ir, ORYX_OP_FSETFLAGS, 0, 0, oryx_const(ir, ORYX_T_I32, ORYX_FPF_OVERFLOW), 0, 0, 0);
        oryx_val again = oryx_ir_emit(ir, ORYX_OP_FFLAGS, ORYX_T_I32, ORYX_T_I32, 0, 0, 0, 0);
        oryx_put(ir, ORYX_T_F64, REG(2), third);
        oryx_put(ir, ORYX_T_I32, REG(3), seen);
        oryx_put(ir, ORYX_T_I32, REG(4), again);
        oryx_goto(ir, 4, 0);
        double one = 1, three = 3, want = 1.0 / 3;
        memcpy(r->cpu->state + REG(0), &one, 8);
        memcpy(r->cpu->state + REG(1), &three, 8);
        assert_int_equal(rig_run(r), ORYX_LEAVE_LINK);
        assert_memory_equal(r->cpu->state + REG(2), &want, 8);
        assert_int_equal((uint32_t)get_reg(r, 3).lo, X);
        assert_int_equal((uint32_t)get_reg(r, 4).lo, O);
        assert_int_equal(r->cpu->fp.flags, O);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
        cmocka_unit_test(against_host),
#endif
        cmocka_unit_test(arm_table), cmocka_unit_test(arm_underflow), cmocka_unit_test(to_integer),
        cmocka_unit_test(from_integer), cmocka_unit_test(to_integral), cmocka_unit_test(halves), cmocka_unit_test(comparison),
        cmocka_unit_test(sticky) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
